package ui

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

// piece is a part of a message that can be saved, opened and read. Of a message
// that was cut for display it is still on the server, and fetched by itself.
type piece struct {
	message.Attachment
	remote *message.Remote
	there  bool // what it holds is known already:
	data   []byte
}

// encoded is how many octets it is fetched in, 0 where it is at hand or that is not
// known.
func (x *piece) encoded() int64 {
	if x.remote == nil {
		return 0
	}
	return max(x.remote.Octets, 0)
}

// isLetter tells whether it is a message.
func (x *piece) isLetter() bool { return x.Type == "message/rfc822" || x.Type == "message/global" }

// pieces are the parts of a letter, and where they are taken from. Any goroutine may
// read them.
type pieces struct {
	list    []piece
	data    []byte // of the letter, where it is at hand
	session Session
	target  imapsession.Target
}

// localPieces are those of a letter that is at hand.
func localPieces(r *reader) pieces {
	p := pieces{data: r.data}
	for _, x := range r.msg.Attachments {
		p.list = append(p.list, piece{Attachment: x})
	}
	return p
}

// wholeLetter is a letter as the only piece of itself: what is missing of it is
// fetched when it is read, and not kept.
func (a *account) wholeLetter(r *reader) pieces {
	p := pieces{session: a.cfg.Session, target: a.targetOf(r)}
	switch {
	case !r.truncated:
		p.list = []piece{{data: r.data[:len(r.data):len(r.data)], there: true}}
	case r.piece != nil:
		p.list = []piece{*r.piece}
	default:
		p.list = []piece{{remote: &message.Remote{Octets: r.size}}}
	}
	return p
}

// one is p with one part alone.
func (p pieces) one(i int) pieces {
	p.list = p.list[i : i+1]
	return p
}

// encoded is how many octets they are fetched in.
func (p *pieces) encoded() (n int64) {
	for i := range p.list {
		n += p.list[i].encoded()
	}
	return n
}

// flow is what comes of a part that is fetched.
type flow struct {
	*imapsession.Stream
	came *atomic.Int64
	end  func()
}

func (f *flow) Read(p []byte) (int, error) {
	n, err := f.Stream.Read(p)
	f.came.Add(int64(n))
	return n, err
}

// fetch has the session fetch a part, limit octets of it at most (0: all), until ctx
// ends or end is called. What is read of it counts as progress of the task.
func (p *pieces) fetch(ctx context.Context, x *piece, limit int64, came *atomic.Int64) *flow {
	s := imapsession.NewStream()
	id := p.session.Do(imapsession.FetchPart{
		Target: p.target, Section: x.Section, Octets: x.remote.Octets, Limit: limit, Into: s,
	})
	stop := context.AfterFunc(ctx, func() { s.Close(ctx.Err()) })
	return &flow{s, came, func() {
		stop()
		p.session.Cancel(id)
	}}
}

// with calls f with the contents of a part, decoded. What is told of them, and not
// an error, is told behind f.
func (p *pieces) with(ctx context.Context, x *piece, came *atomic.Int64, f func(io.Reader) error) (note safetext.Text, err error) {
	if x.there {
		return note, f(bytes.NewReader(x.data))
	}
	if x.remote == nil {
		b, err := content(p.data, x.Attachment)
		if err != nil {
			return note, err
		}
		if x.Cut {
			note = safetext.Const("the message ends before it does")
		}
		return note, f(bytes.NewReader(b))
	}
	from := p.fetch(ctx, x, 0, came)
	defer from.end()
	err = f(x.remote.Decode(from))
	return from.Note(), err
}

// sniffSize is how much is fetched of a part whose type is none of text, to see
// whether it is; viewSize how much of one that is.
const (
	sniffSize = 16 << 10
	viewSize  = 2 << 20
)

// sight is what is shown of a part.
type sight struct {
	msg  *message.Message
	data []byte // the part, decoded, or what is there of it
	cut  bool
}

var errNoText = errors.New("this is no text")

// view makes a part readable: errNoText where it is no text. Of a part that is
// fetched, it is the beginning, unless all of it is asked for.
func (p *pieces) view(ctx context.Context, x *piece, all bool, came *atomic.Int64) (s sight, err error) {
	if x.remote == nil {
		data, err := content(p.data, x.Attachment)
		if err != nil {
			return sight{}, err
		}
		msg, ok := message.ViewAttachment(p.data, x.Attachment)
		if !ok {
			return sight{}, errNoText
		}
		return sight{msg: msg, data: data}, nil
	}
	size := int64(viewSize)
	switch {
	case all:
		size = maxWhole
	case !x.remote.IsText():
		size = sniffSize
	}
	var body []byte
	for {
		if body, s.cut, err = p.read(ctx, x, size, came); err != nil {
			return sight{}, err
		}
		ok := false
		if s.msg, ok = x.remote.View(body, s.cut); !ok {
			return sight{}, errNoText
		}
		if !s.cut || size > sniffSize {
			break
		}
		size = viewSize
	}
	if x.isLetter() {
		s.data, _ = x.remote.Letter(body)
		return s, nil
	}
	s.data, err = io.ReadAll(x.remote.Decode(bytes.NewReader(body)))
	return s, err
}

