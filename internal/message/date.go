package message

import (
	"bytes"
	"time"
)

// Dates outside of these years are taken for unreadable: a clock at zero, or a
// message that wants to stand on top for ever.
const (
	minYear = 1970
	maxYear = 2200
	maxDate = 256 // octets of a Date field that are looked at
)

// parseDateBytes reads a date as mail has it: RFC 5322 with its obsolete forms
// (two-digit years, zone names, missing seconds, comments), ctime's and ISO
// 8601. It returns the zero time where there is none.
func parseDateBytes(v []byte) time.Time {
	if len(v) > maxDate {
		v = v[:maxDate]
	}
	var p dateParser
	for p.rest = v; ; {
		tok := p.token()
		if tok == nil {
			break
		}
		p.take(tok)
	}
	return p.time()
}

// dateParser assigns tokens to the parts of a date by what they look like; the
// order hardly matters but for day before year.
type dateParser struct {
	rest []byte

	year, month, day  int
	yearDigits        int
	hour, minute, sec int
	clock, pm, am     bool
	offset            int // seconds east of UTC
	zone              bool
	iso               bool
}

// token returns the next word; comments and commas are passed over.
func (p *dateParser) token() []byte {
	depth := 0
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case depth > 0 || isDateSpace(c):
		default:
			start := i
			for i < len(p.rest) && !isDateSpace(p.rest[i]) && p.rest[i] != '(' {
				i++
			}
			tok := p.rest[start:i]
			p.rest = p.rest[i:]
			return tok
		}
	}
	p.rest = nil
	return nil
}

func isDateSpace(c byte) bool { return c <= ' ' || c == ',' || c == '"' || c >= 0x7f }

func (p *dateParser) take(tok []byte) {
	c := tok[0]
	switch {
	case (c == '+' || c == '-') && p.clock:
		p.takeOffset(tok)
	case c >= '0' && c <= '9':
		switch {
		case bytes.IndexByte(tok, ':') > 0 || !p.clock && p.day > 0 && p.month > 0 && p.year > 0 && bytes.IndexByte(tok, '.') > 0:
			if i := bytes.IndexAny(tok, "T"); i == 10 {
				p.takeDashed(tok[:i])
				tok = tok[i+1:]
				p.iso = true
			}
			p.takeClock(tok)
		case bytes.IndexAny(tok, "-/.") > 0:
			p.takeDashed(tok)
		default:
			p.takeNumber(tok)
		}
	default:
		p.takeWord(tok)
	}
}

func (p *dateParser) takeNumber(tok []byte) {
	n, digits := number(tok)
	switch {
	case digits == 8 && p.day == 0: // 20060102
		p.year, p.month, p.day, p.yearDigits = n/10000, n/100%100, n%100, 4
	case digits <= 2 && p.day == 0 && n >= 1 && n <= 31:
		p.day = n
	case p.year == 0 && p.yearDigits == 0 && digits <= 4:
		p.year, p.yearDigits = n, digits
	case digits == 4 && n <= 1400 && n%100 < 60 && p.clock && !p.zone: // a zone without its sign
		p.offset, p.zone = (n/100*60+n%100)*60, true
	}
}

// takeDashed reads 2006-01-02, 02-Jan-2006, 02-Jan-06, 2006/01/02, 02.01.2006.
func (p *dateParser) takeDashed(tok []byte) {
	var part [3][]byte
	n := 0
	for _, f := range bytes.FieldsFunc(tok, func(r rune) bool { return r == '-' || r == '/' || r == '.' }) {
		if n == 3 {
			return
		}
		part[n] = f
		n++
	}
	if n < 2 {
		return
	}
	if m := monthOf(part[1]); m > 0 {
		p.day, _ = number(part[0])
		p.month = m
		p.year, p.yearDigits = number(part[2])
		return
	}
	if n < 3 {
		return
	}
	a, digits := number(part[0])
	b, _ := number(part[1])
	c, cDigits := number(part[2])
	switch {
	case digits == 4:
		p.year, p.month, p.day, p.yearDigits = a, b, c, 4
	case bytes.IndexByte(tok, '/') > 0 && b > 12: // 12/31/2006
		p.year, p.month, p.day, p.yearDigits = c, a, b, cDigits
	default:
		p.year, p.month, p.day, p.yearDigits = c, b, a, cDigits
	}
}

