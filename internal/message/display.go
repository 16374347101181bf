package message

import (
	"strings"

	"tidings/internal/safetext"
)

// Field is one header field as a person reads it.
type Field struct {
	Name  safetext.Text
	Value safetext.Text
}

// Fields are the header fields that are shown above the text: From, To, Cc,
// Date, Subject; those that the message lacks are left out.
func (h *Header) Fields() []Field {
	var out []Field
	add := func(name, value safetext.Text) {
		if !value.IsEmpty() {
			out = append(out, Field{name, value})
		}
	}
	add(safetext.Const("From"), addressList(h.From))
	add(safetext.Const("To"), addressList(h.To))
	add(safetext.Const("Cc"), addressList(h.Cc))
	if !h.Date.IsZero() {
		add(safetext.Const("Date"), safetext.Time(h.Date, "Mon, 2 Jan 2006 15:04:05 -0700"))
	}
	add(safetext.Const("Subject"), safetext.Clean(h.Subject))
	return out
}

func addressList(as []Address) safetext.Text {
	ts := make([]safetext.Text, 0, len(as))
	for _, a := range as {
		ts = append(ts, a.Text())
	}
	return safetext.Join(ts, ", ")
}

// Text is the address for the screen: name and address. The address is always
// there where the message has one, whatever the name pretends to be.
func (a Address) Text() safetext.Text {
	name, addr := safetext.Clean(a.Name).TrimSpace(), safetext.Clean(a.Address)
	switch {
	case addr.IsEmpty():
		return name
	case name.IsEmpty() || name == addr:
		return addr
	}
	return safetext.Format("%s <%s>", name, addr)
}

// Poses reports whether the name shows an address of another domain than the
// message claims to come from, as in "boss@bank.example" <x@elsewhere.example>.
// A list that has room for one of the two shows the address then.
func (a Address) Poses() bool {
	at := strings.LastIndexByte(a.Address, '@')
	domain := a.Address[at+1:]
	for rest := a.Name; ; {
		i := strings.IndexByte(rest, '@')
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		end := strings.IndexFunc(rest, func(r rune) bool {
			return r <= ' ' || strings.ContainsRune("<>()[]\"',;:\u00a0", r)
		})
		if end < 0 {
			end = len(rest)
		}
		named := strings.TrimRight(rest[:end], ".")
		if strings.IndexByte(named, '.') > 0 && !strings.EqualFold(named, domain) {
			return true
		}
	}
}

// Text returns the readable text, lines joined by newlines, quoting as "> ".
func (m *Message) Text() string {
	var b strings.Builder
	for i, l := range m.Lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for q := 0; q < l.Quote; q++ {
			b.WriteByte('>')
			if q == l.Quote-1 && l.Text.IsEmpty() {
				break
			}
			b.WriteByte(' ')
		}
		b.WriteString(l.Text.String())
	}
	return b.String()
}
