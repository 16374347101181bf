package message

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// typical is a header of ten fields and 600 octets, as HEADER.FIELDS returns it.
const typical = "From: =?UTF-8?Q?Bj=C3=B6rn_Example?= <bjorn@example.org>\r\n" +
	"To: \"Alice Example\" <alice@example.com>, team@example.com\r\n" +
	"Cc: Carol Example <carol@example.net>\r\n" +
	"Subject: Re: [ops] Deploy window moved to Thursday evening\r\n" +
	"Date: Fri, 20 Nov 2026 14:03:07 +0100\r\n" +
	"Message-ID: <CAF8x2zX0pQm7vT3@mail.example.org>\r\n" +
	"In-Reply-To: <20261119.0815.77@example.com>\r\n" +
	"References: <20261118.2201.12@example.com>\r\n" +
	"\t<20261119.0815.77@example.com>\r\n" +
	"List-Id: Operations <ops.lists.example.com>\r\n" +
	"Content-Type: multipart/alternative;\r\n" +
	"\tboundary=\"----=_Part_77_1234567.1763643787000\"\r\n\r\n"

func TestParseHeader(t *testing.T) {
	got := ParseHeader([]byte(typical))
	want := Header{
		Subject:     "Re: [ops] Deploy window moved to Thursday evening",
		From:        []Address{{"Björn Example", "bjorn@example.org"}},
		To:          []Address{{"Alice Example", "alice@example.com"}, {"", "team@example.com"}},
		Cc:          []Address{{"Carol Example", "carol@example.net"}},
		Date:        time.Date(2026, 11, 20, 14, 3, 7, 0, time.FixedZone("", 3600)),
		MessageID:   "CAF8x2zX0pQm7vT3@mail.example.org",
		InReplyTo:   []string{"20261119.0815.77@example.com"},
		References:  []string{"20261118.2201.12@example.com", "20261119.0815.77@example.com"},
		ListID:      "Operations <ops.lists.example.com>",
		ContentType: "multipart/alternative",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
