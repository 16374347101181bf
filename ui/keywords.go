package ui

import (
	"slices"
	"strings"

	"tidings/internal/safetext"
	"tidings/store"
)

// Keyword is a flag of the person's own: how the server has it, what it is called
// on screen, and in which colour.
type Keyword struct {
	Name  string // as IMAP has it: "$Label1"
	Label safetext.Text
	Color string // red, yellow, green, cyan, blue, magenta or gray; "" : none
}

// keywordStyles are the styles of the colours.
var keywordStyles = map[string]style{
	"red": sTagRed, "yellow": sTagYellow, "green": sTagGreen, "cyan": sTagCyan,
	"blue": sTagBlue, "magenta": sTagMagenta, "gray": sDim,
}

// permits tells whether the mailbox takes a flag for good.
func (a *account) permits(name string) bool {
	return a.anyKeyword || slices.ContainsFunc(a.permanent, func(f string) bool { return strings.EqualFold(f, name) })
}

// drawKeywords draws those of a message that have a label.
func drawKeywords(p *pen, labels []Keyword, f store.Flags) {
	if len(labels) == 0 || len(f.Keywords()) == 0 {
		return
	}
	for _, k := range labels {
		if f.HasKeyword(k.Name) {
			s := keywordStyles[k.Color]
			p.ink(s, "[")
			p.text(s, k.Label, min(12, p.room))
			p.ink(s, "]")
			p.gap(sPlain, 1)
		}
	}
}

// keywordMenu offers the flags that messages can have, answered and keywords, to be
// set (or taken away where all have them), or only to be taken away (off).
func (m *Model) keywordMenu(a *account, off bool) {
	uids, ok := m.mayChange(a)
	if !ok {
		return
	}
	q := &menu{label: "Label", a: a}
	if off {
		q.label = "Take a label away from"
	}
	if len(uids) > 1 {
		q.label += " " + counted(len(uids))
	} else {
		q.what = a.subject(uids[0])
	}
	add := func(key ink, name string, label safetext.Text) {
		lack, have := a.splitBy(uids, name)
		q.add(choice{key: key, text: label, now: len(have) > 0 && (off || len(lack) == 0), do: func(m *Model) { m.label(a, uids, name, label, off) }})
	}
	add("a", `\Answered`, safetext.Const("answered"))
	for i, k := range m.opts.Keywords {
		if i == 9 {
			break
		}
		add(ink(rune('1'+i)), k.Name, k.Label)
	}
	command := "keyword "
	if off {
		command = "unkeyword "
	}
	q.add(choice{key: "k", word: "another keyword, by its name", do: func(m *Model) {
		m.openCommand()
		m.command.set(command)
	}})
	q.pick = 0
	m.menu = q
}

// label sets a flag on messages, or takes it away where all have it; off takes it
// away from those that have it.
func (m *Model) label(a *account, uids []store.UID, name string, label safetext.Text, off bool) {
	if !off && !a.permits(name) {
		m.say(a, own(sWarn, "the server keeps no "), said(sBold, label), own(sWarn, " in this mailbox: nothing was done"))
		return
	}
	lack, have := a.splitBy(uids, name)
	var d *deed
	switch {
	case len(lack) > 0 && !off:
		d = m.setFlags(a, lack, []string{name}, nil, "marked")
	case len(lack) > 0 && len(have) == 0:
		m.say(a, own(sDim, plural(len(uids), "that message is", "none of those messages is")+plural(len(uids), " not", "")+" marked "), said(sBold, label))
		return
	case len(have) > 0:
		d = m.setFlags(a, have, nil, []string{name}, "no longer marked")
	default:
		m.say(a, own(sWarn, "the flags are not known yet: nothing was done"))
		return
	}
	d.dest = label
}

// toKeyword is the command that sets a keyword by its name, or by its label.
func toKeyword(m *Model, a *account, arg string) error { return byName(m, a, arg, false) }

// toUnkeyword is the one that takes it away.
func toUnkeyword(m *Model, a *account, arg string) error { return byName(m, a, arg, true) }

func byName(m *Model, a *account, arg string, off bool) error {
	name, label := arg, safetext.Clean(arg)
	for _, k := range m.opts.Keywords {
		if strings.EqualFold(k.Label.String(), arg) || strings.EqualFold(k.Name, arg) {
			name, label = k.Name, k.Label
		}
	}
	if strings.HasPrefix(name, `\`) || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	}) {
		return wrong{"is no keyword; it is one word of plain letters, digits and signs such as $ - _", arg}
	}
	if uids, ok := m.mayChange(a); ok {
		m.label(a, uids, name, label, off)
	}
	return nil
}

// keywordNames are what :keyword may be given.
func keywordNames(m *Model, a *account) []string {
	var names []string
	for _, k := range m.opts.Keywords {
		names = append(names, k.Label.String())
	}
	for _, name := range a.permanent {
		if !strings.HasPrefix(name, `\`) && !slices.ContainsFunc(m.opts.Keywords, func(k Keyword) bool { return strings.EqualFold(k.Name, name) }) {
			names = append(names, name)
		}
	}
	return names
}
