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
