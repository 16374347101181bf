package ui

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

// fakeWays note what goes out.
type fakeWays struct {
	did  chan string
	fail error
	hang bool
}

func (w *fakeWays) note(ctx context.Context, format string, args ...any) error {
	if w.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if w.fail == nil {
		w.did <- fmt.Sprintf(format, args...)
	}
	return w.fail
}

func (w *fakeWays) Save(ctx context.Context, dir, name string, from io.Reader) (string, error) {
	data, err := io.ReadAll(from)
	if err != nil {
		return "", err
	}
	return "/saved/" + name, w.note(ctx, "save %q %q %q", dir, name, data)
}
func (w *fakeWays) SaveMbox(ctx context.Context, dir, name string, letters []Letter) (string, error) {
	var all []string
	for _, l := range letters {
		if l.Data == nil {
			var err error
			if l.Data, err = io.ReadAll(l.From); err != nil {
				return "", err
			}
		}
		all = append(all, fmt.Sprintf("%s %s %d", l.Sender, l.Date.UTC().Format(time.DateOnly), len(l.Data)))
	}
	return "/saved/" + name, w.note(ctx, "mbox %q %q %s", dir, name, strings.Join(all, "; "))
}
func (w *fakeWays) Open(ctx context.Context, name, mediaType string, from io.Reader) error {
	data, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return w.note(ctx, "open %q %s %q", name, mediaType, data)
}
func (w *fakeWays) OpenLink(ctx context.Context, url string) error {
	return w.note(ctx, "link %s", url)
}
func (w *fakeWays) Pipe(ctx context.Context, line string, data []byte) ([]byte, error) {
	return []byte("one\ntwo\n"), w.note(ctx, "pipe %q %d", line, len(data))
}
func (w *fakeWays) Foreground(ctx context.Context, line string, data []byte) error {
	return w.note(ctx, "front %q %q", line, data)
}

// went asserts what went out since it was asked last.
func (w *fakeWays) went(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for len(w.did) > 0 {
		got = append(got, <-w.did)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("out went\n%q, want\n%q", got, want)
	}
}

func withWays() (*fakeWays, func(*Options)) {
	w := &fakeWays{did: make(chan string, 100)}
	return w, func(o *Options) { o.Ways = w; o.Accounts[0].MarkSeen = -1 }
}

const parcel = `From: Alice <alice@example.org>
To: bob@example.org
Subject: Two files / and a letter
Date: Fri, 24 Nov 2000 13:05:00 +0000
Message-ID: <7@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<p>See <a href="https://evil.example.net/x">https://bank.example.com</a>,
<a href="https://xn--pypal-4ve.example/">this</a> and <a href="https://good.example.org/a">that</a>.
--b
Content-Type: text/plain; name=notes.txt
Content-Disposition: attachment; filename="../notes.txt"

some notes
--b
Content-Type: image/png; name=p.png
Content-Transfer-Encoding: base64

iVBORw==
--b
Content-Type: message/rfc822

From: carol@example.com
Subject: the inner one
Message-ID: <8@example.com>

inner text
--b--
`

// opens has the newest message opened, which is that.
func (p *person) opens(body string) {
	p.t.Helper()
	p.server().start(5)
	p.idle()
	p.press("enter")
	p.answerBody(body, true)
}

func TestAttachments(t *testing.T) {
	w, ways := withWays()
	for _, size := range [][2]int{{80, 24}, {40, 8}} {
		atScreen(t, size[0], size[1], func(p *person) {
			p.opens(parcel)
			p.press("s")
			p.sees("1  ../notes.txt", "2  p.png", "A all  o open  v view")
			p.press("enter")
			p.sees("saved /saved/../notes.txt")
			w.went(t, `save "" "../notes.txt" "some notes"`)
			p.press("s 2 o")
			w.went(t, `open "p.png" image/png "\x89PNG"`)
			p.press("s 2 v")
			p.sees("this is no text")
			p.press("s A")
			p.sees("saved 3 files")
			if n := len(w.did); n != 3 {
				t.Errorf("%d files were saved", n)
			}
			<-w.did
			<-w.did
			if got := <-w.did; !strings.HasPrefix(got, `save "" "the inner one.eml" "From: carol`) {
				t.Errorf("the message went as %s", got)
			}
			p.press("s 1 v")
			p.sees("notes.txt", "some notes")
			p.press("esc")
			p.sees("Two files")
			p.press(":")
			p.types("save /there")
			p.press("enter")
			if got := <-w.did; !strings.HasPrefix(got, `save "/there" `) {
				t.Errorf("%s", got)
			}
			for len(w.did) > 0 {
				<-w.did
			}
			// While something is typed, no menu comes up over it.
			p.press("esc enter")
			p.press("s :")
			p.types("a")
			p.answerBody(parcel, true)
			p.sees(":a")
			p.seesNot("A all")
			p.press("esc")
			p.sees("A all  o open  v view")
			p.press("esc")
			w.fail = errors.New("the disk is full")
			p.press("s A")
			p.sees("not saved: ")
			w.fail = nil
		}, ways)
	}
}

