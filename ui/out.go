package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// pipeMenu offers what of a message may be given to a command.
func (m *Model) pipeMenu(a *account) {
	q := &menu{label: "Pipe", a: a}
	for _, c := range [...]struct{ key, word, typed ink }{
		{"m", "the message as it came, to a command", "pipe "},
		{"t", "its text, to a command", "pipetext "},
		{"p", "its text, to a command that takes the screen", "pager "},
	} {
		q.items = append(q.items, choice{key: c.key, word: c.word, do: func(m *Model) {
			m.openCommand()
			m.command.set(string(c.typed))
		}})
	}
	m.menu = q
}

// pipeRaw gives the message, or what is shown of its inside, to a command.
func pipeRaw(m *Model, a *account, line string) error {
	m.withLetter(a, func(m *Model, a *account, r *reader) { m.pipe(a, line, r.data) })
	return nil
}

// pipeText gives a command what can be read.
func pipeText(m *Model, a *account, line string) error {
	m.withLetter(a, func(m *Model, a *account, r *reader) { m.pipe(a, line, readable(r)) })
	return nil
}

// pageText gives what can be read to a command that takes the screen.
func pageText(m *Model, a *account, line string) error {
	m.withLetter(a, func(m *Model, a *account, r *reader) {
		data, ways := readable(r), m.opts.Ways
		m.lend(a, "running", safetext.Clean(line), func(ctx context.Context) error {
			return ways.Foreground(ctx, line, data)
		}, func(err error) func(*Model, *account) {
			return func(m *Model, a *account) {
				if err != nil {
					m.sayFailed(a, "the command failed: ", err)
				}
			}
		})
	})
	return nil
}

// readable is the text of what is shown, with the main fields of its header.
func readable(r *reader) []byte {
	var b bytes.Buffer
	if !r.bare {
		for _, f := range r.msg.Fields() {
			b.WriteString(f.Name.String() + ": " + f.Value.String() + "\n")
		}
		b.WriteByte('\n')
	}
	b.WriteString(strings.TrimRight(r.msg.Text(), "\n") + "\n")
	return b.Bytes()
}

// pipe gives data to a command and shows what it printed.
func (m *Model) pipe(a *account, line string, data []byte) {
	at, ways, about := a.reader, m.opts.Ways, safetext.Clean(line)
	m.start(a, "running", about, func(ctx context.Context) func(*Model, *account) {
		printed, err := ways.Pipe(ctx, line, data)
		lines := message.Source(printed, false)
		return func(m *Model, a *account) {
			switch {
			case errors.Is(err, context.Canceled):
				m.say(a, own(sWarn, "stopped: "), said(sPlain, about))
				return
			case err != nil:
				m.sayFailed(a, "the command failed: ", err)
			case len(lines) == 0:
				m.say(a, own(sDim, "done, it printed nothing: "), said(sPlain, about))
			case len(lines) == 1:
				m.say(a, own(sDim, "it printed: "), said(sPlain, lines[0].Text))
			}
			if len(lines) > 1 && a.reader == at && m.account() == a {
				m.openInside(a, excerpt{title: safetext.Format("| %s", about), data: printed, bare: true,
					made: func() *message.Message { return &message.Message{Lines: lines} }})
			}
		}
	})
}

// sourceMenu offers the message as it came.
func (m *Model) sourceMenu(a *account) {
	q := &menu{label: "View", a: a}
	q.items = []choice{
		{key: "h", word: "all headers", do: func(m *Model) { m.source(a, "all headers", true) }},
		{key: "s", word: "the source", do: func(m *Model) { m.source(a, "source", false) }},
	}
	m.menu = q
}

// source shows the message as it came, or its header alone.
func (m *Model) source(a *account, title ink, headerOnly bool) {
	m.withShown(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		data, of := r.data, int64(0)
		if headerOnly {
			data = message.HeaderOf(data)
		}
		if r.truncated && len(data) == len(r.data) {
			of = r.size
		}
		m.openInside(a, excerpt{title: safetext.Clean(string(title)), data: data, bare: true, of: of, made: func() *message.Message {
			return &message.Message{Lines: message.Source(data, headerOnly)}
		}})
	})
}

// exportMenu offers forms of a message in a file, and other programs to open it.
func (m *Model) exportMenu(a *account) {
	q := &menu{label: "Export", a: a}
	if n := a.marked.count(); n > 0 && !(m.reading && a.reader != nil) {
		q.items = []choice{{key: "m", word: "all " + ink(thousands(n)) + " marked messages as one mbox", do: func(m *Model) { m.exportMarked(a) }}}
		m.menu = q
		return
	}
	q.items = []choice{
		{key: "e", word: "as a file of its own (.eml)", do: func(m *Model) { m.export(a, "", false) }},
		{key: "m", word: "as an mbox", do: func(m *Model) { m.export(a, "", true) }},
		{key: "o", word: "open it in another program", do: func(m *Model) { m.openLetter(a) }},
	}
	m.menu = q
}

// export writes the message into a file in dir ("": where the config says).
func (m *Model) export(a *account, dir string, mbox bool) {
	m.withShown(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		ways, p, name := m.opts.Ways, a.wholeLetter(r), letterName(r.msg.Subject)
		l := outgoing(r)
		m.startOf(a, "saving", safetext.Clean(name), p.encoded(), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
			var path string
			note, err := p.with(ctx, &p.list[0], came, func(from io.Reader) (err error) {
				if l.From = from; mbox {
					path, err = ways.SaveMbox(ctx, dir, strings.TrimSuffix(name, ".eml")+".mbox", []Letter{l})
				} else {
					path, err = ways.Save(ctx, dir, name, from)
				}
				return err
			})
			return func(m *Model, a *account) {
				var s saved
				s.add(path, safetext.Clean(name), note, err)
				m.sayFiles(a, s)
			}
		})
	})
}

// outgoing is what an mbox says of the message.
func outgoing(r *reader) Letter {
	l := Letter{Date: r.msg.Date}
	if len(r.msg.From) > 0 {
		l.Sender = r.msg.From[0].Address
	}
	if r.parent == nil && r.summary != nil && !r.summary.Internal.IsZero() {
		l.Date = r.summary.Internal
	}
	return l
}

// openLetter hands the message to the program for messages.
func (m *Model) openLetter(a *account) {
	m.withShown(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		ways, p, name := m.opts.Ways, a.wholeLetter(r), letterName(r.msg.Subject)
		m.startOf(a, "opening", safetext.Clean(name), p.encoded(), func(ctx context.Context, came *atomic.Int64) func(*Model, *account) {
			_, err := p.with(ctx, &p.list[0], came, func(from io.Reader) error {
				return ways.Open(ctx, name, "message/rfc822", from)
			})
			return opened(safetext.Clean(name), err)
		})
	})
}
