package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// size makes the term of larger: and smaller:. K, M and G are binary; a B behind
// them changes nothing.
func (p *parser) size(f Field, name, value string, from int) Node {
	n, ok := parseSize(value)
	switch {
	case !ok && p.end() && value == "":
		p.want(name + ": wants " + wanted(name) + " behind it")
	case !ok:
		p.fail(from, p.i, fmt.Sprintf("%q is no size: write 5000 for octets, 500k or 2M", clip(value)))
	case f == Smaller && n == 0:
		p.fail(from, p.i, "no message is smaller than nothing: give a size above 0")
	default:
		return p.term(Term{Field: f, Size: n}, from)
	}
	return nil
}

func parseSize(s string) (int64, bool) {
	unit := int64(1)
	s = strings.TrimSuffix(s, "b")
	for _, u := range units {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			s, unit = rest, u.n
			break
		}
	}
	if s == "" || strings.Trim(s, "0123456789.") != "" || len(s) > 19 {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n * unit, n <= maxSize/unit
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x*float64(unit) > maxSize {
		return 0, false
	}
	return int64(math.Round(x * float64(unit))), true
}

// maxSize is the largest that may be asked for: RFC822.SIZE has 63 bits (RFC 9051
// §9), but the number of a SEARCH key has 32 at most servers.
const maxSize = math.MaxUint32

// date makes the term of before:, since: and on:. A month or a year stands for its
// first day, and behind on: for all of its days.
func (p *parser) date(f Field, name, value string, from int) Node {
	first, after, ok := p.days(value)
	switch {
	case !ok && p.end() && mayBecomeDate(value):
		p.want(name + ": wants " + wanted(name) + " behind it")
		return nil
	case !ok:
		p.fail(from, p.i, fmt.Sprintf("%q is no date: write it like 2024-03-01, 2024-03, 2024, today, yesterday or 7d", clip(value)))
		return nil
	case first.Year() < 1970 || first.Year() > 2999:
		p.fail(from, p.i, "there is no mail of that year: give one from 1970 on")
		return nil
	case f != On || after.Equal(first.AddDate(0, 0, 1)):
		return p.term(Term{Field: f, Date: first}, from)
	}
	since := p.term(Term{Field: Since, Date: first}, from)
	before := p.term(Term{Field: Before, Date: after}, from)
	if since == nil || before == nil {
		return nil
	}
	return And{since, before}
}

// days reads a date, and returns the first of the days that it stands for and the
// first one after them.
func (p *parser) days(s string) (first, after time.Time, ok bool) {
	y, m, d := p.today.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	switch s {
	case "today":
		return today, today.AddDate(0, 0, 1), true
	case "yesterday":
		return today.AddDate(0, 0, -1), today, true
	}
	for _, l := range []struct {
		layout  string
		y, m, d int
	}{{"2006-1-2", 0, 0, 1}, {"2006-1", 0, 1, 0}, {"2006", 1, 0, 0}} {
		if t, err := time.Parse(l.layout, s); err == nil {
			return t, t.AddDate(l.y, l.m, l.d), true
		}
	}
	if len(s) < 2 || len(s) > 6 {
		return first, after, false
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	if err != nil || n < 0 || s[0] == '+' {
		return first, after, false
	}
	switch s[len(s)-1] {
	case 'd':
		first = today.AddDate(0, 0, -n)
	case 'w':
		first = today.AddDate(0, 0, -7*n)
	case 'm':
		first = today.AddDate(0, -n, 0)
	case 'y':
		first = today.AddDate(-n, 0, 0)
	default:
		return first, after, false
	}
	return first, first.AddDate(0, 0, 1), true
}

// mayBecomeDate tells whether a date may begin with s.
func mayBecomeDate(s string) bool {
	if s == "" || strings.HasPrefix("today", s) || strings.HasPrefix("yesterday", s) {
		return true
	}
	return len(s) < len("2024-03-01") && strings.Trim(s, "0123456789-") == "" && s[0] != '-'
}
