package ui

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync/atomic"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// attachments offers the parts of a message that can be saved, opened and read.
func (m *Model) attachments(a *account) {
	m.withPieces(a, func(m *Model, a *account, r *reader, p pieces) {
		if len(p.list) == 0 {
			m.say(a, own(sDim, "nothing is attached to this message"))
			return
		}
		q := &menu{label: "Attachments", a: a}
		for _, x := range p.list {
			about := ink("  ")
			if x.remote != nil {
				about = "  about " // the server says how long it is encoded
			}
			q.items = append(q.items, choice{row: []span{
				said(sPlain, partTitle(x.Attachment)), own(sPlain, "  "), said(sDim, safetext.Clean(x.Type)), own(sDim, about+ink(octets(x.Size))),
			}})
		}
		// None of these keys does harm where the menu has not come up yet.
		q.verbs = []verb{
			{"s", "save", func(m *Model, i int) { m.saveParts(a, p.one(i), "") }},
			{"A", "all", func(m *Model, _ int) { m.saveParts(a, p, "") }},
			{"o", "open", func(m *Model, i int) { m.openPart(a, p.one(i)) }},
			{"v", "view", func(m *Model, i int) { m.viewPart(a, r, p.one(i)) }},
		}
		m.menu = q
	})
}

// saveAll saves all attachments into a folder.
func (m *Model) saveAll(a *account, dir string) {
	m.withPieces(a, func(m *Model, a *account, _ *reader, p pieces) {
		if len(p.list) == 0 {
			m.say(a, own(sDim, "nothing is attached to this message"))
			return
		}
		m.saveParts(a, p, dir)
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
	if b, ok := message.Content(data, x); ok {
		return b, nil
	}
	return nil, errNoPart
}

// saveParts writes parts into files.
func (m *Model) saveParts(a *account, p pieces, dir string) {
	ways, about := m.opts.Ways, partTitle(p.list[0].Attachment)
	if len(p.list) > 1 {
		about = safetext.Format("%s attachments", safetext.Int(len(p.list)))
	}
	m.startOf(a, "saving", about, p.encoded(), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
		var out saved
		for i := range p.list {
			x := &p.list[i]
			path := ""
			note, err := p.with(ctx, x, came, func(from io.Reader) (err error) {
				name, from := x.called(from)
				path, err = ways.Save(ctx, dir, name, from)
				return err
			})
			out.add(path, partTitle(x.Attachment), note, err)
			if ctx.Err() != nil {
				break
			}
		}
		return func(m *Model, a *account) { m.sayFiles(a, out) }
	})
}

// saved is what came of writing files.
type saved struct {
	paths  []string
	failed int
	about  safetext.Text // the first that was not written, and
	err    error         // why
	note   safetext.Text // what there is to tell of one that was
}

func (s *saved) add(path string, about, note safetext.Text, err error) {
	switch {
	case err == nil:
		s.paths = append(s.paths, path)
		if !note.IsEmpty() {
			s.note = safetext.Format("%s: %s", about, note)
		}
		return
	case s.failed == 0:
		s.about, s.err = about, err
	}
	s.failed++
}

// sayFiles says which files were written, and which were not.
func (m *Model) sayFiles(a *account, s saved) {
	var line []span
	switch len(s.paths) {
	case 0:
	case 1:
		line = []span{own(sGood, "saved "), said(sPlain, safetext.Clean(s.paths[0]))}
	default:
		line = []span{own(sGood, "saved "+ink(thousands(len(s.paths)))+" files in "), said(sPlain, safetext.Clean(filepath.Dir(s.paths[0])))}
	}
	if s.failed > 0 {
		if len(line) > 0 {
			line = append(line, own(sDim, "; "))
		}
		if errors.Is(s.err, context.Canceled) {
			line = append(line, own(sWarn, "stopped before "), said(sPlain, s.about))
		} else {
			line = append(line, own(sBad, "not saved: "), said(sPlain, s.about), own(sBad, ": "), said(sPlain, safetext.Clean(s.err.Error())))
		}
		if s.failed > 1 {
			line = append(line, own(sDim, " (and "+ink(thousands(s.failed-1))+" more)"))
		}
	}
	if !s.note.IsEmpty() {
		line = append(line, own(sWarn, "; but "), said(sWarn, s.note))
	}
	m.say(a, line...)
}

// openPart hands a part to the program for its type.
func (m *Model) openPart(a *account, p pieces) {
	ways, x := m.opts.Ways, &p.list[0]
	m.startOf(a, "opening", partTitle(x.Attachment), p.encoded(), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
		_, err := p.with(ctx, x, came, func(from io.Reader) error {
			name, from := x.called(from)
			return ways.Open(ctx, name, x.Type, from)
		})
		return opened(partTitle(x.Attachment), err)
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
func (m *Model) viewPart(a *account, r *reader, p pieces) {
	x := p.list[0]
	m.startOf(a, "reading", partTitle(x.Attachment), min(p.encoded(), viewSize), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
		seen, err := p.view(ctx, &x, false, came)
		return func(m *Model, a *account) {
			switch {
			case errors.Is(err, errNoText):
				m.say(a, own(sWarn, "this is no text: "), own(sBold, "o"), own(sWarn, " opens it in another program, "), own(sBold, "s"), own(sWarn, " saves it"))
			case errors.Is(err, context.Canceled):
				m.say(a, own(sWarn, "stopped"))
			case err != nil:
				m.sayFailed(a, "it cannot be shown: ", err)
			case a.reader != nil && a.reader.letter() == r && m.account() == a:
				in := excerpt{title: partTitle(x.Attachment), data: seen.data, bare: !x.isLetter(), made: func() *message.Message { return seen.msg }}
				if x.isLetter() {
					in.title = safetext.Format("attached: %s", safetext.Clean(seen.msg.Subject))
				}
				if seen.cut {
					in.of, in.piece = max(x.Size, int64(len(seen.data))+1), &x
				}
				m.openInside(a, in)
			}
		}
	})
}