func TestALetterInALetter(t *testing.T) {
	w, ways := withWays()
	atScreen(t, 80, 24, func(p *person) {
		p.opens(parcel)
		p.press("s 3 v")
		p.sees("attached: the inner one", "carol@example.com", "inner text")
		p.seesNot("evil.example.net")
		p.press("e e")
		if got := <-w.did; !strings.HasPrefix(got, `save "" "the inner one.eml"`) {
			t.Errorf("%s", got)
		}
		p.press("y i")
		p.copied("<8@example.com>")
		before := len(p.server().pending())
		p.press("d")
		p.sees("part of another")
		if n := len(p.server().pending()); n != before {
			t.Errorf("%d commands, were %d", n, before)
		}
		p.press("v h")
		p.sees("all headers", "Message-ID: <8@example.com>")
		p.press("esc esc")
		p.sees("evil.example.net")
		p.press("esc")
		if p.m.account().reader != nil {
			t.Error("the reader is still open")
		}
	}, ways)
}

func TestLinks(t *testing.T) {
	w, ways := withWays()
	atScreen(t, 100, 24, func(p *person) {
		p.opens(parcel)
		p.sees("goes to evil.example.net", "p\u0430ypal.example")
		p.press("o")
		p.sees("1  evil.example.net  says https://bank.example.com", "2  xn--pypal-4ve.example  looks like p\u0430ypal.example", "3  good.example.org")
		p.press("3 enter")
		w.went(t, "link https://good.example.org/a")
		p.press("o enter")
		p.sees("Really goes to evil.example.net")
		p.press("enter") // leave it
		w.went(t)
		p.press("o 2 enter o")
		w.went(t, "link https://xn--pypal-4ve.example/")
		p.press("o 1 y")
		p.copied("https://evil.example.net/x")
		p.press("y l 3 enter")
		p.copied("https://good.example.org/a")
		w.went(t)
	}, ways)
}

// copied asserts what the clipboard holds by the sequences written so far.
func (p *person) copied(want string) {
	p.t.Helper()
	raw := strings.Join(p.raw, "")
	i := strings.LastIndex(raw, "\x1b]52;c;")
	if i < 0 {
		p.t.Errorf("nothing was copied")
		return
	}
	code, _, _ := strings.Cut(raw[i+7:], "\a")
	got, err := base64.StdEncoding.DecodeString(code)
	if err != nil || string(got) != want {
		p.t.Errorf("copied was %q (%v), want %q", got, err, want)
	}
}

func TestCopying(t *testing.T) {
	_, ways := withWays()
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.press("y s") // from the list, without a message being opened
		p.copied(p.m.account().subject(5).String())
		for _, c := range p.server().pending() {
			if _, ok := c.cmd.(imapsession.FetchBody); ok {
				t.Error("a message was fetched")
			}
		}
		p.press("enter")
		p.answerBody(letter, true)
		p.press("y s")
		p.copied("Deploy window tonight")
		p.press("y f")
		p.copied("alice@example.org")
		p.press("y i")
		p.copied("<1@example.org>")
		p.press("y t")
		p.sees("copied the text")
		p.press("esc")
		p.server().start(0)
	}, ways)
	if s, cut := forClipboard(strings.Repeat("ü\n", maxCopy)); !cut || len(s) > maxCopy || len(s) < maxCopy-2 {
		t.Errorf("%d octets, %v", len(s), cut)
	}
	if s, _ := forClipboard("a\x1b[2J\u202eb"); strings.ContainsAny(s, "\x1b\u202e") {
		t.Errorf("%q", s)
	}
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "\x1b]52;c;YQ==\a"},
		{map[string]string{"TMUX": "x"}, "\x1b]52;c;YQ==\a\x1bPtmux;\x1b\x1b]52;c;YQ==\a\x1b\\"},
		{map[string]string{"TERM": "tmux-256color", "SSH_TTY": "x"}, "\x1b]52;c;YQ==\a\x1bPtmux;\x1b\x1b]52;c;YQ==\a\x1b\\"},
		{map[string]string{"STY": "x"}, "\x1bP\x1b]52;c;YQ==\a\x1b\\"},
	} {
		if got := clipboardSequence(c.env, "a"); got != c.want {
			t.Errorf("%v: %q", c.env, got)
		}
	}
}

