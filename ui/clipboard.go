package ui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"tidings/internal/safetext"
	"tidings/store"
)

// maxCopy is how many octets go to the clipboard: the base64 of more is longer
// than the 100,000 characters that several terminals take at most.
const maxCopy = 74_994

// copyMenu offers what can be copied of a message.
func (m *Model) copyMenu(a *account) {
	subject, sender, id := "", "", ""
	open := m.reading && a.reader != nil
	if uid, ok := m.selected(a, open); !ok {
		return
	} else if s := a.sums.Get(uid); s != nil {
		subject, id = s.Subject.String(), s.MessageID
		if len(s.From) > 0 {
			sender = s.From[0].Addr.String()
		}
	}
	if open {
		if r := a.reader.letter(); r.msg != nil {
			subject, id, sender = r.msg.Subject, r.msg.MessageID, ""
			if len(r.msg.From) > 0 {
				sender = r.msg.From[0].Address
			}
		}
	}
	q := &menu{label: "Copy", a: a}
	add := func(key, word ink, text string) {
		if text == "" {
			return
		}
		q.items = append(q.items, choice{
			key: key, row: []span{own(sPlain, word+"  "), said(sDim, safetext.Clean(text))},
			do: func(m *Model) { m.copyText(a, word, text) },
		})
	}
	add("s", "the subject", subject)
	add("f", "the sender's address", sender)
	if id != "" {
		add("i", "the Message-ID", "<"+id+">")
	}
	q.items = append(q.items,
		choice{key: "l", word: "a link", do: func(m *Model) { m.links(a, true) }},
		choice{key: "t", word: "the text", do: func(m *Model) {
			m.withShown(a, func(m *Model, a *account, r *reader) { m.copyText(a, "the text", r.msg.Text()) })
		}},
	)
	m.menu = q
}

// copyText puts outside text into the clipboard of the terminal. Whether that
// takes it, it does not tell.
func (m *Model) copyText(a *account, what ink, text string) {
	clean, cut := forClipboard(text)
	m.later(tea.Raw(clipboardSequence(environment(m.opts.Environ), clean)))
	line := []span{own(sDim, "copied "+what+" to the terminal's clipboard")}
	if cut {
		line = append(line, own(sWarn, ": the first "+ink(octets(int64(len(clean))))+" of "+ink(octets(int64(len(text))))+", terminals take no more"))
	} else if !strings.Contains(clean, "\n") {
		line = append(line, own(sDim, ": "), said(sPlain, safetext.Clean(clean)))
	}
	m.say(a, line...)
}

// selected is the message that is meant where nothing is done to it: one that is
// open may be gone from the server.
func (m *Model) selected(a *account, open bool) (store.UID, bool) {
	if open {
		return a.reader.uid, true
	}
	return m.aim(a)
}

// forClipboard makes a text safe to be pasted, and no longer than terminals take.
func forClipboard(text string) (clean string, cut bool) {
	if lines := strings.Split(text, "\n"); len(lines) > 1 {
		for i, l := range lines {
			lines[i] = safetext.Clean(l).String()
		}
		text = strings.Join(lines, "\n")
	} else {
		text = safetext.Clean(text).String()
	}
	if len(text) <= maxCopy {
		return text, false
	}
	n := maxCopy
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n], true
}

// clipboardSequence is OSC 52, for the terminal and for what is between us and it.
// tmux takes the plain one where set-clipboard is on, and hands the wrapped one
// through to its own terminal where allow-passthrough is; each is ignored
// otherwise. screen knows the wrapped one alone, in pieces.
func clipboardSequence(env map[string]string, text string) string {
	plain := ansi.SetSystemClipboard(text)
	switch {
	case env["TMUX"] != "" || strings.HasPrefix(env["TERM"], "tmux"):
		return plain + ansi.TmuxPassthrough(plain)
	case env["STY"] != "":
		return ansi.ScreenPassthrough(plain, 768)
	}
	return plain
}