// read fetches the beginning of a part; cut tells that it is not all of it.
func (p *pieces) read(ctx context.Context, x *piece, limit int64, came *atomic.Int64) (body []byte, cut bool, err error) {
	from := p.fetch(ctx, x, limit, came)
	defer from.end()
	body, err = io.ReadAll(from)
	return body, int64(len(body)) >= limit && int64(len(body)) != x.remote.Octets, err
}

// called is what to call the file of a part, and the part with what was read of it
// put back.
func (x *piece) called(from io.Reader) (string, io.Reader) {
	if x.Name != "" || !x.isLetter() {
		return fileName(x.Attachment, nil), from
	}
	b := bufio.NewReaderSize(from, 64<<10)
	head, _ := b.Peek(64 << 10)
	return fileName(x.Attachment, head), b
}

// withPieces calls f with the parts of the letter that is meant, as withLetter does.
// A letter that was cut for display is not fetched for it: the server is asked what
// it is made of.
func (m *Model) withPieces(a *account, f func(*Model, *account, *reader, pieces)) {
	m.withShown(a, func(m *Model, a *account, r *reader) {
		r = r.letter()
		if !r.truncated {
			f(m, a, r, localPieces(r))
			return
		}
		m.withStructure(a, r, func(m *Model, a *account, r *reader) {
			p := pieces{session: a.cfg.Session, target: a.targetOf(r)}
			for _, x := range r.outermost().parts {
				if withinSection(x.Section, r.section) {
					p.list = append(p.list, piece{Attachment: x.Attachment, remote: &x})
				}
			}
			f(m, a, r, p)
		}, func(m *Model, a *account, r *reader) { f(m, a, r, localPieces(r)) })
	})
}

// withinSection tells whether a section is within another, "" being the whole message.
func withinSection(section, outer string) bool {
	return outer == "" || len(section) > len(outer) && section[:len(outer)] == outer && section[len(outer)] == '.'
}

// targetOf is the message that a reader is about, or about a part of which.
func (a *account) targetOf(r *reader) imapsession.Target {
	t := a.target(r.uid)
	t.UIDValidity = r.validity
	return t
}

// structureAnswer is what came of asking for a message's structure.
type structureAnswer struct {
	event imapsession.StructureEvent
	err   error
}

// withStructure calls f when it is known what a message is made of; where the server
// does not say it clearly, whole, which has to find out from all of it.
func (m *Model) withStructure(a *account, r *reader, f, whole func(*Model, *account, *reader)) {
	outer := r.outermost()
	switch {
	case outer.structured:
		f(m, a, r)
		return
	case m.opts.Ways == nil || m.task != nil:
		m.start(a, "", safetext.Text{}, nil) // says why not
		return
	}
	session, answer := a.cfg.Session, make(chan structureAnswer, 1)
	id := session.Do(imapsession.FetchStructure{Target: a.targetOf(r)})
	a.jobs[id] = job{kind: jobStructure, subject: a.subject(r.uid), answer: answer}
	m.start(a, "asking what is in", a.subjectOf(outer), func(ctx context.Context) func(*Model, *account) {
		var got structureAnswer
		select {
		case got = <-answer:
		case <-ctx.Done():
			session.Cancel(id)
			return func(m *Model, a *account) { m.say(a, own(sWarn, "stopped")) }
		}
		return func(m *Model, a *account) {
			switch {
			case got.err != nil && !errors.Is(got.err, imapsession.ErrNoStructure):
				m.sayFailed(a, "it is not known what is attached: ", got.err)
			case !m.reading || a.reader == nil || a.reader.letter() != r: // the person has gone on
			case got.err != nil || !agrees(outer.msg, got.event):
				m.say(a, own(sWarn, "fetching all of it, "+ink(octets(outer.size))+", Esc stops it: the server does not say clearly what is in it"))
				m.withLetter(a, func(m *Model, a *account, r *reader) { whole(m, a, r.letter()) })
			default:
				outer.structured, outer.parts = true, got.event.Parts
				m.withShown(a, func(m *Model, a *account, r *reader) { f(m, a, r.letter()) })
			}
		}
	})
}

// agrees tells whether the server takes a message for what its beginning shows to
// us: or its numbers would be those of other parts.
func agrees(msg *message.Message, ev imapsession.StructureEvent) bool {
	if msg == nil || strings.HasPrefix(msg.ContentType, "multipart/") != strings.HasPrefix(ev.Type, "multipart/") {
		return false
	}
	types := make(map[string]string, len(ev.Parts))
	for i := range ev.Parts {
		types[ev.Parts[i].Section] = ev.Parts[i].Type
	}
	for _, x := range msg.Attachments {
		header := x.Cut && x.Size == 0 // of which perhaps not all is there
		if x.Section != "" && x.File == 0 && !header && types[x.Section] != x.Type {
			return false
		}
	}
	return true
}