func TestPipes(t *testing.T) {
	w, ways := withWays()
	atScreen(t, 80, 24, func(p *person) {
		p.opens(letter)
		p.press("| m")
		p.sees(":pipe ")
		p.types("wc -l | cat")
		p.press("enter")
		w.went(t, fmt.Sprintf("pipe %q %d", "wc -l | cat", len(strings.ReplaceAll(letter, "\n", "\r\n"))))
		p.sees("| wc -l | cat", "one", "two")
		p.press("esc")
		p.sees("Hi Bob")
		w.fail = errors.New("sh: exit status 3: it said: no such thing")
		p.press("| t")
		p.types("frobnicate")
		p.press("enter")
		p.sees("the command failed: sh: exit status 3: it said: no such thing")
		w.fail = nil
		p.press("esc enter : ")
		p.types("pager less")
		p.press("enter")
		for len(w.did) > 1 {
			<-w.did
		}
		if got := <-w.did; !strings.HasPrefix(got, `front "less" "From: Alice <alice@example.org>\n`) {
			t.Errorf("%s", got)
		}
	}, ways)
}

func TestEscEndsWhatRuns(t *testing.T) {
	w, ways := withWays()
	w.hang = true
	atScreen(t, 80, 24, func(p *person) {
		p.opens(letter)
		p.press(":")
		p.types("pipe sleep 1000")
		p.press("enter")
		p.wait(time.Second)
		p.sees("running sleep 1000; Esc stops it", "Hi Bob")
		p.press("e e")
		p.sees("still running sleep 1000")
		p.press("esc")
		p.sees("stopped: sleep 1000", "Hi Bob") // and nothing else was closed
		w.hang = false
		p.press("e m")
		w.went(t, fmt.Sprintf(`mbox "" "Deploy window tonight.mbox" alice@example.org 2000-11-11 %d`, len(strings.ReplaceAll(letter, "\n", "\r\n"))))
		p.press("e o")
		if got := <-w.did; !strings.HasPrefix(got, `open "Deploy window tonight.eml" message/rfc822 "From`) {
			t.Errorf("%s", got)
		}
	}, ways)
}

// TestTheRestOfALetter: what was cut is fetched on from where it ended, Esc ends
// that, and what had come is not fetched again.
func TestTheRestOfALetter(t *testing.T) {
	w, ways := withWays()
	atScreen(t, 80, 24, func(p *person) {
		whole := []byte(strings.ReplaceAll(parcel, "\n", "\r\n"))
		p.server().start(5)
		p.idle()
		p.press("enter")
		give := func(upto int, complete, ended bool) {
			t.Helper()
			c := p.fetch()
			p.server().say(imapsession.BodyEvent{ID: c.id, UIDValidity: fakeValidity, UID: 5, Data: whole[:upto], Size: int64(len(whole)), Complete: complete, Truncated: upto < len(whole)})
			if ended {
				p.server().remove(c.id)
				p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd})
			}
			p.idle()
		}
		give(300, true, true)
		p.sees("the first 300 B of", "The message goes on.")
		p.press("s")
		p.answerStructure(imapsession.ErrNoStructure, message.Entity{})
		p.sees("fetching all of it, 774 B, Esc stops it: the server does not say")
		f := p.fetch().cmd.(imapsession.FetchBody)
		if len(f.Have) != 300 || f.Limit != maxWhole {
			t.Errorf("it has %d octets, up to %d", len(f.Have), f.Limit)
		}
		give(500, false, false)
		p.sees("500 B of")
		canceled := p.fetch().id
		p.press("esc")
		p.sees("stopped; what has come is kept", "the first 500 B of")
		if got := p.server().canceled; len(got) != 1 || got[0] != canceled {
			t.Errorf("canceled were %v", got)
		}
		p.server().remove(canceled)
		p.press("| m")
		p.types("cat")
		p.press("enter")
		c := p.fetch()
		if f := c.cmd.(imapsession.FetchBody); len(f.Have) != 500 {
			t.Errorf("it has %d octets", len(f.Have))
		}
		p.server().remove(c.id)
		p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: errors.New("the link broke")})
		p.idle()
		p.sees("the rest could not be fetched: the link broke", "the first 500 B of")
		p.press("s") // the server takes it for something else than it shows to be
		p.answerStructure(nil, message.Entity{Type: "text/plain"})
		give(len(whole), true, true)
		p.sees("3  (no name)")
		p.press("3 s")
		if got := <-w.did; !strings.Contains(got, "inner text") {
			t.Errorf("%s", got)
		}
	}, ways)
}

