package imapsession

import (
	"unicode/utf8"

	"github.com/emersion/go-imap/v2"

	"tidings/store/query"
)

// criteria says a query in the terms of IMAP SEARCH (RFC 9051 §6.4.4). Everything
// in it has the meaning that store/query gives it: dates are those of INTERNALDATE,
// text is looked for as the server folds it. What is not sent is a charset, which
// imapclient adds where it is needed.
func criteria(n query.Node) imap.SearchCriteria {
	var c imap.SearchCriteria
	switch n := n.(type) {
	case query.And:
		for _, m := range n {
			narrow(&c, criteria(m))
		}
	case query.Or:
		return either(len(n), func(i int) imap.SearchCriteria { return criteria(n[i]) })
	case query.Not:
		c.Not = []imap.SearchCriteria{criteria(n.Node)}
	case query.Term:
		return termCriteria(n)
	}
	return c
}

// either joins n criteria by OR, which takes two at a time.
func either(n int, at func(i int) imap.SearchCriteria) imap.SearchCriteria {
	c := at(n - 1)
	for i := n - 2; i >= 0; i-- {
		c = imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{at(i), c}}}
	}
	return c
}

// narrow adds what else has to hold. It is not SearchCriteria.And, which forgets
// Smaller and Larger where the other side has none.
func narrow(c *imap.SearchCriteria, d imap.SearchCriteria) {
	if c.Since.Before(d.Since) {
		c.Since = d.Since
	}
	if c.Before.IsZero() || !d.Before.IsZero() && d.Before.Before(c.Before) {
		c.Before = d.Before
	}
	c.Larger = max(c.Larger, d.Larger)
	if c.Smaller == 0 || d.Smaller != 0 && d.Smaller < c.Smaller {
		c.Smaller = d.Smaller
	}
	c.Header = append(c.Header, d.Header...)
	c.Body = append(c.Body, d.Body...)
	c.Flag = append(c.Flag, d.Flag...)
	c.NotFlag = append(c.NotFlag, d.NotFlag...)
	c.Not = append(c.Not, d.Not...)
	c.Or = append(c.Or, d.Or...)
}

// headerNames are the fields of terms that look at one.
var headerNames = map[query.Field]string{
	query.From: "From", query.To: "To", query.Cc: "Cc", query.Subject: "Subject", query.List: "List-Id",
}

func header(name, text string) imap.SearchCriteria {
	return imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: name, Value: text}}}
}

func termCriteria(t query.Term) (c imap.SearchCriteria) {
	switch t.Field {
	case query.Any:
		fields := [...]string{"From", "To", "Cc", "Subject"}
		return either(len(fields)+1, func(i int) imap.SearchCriteria {
			if i < len(fields) {
				return header(fields[i], t.Text)
			}
			return imap.SearchCriteria{Body: []string{t.Text}}
		})
	case query.Body:
		c.Body = []string{t.Text}
	case query.Unread:
		c.NotFlag = []imap.Flag{imap.FlagSeen}
	case query.Read:
		c.Flag = []imap.Flag{imap.FlagSeen}
	case query.Flagged:
		c.Flag = []imap.Flag{imap.FlagFlagged}
	case query.Answered:
		c.Flag = []imap.Flag{imap.FlagAnswered}
	case query.Attachment:
		return header("Content-Type", "multipart/mixed")
	case query.Before:
		c.Before = t.Date
	case query.Since:
		c.Since = t.Date
	case query.On:
		c.Since, c.Before = t.Date, t.Date.AddDate(0, 0, 1)
	case query.Larger:
		c.Larger = t.Size
	case query.Smaller:
		c.Smaller = t.Size
	default:
		return header(headerNames[t.Field], t.Text)
	}
	return c
}

// isASCII tells whether the query goes out without a literal and a charset.
func isASCII(q query.Query) bool {
	text := q.String()
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
