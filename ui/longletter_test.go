package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
)

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
