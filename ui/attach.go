package ui

import (
	"context"
	"errors"
	"path/filepath"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// attachments offers the parts of a message that can be saved, opened and read.
func (m *Model) attachments(a *account) {
	m.withLetter(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		parts := r.msg.Attachments
		if len(parts) == 0 {
			m.say(a, own(sDim, "nothing is attached to this message"))
			return
		}
		q := &menu{label: "Attachments", a: a}
		for _, x := range parts {
			q.items = append(q.items, choice{row: []span{
				said(sPlain, partTitle(x)), own(sPlain, "  "), said(sDim, safetext.Clean(x.Type)), own(sDim, "  "+ink(octets(x.Size))),
			}})
		}
		// None of these keys does harm where the menu has not come up yet.
		q.verbs = []verb{
			{"s", "save", func(m *Model, i int) { m.saveParts(a, r, parts[i:i+1], "") }},
			{"A", "all", func(m *Model, _ int) { m.saveParts(a, r, parts, "") }},
			{"o", "open", func(m *Model, i int) { m.openPart(a, r, parts[i]) }},
			{"v", "view", func(m *Model, i int) { m.viewPart(a, r, parts[i]) }},
		}
		m.menu = q
	})
}

// saveAll saves all attachments into a folder.
func (m *Model) saveAll(a *account, dir string) {
	m.withLetter(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		if len(r.msg.Attachments) == 0 {
			m.say(a, own(sDim, "nothing is attached to this message"))
			return
		}
		m.saveParts(a, r, r.msg.Attachments, dir)
	})
}

// partTitle is what a part is called on the screen.
func partTitle(x message.Attachment) safetext.Text {
	if name := safetext.Clean(x.Name).TrimSpace(); !name.IsEmpty() {
		return name
	}
	return safetext.Const("(no name)")
}

// endings are for parts whose sender gave them no name.
var endings = map[string]string{
	"text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "text/csv": ".csv",
	"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "application/pdf": ".pdf",
	"message/rfc822": ".eml", "message/global": ".eml", "application/zip": ".zip",
}

// fileName is what to call the file of a part.
func fileName(x message.Attachment, content []byte) string {
	end := endings[x.Type]
	switch {
	case x.Name != "":
		return x.Name
	case end == ".eml":
		return letterName(message.ParseHeader(content).Subject)
	}
	return "part " + x.Section + end
}

// letterName is what to call the file of a message.
func letterName(subject string) string {
	if safetext.Clean(subject).TrimSpace().IsEmpty() {
		return "message.eml"
	}
	// A subject is no path: what is behind its last slash would be the name.
	name := []rune(subject)
	for i, r := range name {
		if r == '/' || r == '\\' {
			name[i] = '-'
		}
	}
	return string(name) + ".eml"
}

var errNoPart = errors.New("it stands inside another part, and can only be taken out by the program that reads that")

// content is what is in a part of a message.
func content(data []byte, x message.Attachment) ([]byte, error) {
	if x.Section != "" {
		if b, ok := message.Section(data, x.Section); ok {
			return b, nil
		}
	}
	return nil, errNoPart
}

// saveParts writes parts into files.
func (m *Model) saveParts(a *account, r *reader, parts []message.Attachment, dir string) {
	data, ways := r.data, m.opts.Ways
	about := partTitle(parts[0])
	if len(parts) > 1 {
		about = safetext.Format("%s attachments", safetext.Int(len(parts)))
	}
	m.start(a, "saving", about, func(ctx context.Context) func(*Model, *account) {
		var saved []string
		var first error
		failed := 0
		for _, x := range parts {
			b, err := content(data, x)
			path := ""
			if err == nil {
				path, err = ways.Save(ctx, dir, fileName(x, b), b)
			}
			if err == nil {
				saved = append(saved, path)
				continue
			}
			if failed++; first == nil {
				first, about = err, partTitle(x)
			}
			if ctx.Err() != nil {
				break
			}
		}
		return func(m *Model, a *account) { m.sayFiles(a, saved, failed, about, first) }
	})
}

// sayFiles says which files were written, and which were not.
func (m *Model) sayFiles(a *account, saved []string, failed int, about safetext.Text, err error) {
	var line []span
	switch len(saved) {
	case 0:
	case 1:
		line = []span{own(sGood, "saved "), said(sPlain, safetext.Clean(saved[0]))}
	default:
		line = []span{own(sGood, "saved "+ink(thousands(len(saved)))+" files in "), said(sPlain, safetext.Clean(filepath.Dir(saved[0])))}
	}
	if failed > 0 {
		if len(line) > 0 {
			line = append(line, own(sDim, "; "))
		}
		if errors.Is(err, context.Canceled) {
			line = append(line, own(sWarn, "stopped before "), said(sPlain, about))
		} else {
			line = append(line, own(sBad, "not saved: "), said(sPlain, about), own(sBad, ": "), said(sPlain, safetext.Clean(err.Error())))
		}
		if failed > 1 {
			line = append(line, own(sDim, " (and "+ink(thousands(failed-1))+" more)"))
		}
	}
	m.say(a, line...)
}

// openPart hands a part to the program for its type.
func (m *Model) openPart(a *account, r *reader, x message.Attachment) {
	data, ways := r.data, m.opts.Ways
	m.start(a, "opening", partTitle(x), func(ctx context.Context) func(*Model, *account) {
		b, err := content(data, x)
		if err == nil {
			err = ways.Open(ctx, fileName(x, b), x.Type, b)
		}
		return opened(partTitle(x), err)
	})
}

// opened says what came of opening something.
func opened(what safetext.Text, err error) func(*Model, *account) {
	return func(m *Model, a *account) {
		switch {
		case errors.Is(err, context.Canceled):
			m.say(a, own(sWarn, "stopped: "), said(sPlain, what))
		case err != nil:
			m.say(a, own(sBad, "not opened: "), said(sPlain, what), own(sBad, ": "), said(sPlain, safetext.Clean(err.Error())))
		default:
			m.say(a, own(sDim, "opened: "), said(sPlain, what))
		}
	}
}

// viewPart shows a part that is text, or a message, in the reader.
func (m *Model) viewPart(a *account, r *reader, x message.Attachment) {
	data := r.data
	letter := x.Type == "message/rfc822" || x.Type == "message/global"
	m.start(a, "reading", partTitle(x), func(context.Context) func(*Model, *account) {
		b, err := content(data, x)
		seen, ok := message.View(data, x.Section)
		return func(m *Model, a *account) {
			switch {
			case err != nil:
				m.sayFailed(a, "it cannot be shown: ", err)
			case !ok:
				m.say(a, own(sWarn, "this is no text: "), own(sBold, "o"), own(sWarn, " opens it in another program, "), own(sBold, "s"), own(sWarn, " saves it"))
			case a.reader == r && m.account() == a:
				title := partTitle(x)
				if letter {
					title = safetext.Format("attached: %s", safetext.Clean(seen.Subject))
				}
				m.openInside(a, excerpt{title: title, data: b, bare: !letter, made: func() *message.Message { return seen }})
			}
		}
	})
}
