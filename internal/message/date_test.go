package message

import (
	"testing"
	"time"
)

var dateTests = []struct{ name, in, want string }{
	{"RFC 5322", "Fri, 20 Nov 2026 14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"no day of the week", "20 Nov 2026 14:03:07 -0530", "2026-11-20T14:03:07-05:30"},
	{"one-digit day", "Sun, 1 Nov 2026 04:03:07 GMT", "2026-11-01T04:03:07Z"},
	{"no seconds", "Fri, 20 Nov 2026 14:03 +0100", "2026-11-20T14:03:00+01:00"},
	{"one-digit hour", "Fri, 20 Nov 2026 4:03:07 +0100", "2026-11-20T04:03:07+01:00"},
	{"zone comment", "Fri, 20 Nov 2026 14:03:07 +0100 (CET (winter))", "2026-11-20T14:03:07+01:00"},
	{"comments all over", "(x) Fri, (y) 20 Nov (z) 2026 14:03:07 (a)+0000", "2026-11-20T14:03:07Z"},
	{"folded", "Fri, 20 Nov 2026\r\n\t14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"obsolete zones", "Fri, 20 Nov 2026 14:03:07 PST", "2026-11-20T14:03:07-08:00"},
	{"EDT", "Fri, 20 Nov 26 14:03:07 EDT", "2026-11-20T14:03:07-04:00"},
	{"military letter", "Fri, 20 Nov 2026 14:03:07 Z", "2026-11-20T14:03:07Z"},
	{"two-digit year, this century", "20 Nov 49 14:03:07 UT", "2049-11-20T14:03:07Z"},
	{"two-digit year, last century", "20 Nov 98 14:03:07 UT", "1998-11-20T14:03:07Z"},
	{"three-digit year", "20 Nov 102 14:03:07 +0000", "2002-11-20T14:03:07Z"},
	{"ctime", "Fri Nov 20 14:03:07 2026", "2026-11-20T14:03:07Z"},
	{"ctime with zone", "Fri Nov  6 14:03:07 MET 2026", "2026-11-06T14:03:07+01:00"},
	{"ISO 8601", "2026-11-20T14:03:07Z", "2026-11-20T14:03:07Z"},
	{"ISO 8601 with offset", "2026-11-20T14:03:07.123+01:00", "2026-11-20T14:03:07+01:00"},
	{"ISO date and time", "2026-11-20 14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"dashes", "20-Nov-2026 14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"German", "20.11.2026 14:03:07", "2026-11-20T14:03:07Z"},
	{"American", "11/20/2026 2:03:07 PM", "2026-11-20T14:03:07Z"},
	{"midnight AM", "20 Nov 2026 12:03:07 AM +0000", "2026-11-20T00:03:07Z"},
	{"month in full", "Friday, 20 November 2026 14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"commas and no space", "Fri,20 Nov 2026 14:03:07 +0100", "2026-11-20T14:03:07+01:00"},
	{"dots in the clock", "Fri, 20 Nov 2026 14.03.07 +0100", "2026-11-20T14:03:07+01:00"},
	{"GMT and offset", "Fri, 20 Nov 2026 14:03:07 GMT+0100", "2026-11-20T14:03:07+01:00"},
	{"offset with colon", "Fri, 20 Nov 2026 14:03:07 +01:00", "2026-11-20T14:03:07+01:00"},
	{"unknown zone", "Fri, 20 Nov 2026 14:03:07 XYZ", "2026-11-20T14:03:07Z"},
	{"leap second", "Fri, 20 Nov 2026 23:59:60 +0000", "2026-11-20T23:59:59Z"},
	{"no clock", "Fri, 20 Nov 2026", "2026-11-20T00:00:00Z"},
	{"compact", "20261120 14:03:07 +0000", "2026-11-20T14:03:07Z"},

	{"empty", "", ""},
	{"words", "yesterday", ""},
	{"the epoch that is none", "Mon, 1 Jan 0001 00:00:00 +0000", ""},
	{"far future", "Fri, 20 Nov 9999 14:03:07 +0000", ""},
	{"no such day", "Mon, 31 Feb 2026 14:03:07 +0000", ""},
	{"no such month", "2026-13-01 10:00:00", ""},
	{"only a clock", "14:03:07", ""},
}

func TestDates(t *testing.T) {
	for _, tt := range dateTests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if d := parseDateBytes([]byte(tt.in)); !d.IsZero() {
				got = d.Format(time.RFC3339)
			}
			if got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