// fetch is the FetchBody that waits.
func (p *person) fetch() sent {
	p.t.Helper()
	for _, c := range p.server().pending() {
		if _, ok := c.cmd.(imapsession.FetchBody); ok {
			return c
		}
	}
	p.t.Fatal("no FetchBody waits for an answer")
	return sent{}
}

// answerStructure says what the message is made of.
func (p *person) answerStructure(err error, root message.Entity) {
	p.t.Helper()
	for _, c := range p.server().pending() {
		f, ok := c.cmd.(imapsession.FetchStructure)
		if !ok {
			continue
		}
		if err == nil {
			p.server().say(imapsession.StructureEvent{ID: c.id, UIDValidity: f.Target.UIDValidity, UID: f.Target.UIDs[0], Type: root.Type, Parts: root.Attachments()})
		}
		p.server().remove(c.id)
		p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: err})
		p.idle()
		return
	}
	p.t.Fatal("no FetchStructure waits for an answer")
}

// part is the FetchPart that waits for an answer.
func (p *person) part() (sent, imapsession.FetchPart) {
	p.t.Helper()
	for _, c := range p.server().pending() {
		if f, ok := c.cmd.(imapsession.FetchPart); ok {
			return c, f
		}
	}
	p.t.Fatal("no FetchPart waits for an answer")
	return sent{}, imapsession.FetchPart{}
}

// answerPart gives the next octets of a part, and its end, as the session does.
func (p *person) answerPart(octets string, ends bool, note safetext.Text) imapsession.FetchPart {
	p.t.Helper()
	c, f := p.part()
	f.Into.Put([]byte(octets))
	p.server().say(imapsession.ProgressEvent{ID: c.id, Done: int64(len(octets)), Total: f.Octets, Ended: ends})
	if ends {
		f.Into.End(nil, note)
		p.server().remove(c.id)
		p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Note: note})
	}
	p.idle()
	return f
}

// crate is a message that is too long to be shown whole.
var crate = message.Entity{Type: "multipart/mixed", Parts: []message.Entity{
	{Type: "text/html", Octets: 400},
	{Type: "video/mp4", Encoding: "base64", Octets: 40_000_000, Params: []message.Param{{Name: "name", Value: "film.mp4"}}},
	{Type: "application/pdf", Encoding: "base64", Octets: 78_000, Disposition: "attachment", DispositionParams: []message.Param{{Name: "filename", Value: "a.pdf"}}},
	{Type: "text/csv", Encoding: "quoted-printable", Octets: 30, Disposition: "attachment", DispositionParams: []message.Param{{Name: "filename", Value: "t.csv"}}},
	{Type: "application/octet-stream", Encoding: "8bit", Octets: 9, Params: []message.Param{{Name: "name", Value: "a.log"}}},
	{Type: "message/rfc822", Octets: 3_000_000, Inside: &message.Entity{Type: "multipart/mixed", Parts: []message.Entity{
		{Type: "text/plain", Octets: 20}, {Type: "image/png", Encoding: "base64", Octets: 8, Params: []message.Param{{Name: "name", Value: "p.png"}}},
	}}},
}}

