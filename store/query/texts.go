package query

import (
	"time"

	"tidings/store"
)

// Texts are a message's header fields as they are searched, folded. A cache that
// keeps and indexes them must keep them just so.
//
// An address field is one text, "Name <local@domain>, local@domain", so that a
// term may reach from a name into the address, as it may at a server.
type Texts struct {
	From, To, Cc, Subject, List string
}

// TextsOf returns the Texts of a summary.
func TextsOf(s *store.Summary) Texts {
	return Texts{
		From:    foldAddresses(s.From),
		To:      foldAddresses(s.To),
		Cc:      foldAddresses(s.Cc),
		Subject: Fold(s.Subject.String()),
		List:    Fold(s.ListID.String()),
	}
}

func foldAddresses(as []store.Address) string {
	if len(as) == 0 {
		return ""
	}
	n := 0
	for i := range as {
		n += as[i].Name.Len() + len(as[i].Raw) + len(" <>, ")
	}
	b := make([]byte, 0, n+n/8)
	for i := range as {
		if i > 0 {
			b = append(b, ", "...)
		}
		if as[i].Name.IsEmpty() || as[i].Raw == "" {
			b = AppendFold(AppendFold(b, as[i].Name.String()), as[i].Raw)
			continue
		}
		b = append(AppendFold(b, as[i].Name.String()), " <"...)
		b = append(AppendFold(b, as[i].Raw), '>')
	}
	return string(b)
}

// Day numbers the date of an INTERNALDATE, in the zone that the server printed it
// in, as days since 1970-01-01: what before:, since: and on: compare (RFC 9051
// §6.4.4 disregards time and zone). known is false for the zero time, which has
// no date.
func Day(internal time.Time) (day int64, known bool) {
	if internal.IsZero() {
		return 0, false
	}
	y, m, d := internal.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay, true
}

const secondsPerDay = 24 * 60 * 60

// Day numbers the term's Date likewise.
func (t Term) Day() int64 {
	day, _ := Day(t.Date)
	return day
}
