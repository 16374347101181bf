package imapsession

import (
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
)

func TestNarrowForgetsNothing(t *testing.T) {
	for text, want := range map[string]imap.SearchCriteria{
		"smaller:5k is:read":           {Smaller: 5120, Flag: []imap.Flag{imap.FlagSeen}},
		"is:read smaller:5k":           {Smaller: 5120, Flag: []imap.Flag{imap.FlagSeen}},
		"smaller:5k smaller:4k":        {Smaller: 4096},
		"larger:5k is:unread":          {Larger: 5120, NotFlag: []imap.Flag{imap.FlagSeen}},
		"larger:5k larger:6k":          {Larger: 6144},
		"list:a has:attachment":        {Header: []imap.SearchCriteriaHeaderField{{Key: "List-Id", Value: "a"}, {Key: "Content-Type", Value: "multipart/mixed"}}},
		"body:a (body:b or is:read)":   {Body: []string{"a"}, Or: [][2]imap.SearchCriteria{{{Body: []string{"b"}}, {Flag: []imap.Flag{imap.FlagSeen}}}}},
		"-is:flagged -(body:a body:b)": {Not: []imap.SearchCriteria{{Flag: []imap.Flag{imap.FlagFlagged}}, {Body: []string{"a", "b"}}}},
	} {
		if d := cmp.Diff(want, criteria(parse(t, text).Root)); d != "" {
			t.Errorf("%s:\n%s", text, d)
		}
	}
	dates := criteria(parse(t, "since:2024-02-01 since:2024-03-01 before:2024-06-01 before:2024-05-01").Root)
	if dates.Since.Month() != 3 || dates.Before.Month() != 5 {
		t.Errorf("since %v, before %v", dates.Since, dates.Before)
	}
}