// TestPartsOfALongLetter: what is attached to a message that was cut is listed as the
// server has it, and fetched alone.
func TestPartsOfALongLetter(t *testing.T) {
	w, ways := withWays()
	none := safetext.Text{}
	for _, size := range [][2]int{{100, 24}, {40, 8}} {
		atScreen(t, size[0], size[1], func(p *person) {
			p.server().start(5)
			p.idle()
			p.press("enter")
			begin := []byte(strings.ReplaceAll(parcel, "\n", "\r\n"))[:300]
			c := p.fetch()
			p.server().say(imapsession.BodyEvent{ID: c.id, UIDValidity: fakeValidity, UID: 5, Data: begin, Size: 41_000_000, Complete: true, Truncated: true})
			p.server().remove(c.id)
			p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd})
			p.idle()
			p.press("s")
			p.answerStructure(nil, crate)
			p.sees("1  film.mp4", "2  a.pdf")
			if size[0] == 100 {
				p.sees("about 56 KiB", "3  t.csv", "5  (no name)", "6  p.png")
			}
			p.press("2 s")
			f := p.answerPart("QUJD", false, none)
			if f.Section != "3" || f.Octets != 78_000 || f.Limit != 0 || f.Target.UIDs[0] != 5 || f.Target.UIDValidity != fakeValidity {
				t.Errorf("asked for is %+v", f)
			}
			p.sees("saving")
			p.answerPart(strings.Repeat("QUJD\r\n", 6500), false, none)
			if p.sees("50%"); size[0] == 100 {
				p.sees("saving 50% of 76 KiB, Esc stops")
			}
			if bar := p.m.progressBar(); bar == nil || bar.Value != 50 {
				t.Errorf("the terminal's own bar is %+v", bar)
			}
			p.answerPart("Rg==", true, none)
			p.sees("saved /saved/a.pdf")
			if got, want := <-w.did, fmt.Sprintf("save %q %q %q", "", "a.pdf", "ABC"+strings.Repeat("ABC", 6500)+"F"); got != want {
				t.Errorf("%.100s", got)
			}
			// The list is not asked for again. A part that is not as long as it was
			// said to be is saved, and said so.
			p.press("s 3 s")
			p.answerPart("a=3D1", true, safetext.Const("the server announced 30 octets of it and sent 5"))
			if p.sees("saved /saved/t.c"); size[0] == 100 {
				p.sees("but t.csv: the server announced 30")
			}
			w.went(t, `save "" "t.csv" "a=1"`)
			p.press("s 2 o")
			p.answerPart("QUJD", true, none)
			w.went(t, `open "a.pdf" application/pdf "ABC"`)
			// Esc ends it, and nothing is written.
			p.press("s A")
			c, f = p.part()
			p.answerPart("QUJD", false, none)
			p.press("esc")
			p.sees("stopped before film.mp4")
			if got := p.server().canceled; len(got) == 0 || got[len(got)-1] != c.id {
				t.Errorf("canceled were %v, not %d", got, c.id)
			}
			p.server().remove(c.id)
			w.went(t)
			// Reading.
			p.press("s 2 v")
			if f := p.answerPart("QUJD/////w==", true, none); f.Limit != sniffSize {
				t.Errorf("%d octets were wanted to see whether it is text", f.Limit)
			}
			p.sees("this is no text")
			p.press("s 3 v")
			if f := p.answerPart("x,y=\r\n,z\r\n", true, none); f.Limit != viewSize {
				t.Errorf("%d octets were wanted of a text", f.Limit)
			}
			p.sees("t.csv", "x,y,z")
			p.press("esc")
			p.press("s 4 v")
			p.answerPart("some logs", true, none)
			p.sees("a.log", "some logs")
			p.press("esc")
			p.press("s 5 v")
			inner := "Subject: the inner one\r\nContent-Type: multipart/mixed; boundary=e\r\n\r\n--e\r\n\r\ninner text\r\n" + strings.Repeat("more\r\n", viewSize/6)
			p.answerPart(inner[:viewSize], true, none)
			p.sees("inner one", "the first 2.0 MiB of 2")
			// What is in that one is its own, and still on the server.
			p.press("s")
			p.sees("1  p.png")
			p.press("s")
			if f := p.answerPart("iVBORw==", true, none); f.Section != "6.2" {
				t.Errorf("asked for is %+v", f)
			}
			w.went(t, `save "" "p.png" "\x89PNG"`)
			// All of it is fetched for who wants all of it.
			p.press("e e")
			if f := p.answerPart(inner+"behind it", true, none); f.Section != "6" || f.Limit != 0 {
				t.Errorf("asked for is %+v", f)
			}
			if got := <-w.did; !strings.HasPrefix(got, `save "" "the inner one.eml" "Subject: the inner`) || !strings.HasSuffix(got, `behind it"`) {
				t.Errorf("%.50s", got)
			}
			p.press("|")
			p.press("m")
			p.types("cat")
			p.press("enter")
			if f := p.answerPart(inner+"behind it", true, none); f.Section != "6" || f.Limit != maxWhole {
				t.Errorf("asked for is %+v", f)
			}
			w.went(t, fmt.Sprintf("pipe %q %d", "cat", len(inner)+9))
			p.press("esc")
			p.press("esc")
			// A message of any size goes into a file as it comes.
			for key, out := range map[string]string{"e": `save "" "Two files - and a letter.eml" "whole"`, "m": `mbox "" "Two files - and a letter.mbox" alice@example.org 2000-11-11 5`, "o": `open "Two files - and a letter.eml" message/rfc822 "whole"`} {
				p.press("e " + key)
				if f := p.answerPart("whole", true, none); f.Section != "" || f.Octets != 41_000_000 || f.Limit != 0 {
					t.Errorf("asked for is %+v", f)
				}
				w.went(t, out)
			}
			p.press("v h") // the headers are there, and nothing is fetched for them
			p.sees("all headers", "Two files / and")
			p.seesNot("the first")
			p.press("|")
			p.press("m")
			p.types("cat")
			p.press("enter")
			w.went(t, fmt.Sprintf("pipe %q %d", "cat", strings.Index(string(begin), "\r\n\r\n")+4))
			p.press("esc")
			p.press("esc")
			p.press("v s")
			p.sees("source", "the first 300 B")
			p.press("|")
			p.press("m")
			p.types("cat")
			p.press("enter")
			p.sees("only the beginning")
			for _, c := range p.server().pending() {
				if _, ok := c.cmd.(imapsession.FetchBody); ok {
					t.Error("the whole message is fetched")
				}
			}
		}, ways)
	}
}