// takeClock reads 15:04, 15:04:05, 15:04:05.123, 15.04.05, and what may hang
// on it without a space: Z, +0100, PM.
func (p *dateParser) takeClock(tok []byte) {
	var n [3]int
	i := 0
	for k := 0; k < 3; k++ {
		start := i
		for i < len(tok) && tok[i] >= '0' && tok[i] <= '9' && i-start < 4 {
			n[k] = n[k]*10 + int(tok[i]-'0')
			i++
		}
		if i == start || i == len(tok) || tok[i] != ':' && (tok[i] != '.' || k == 2) {
			break
		}
		i++
	}
	if n[0] > 24 || n[1] > 59 || n[2] > 60 {
		return
	}
	p.hour, p.minute, p.sec, p.clock = n[0], n[1], min(n[2], 59), true
	if i < len(tok) && tok[i] == '.' {
		for i++; i < len(tok) && tok[i] >= '0' && tok[i] <= '9'; i++ {
		}
	}
	if rest := tok[i:]; len(rest) > 0 {
		if rest[0] == '+' || rest[0] == '-' {
			p.takeOffset(rest)
		} else {
			p.takeWord(rest)
		}
	}
}

// takeOffset reads +0100, +01:00, +1, -530.
func (p *dateParser) takeOffset(tok []byte) {
	if p.zone {
		return
	}
	n, digits := 0, 0
	colon := -1
	for _, c := range tok[1:] {
		switch {
		case c >= '0' && c <= '9' && digits < 6:
			n = n*10 + int(c-'0')
			digits++
		case c == ':' && colon < 0:
			colon = digits
		}
	}
	var minutes int
	switch {
	case digits == 0:
		return
	case digits <= 2:
		minutes = n * 60
	case digits <= 4:
		minutes = n/100*60 + n%100
	default:
		return
	}
	if minutes >= 24*60 {
		return
	}
	p.offset, p.zone = minutes*60, true
	if tok[0] == '-' {
		p.offset = -p.offset
	}
}

func (p *dateParser) takeWord(tok []byte) {
	if m := monthOf(tok); m > 0 && p.month == 0 {
		p.month = m
		return
	}
	if !p.clock {
		return // the day of the week
	}
	switch {
	case is(tok, "pm"):
		p.pm = true
		return
	case is(tok, "am"):
		p.am = true
		return
	}
	if p.zone {
		return
	}
	if h, ok := zoneOf(tok); ok {
		p.offset, p.zone = h*3600, true
	} else if len(tok) > 3 && (is(tok[:3], "gmt") || is(tok[:3], "utc")) && (tok[3] == '+' || tok[3] == '-') {
		p.takeOffset(tok[3:])
	}
}

// zoneOf knows the zones of RFC 5322 §4.3 and the few others that mail still
// has. The military letters other than Z carry no information there.
func zoneOf(tok []byte) (hours int, ok bool) {
	for _, z := range [...]struct {
		name  string
		hours int
	}{
		{"gmt", 0}, {"ut", 0}, {"utc", 0}, {"z", 0}, {"wet", 0}, {"bst", 1}, {"cet", 1},
		{"met", 1}, {"west", 1}, {"cest", 2}, {"mest", 2}, {"eet", 2}, {"eest", 3},
		{"msk", 3}, {"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7},
		{"mdt", -6}, {"pst", -8}, {"pdt", -7}, {"jst", 9}, {"kst", 9}, {"hkt", 8}, {"sgt", 8},
	} {
		if is(tok, z.name) {
			return z.hours, true
		}
	}
	return 0, false
}

// monthOf reads an English month, abbreviated or not; 0 if it is none.
func monthOf(tok []byte) int {
	if len(tok) < 3 {
		return 0
	}
	for i, m := range [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"} {
		if is(tok[:3], m) {
			return i + 1
		}
	}
	return 0
}

func number(tok []byte) (n, digits int) {
	for _, c := range tok {
		if c < '0' || c > '9' || digits == 9 {
			break
		}
		n = n*10 + int(c-'0')
		digits++
	}
	return n, digits
}

func (p *dateParser) time() time.Time {
	y := p.year
	switch p.yearDigits { // RFC 5322 §4.3
	case 1, 2:
		if y < 50 {
			y += 2000
		} else {
			y += 1900
		}
	case 3:
		y += 1900
	}
	if p.pm && p.hour < 12 {
		p.hour += 12
	}
	if p.am && p.hour == 12 {
		p.hour = 0
	}
	if y < minYear || y > maxYear || p.month < 1 || p.month > 12 || p.day < 1 || p.day > 31 {
		return time.Time{}
	}
	loc := time.UTC
	if p.offset != 0 {
		loc = time.FixedZone("", p.offset)
	}
	t := time.Date(y, time.Month(p.month), p.day, p.hour, p.minute, p.sec, 0, loc)
	if t.Day() != p.day && p.hour < 24 { // the 31st of February
		return time.Time{}
	}
	return t
}
