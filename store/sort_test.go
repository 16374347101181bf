package store

import (
	"slices"
	"testing"
	"time"

	"tidings/internal/safetext"
)

func TestBaseSubject(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"Hello":                   "Hello",
		"Re: Hello":               "Hello",
		" re: RE:Re[4]: Hello":    "Hello",
		"AW: Fwd: WG (2): Hello ": "Hello",
		"Re: Fw:":                 "",
		"回复：会议":                   "会议",
		"Resume: mine":            "Resume: mine",
		"Re [draft]: mine":        "Re [draft]: mine",
		"http://example.org/":     "http://example.org/",
		"R: ciao":                 "ciao",
		": nothing":               ": nothing",
	} {
		if got := BaseSubject(in); got != want {
			t.Errorf("the base of %q is %q, want %q", in, got, want)
		}
	}
}

func TestSortKeys(t *testing.T) {
	from := func(name, addr string) *Summary {
		return &Summary{From: []Address{{Name: safetext.Clean(name), Addr: safetext.Clean(addr)}}}
	}
	names := []string{"\"Zoë\"", "élodie", "Ángel", "alice", "(eve)", "bob"}
	slices.SortFunc(names, func(a, b string) int { return Compare(BySender, from(b, ""), from(a, "")) })
	if want := []string{"alice", "Ángel", "bob", "élodie", "(eve)", "\"Zoë\""}; !slices.Equal(names, want) {
		t.Errorf("senders stand as %q, want %q", names, want)
	}
	if got := SenderKey(from("", "X@example.org")); got != "x@example.org" {
		t.Errorf("a sender without a name is sorted by %q", got)
	}
	if got := SenderKey(&Summary{}); got != "" {
		t.Errorf("no sender is sorted by %q", got)
	}
	long := make([]byte, 1000)
	for i := range long {
		long[i] = "é"[i%2]
	}
	if k := SubjectKey(&Summary{Subject: safetext.Clean("Re: " + string(long))}); len(k) > maxKey || len(k) < maxKey/2 {
		t.Errorf("a long subject has a key of %d bytes", len(k))
	}
	day := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	a, b := &Summary{UID: 1, Date: day, Size: 5}, &Summary{UID: 2, Internal: day, Size: 5}
	for by := ByArrival; by <= BySize; by++ {
		if Compare(by, a, b) >= 0 || Compare(by, b, a) <= 0 || Compare(by, a, a) != 0 {
			t.Errorf("by %d: equals do not stand as they arrived", by)
		}
	}
	b.Date, b.Size = day.Add(-time.Second), 4
	if Compare(ByDate, a, b) <= 0 || Compare(BySize, a, b) <= 0 {
		t.Error("neither the later nor the larger message stands above")
	}
}