// TestExportOfTheMarked: all that are marked become one file, or, with Esc, none.
func TestExportOfTheMarked(t *testing.T) {
	w, ways := withWays()
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(5)
		p.idle()
		p.press("x x x e")
		p.sees("all 3 marked messages as one mbox")
		p.press("m")
		p.sees("fetching 1 of 3, Esc stops")
		p.answerBody(letter, false) // half of it
		p.sees("fetching 1 of 3, 50% of it, Esc stops")
		p.answerBody(letter, true)
		p.sees("fetching 2 of 3, Esc stops")
		p.press("esc")
		p.sees("stopped after 1 of 3 messages: nothing was written")
		if got := p.server().canceled; len(got) != 1 {
			t.Errorf("canceled were %v", got)
		}
		p.server().remove(p.fetch().id)
		w.went(t)
		p.press("e m")
		p.answerBody(letter, true)
		c := p.fetch()
		p.server().remove(c.id)
		p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: errors.New("the message is gone")})
		p.idle()
		p.answerBody(parcel, true)
		got := <-w.did
		if !strings.HasPrefix(got, `mbox "" "2 messages.mbox" alice@example.org 2000-`) || strings.Count(got, "alice@") != 2 {
			t.Errorf("%s", got)
		}
		p.sees("saved /saved/2 messages.mbox")
		if p.m.account().reader != nil {
			t.Error("a message was opened")
		}
	}, ways)
}

func TestTakingScreens(t *testing.T) {
	_, ways := withWays()
	for _, size := range [][2]int{{40, 8}, {80, 24}} {
		for name, keys := range map[string]string{
			"attachments": "s 2", "links": "o", "link-that-lies": "o enter", "copy": "y", "inside": "s 3 v", "export": "e",
		} {
			atScreen(t, size[0], size[1], func(p *person) {
				p.opens(parcel)
				p.press(keys)
				p.golden(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]))
			}, ways)
		}
	}
}
