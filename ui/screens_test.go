package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// TestScreens holds whole screens against the ones on file, at every size that
// was promised.
func TestScreens(t *testing.T) {
	states := []struct {
		name string
		do   func(p *person)
	}{
		{"connecting", func(p *person) {
			p.server().signAt(time.Time{})
			p.server().say(imapsession.StateEvent{State: imapsession.Connecting})
			p.idle()
		}},
		{"live", func(p *person) {
			p.server().start(200)
			p.idle()
			p.server().deliver(false)
			p.idle()
		}},
		{"backing-off", func(p *person) {
			p.server().start(200)
			p.idle()
			p.wait(40 * time.Second)
			p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 3,
				Reason: safetext.Const("imap.example.org does not answer"), Retry: time.Now().Add(12500 * time.Millisecond)})
			p.wait(1600 * time.Millisecond)
		}},
		{"fatal", func(p *person) {
			p.server().signAt(time.Time{})
			p.server().say(imapsession.StateEvent{Fatal: true, Reason: safetext.Const("the server refused the password of alice@example.org")})
			p.idle()
		}},
		{"read-only", func(p *person) {
			p.server().start(20)
			p.server().say(imapsession.StateEvent{State: imapsession.Live, ReadOnly: true, Watch: imapsession.WatchPoll})
			p.idle()
			p.press("d")
		}},
		{"empty", func(p *person) {
			p.server().start(0)
			p.idle()
		}},
		{"placeholders", func(p *person) {
			p.server().start(60)
			p.idle()
			p.server().change(store.Change{Kind: store.Exists, N: 64}, 0)
			p.idle()
			p.press("g")
			p.wait(150 * time.Millisecond)
		}},
		{"tombstone", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("j j")
			p.server().expunge(58)
			p.idle()
		}},
		{"moving", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("d")
			p.answerFolders()
		}},
		{"prompt", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("m")
			p.answerFolders()
			p.types("ar")
		}},
		{"help", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("?")
		}},
		{"log", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("L")
		}},
		{"reader", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("enter")
			p.answerBody(letter, true)
		}},
		{"reader-html", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("j enter")
			p.answerBody(htmlLetter, true)
		}},
		{"reader-failed", func(p *person) {
			p.server().start(60)
			p.idle()
			p.press("enter")
			p.answer(errors.New("the message is gone"))
		}},
		{"cached", func(p *person) {
			connecting(p.server())
			p.server().cachedList(500, 200, 490, yesterday)
			p.idle()
		}},
		{"cached-offline", func(p *person) {
			connecting(p.server())
			p.server().cachedList(500, 200, 0, yesterday)
			p.server().say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 3,
				Reason: safetext.Const("imap.example.org does not answer"), Retry: time.Now().Add(12500 * time.Millisecond)})
			p.idle()
			p.press("!")
		}},
		{"digest", func(p *person) {
			p.server().cachedList(500, 200, 0, yesterday)
			p.idle()
			p.server().confirm(537, 37, func(uid store.UID) []string {
				if uid > 534 {
					return []string{`\Flagged`}
				}
				return nil
			})
			p.idle()
		}},
		{"progress", func(p *person) {
			p.server().start(200)
			p.server().say(imapsession.ProgressEvent{Done: 12_345, Total: 100_000, Rate: 8120, Left: 10_800 * time.Millisecond})
			p.idle()
		}},
		{"command", func(p *person) {
			p.server().start(200)
			p.idle()
			p.press(":")
		}},
		{"command-date", func(p *person) {
			p.server().start(200)
			p.idle()
			p.press(":")
			p.types("date 2000-")
		}},
		{"command-wrong", func(p *person) {
			p.server().start(200)
			p.idle()
			p.press(":")
			p.types("date noon")
			p.press("enter")
		}},
		{"anchored", func(p *person) {
			p.server().start(200)
			p.idle()
			p.press("G g ctrl+d ctrl+d ctrl+d ctrl+d")
			for range 3 {
				p.server().deliver(false)
			}
			p.idle()
		}},
	}
	sizes := []struct{ w, h int }{{40, 8}, {80, 24}, {120, 40}, {300, 100}}
	for _, s := range states {
		for _, z := range sizes {
			name := fmt.Sprintf("%s-%dx%d", s.name, z.w, z.h)
			t.Run(name, func(t *testing.T) {
				atScreen(t, z.w, z.h, func(p *person) {
					s.do(p)
					p.golden(name)
				}, func(o *Options) {
					o.Accounts[0].Log = func() []safetext.Text {
						return []safetext.Text{safetext.Const("14:29:58 connecting"), safetext.Const("14:29:59 live")}
					}
				})
			})
			t.Run(name+"-grapheme", func(t *testing.T) {
				atScreen(t, z.w, z.h, func(p *person) {
					p.grapheme()
					s.do(p) // every frame's widths are checked by send
				})
			})
		}
	}
}

// answer ends the oldest command.
func (p *person) answer(err error) imapsession.Command {
	p.t.Helper()
	c, ok := p.server().take()
	if !ok {
		p.t.Fatal("no command waits for an answer")
	}
	p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd, Err: err})
	p.idle()
	return c.cmd
}

// answerFolders answers ListFolders, which must be the oldest command.
func (p *person) answerFolders() {
	p.t.Helper()
	c, ok := p.server().take()
	if _, is := c.cmd.(imapsession.ListFolders); !ok || !is {
		p.t.Fatalf("no ListFolders to answer, but %#v", c.cmd)
	}
	var out []imapsession.Folder
	for _, f := range []struct{ raw, role string }{
		{"INBOX", ""}, {"Archive", "archive"}, {"Art", ""}, {"Drafts", "drafts"}, {"Lists/Arch", ""}, {"Sent", "sent"}, {"Trash", "trash"},
	} {
		out = append(out, imapsession.Folder{Raw: f.raw, Name: safetext.Clean(f.raw), Delimiter: '/', Role: f.role})
	}
	p.server().say(imapsession.FoldersEvent{ID: c.id, Folders: out})
	p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd})
	p.idle()
}

// answerBody answers the FetchBody that waits.
func (p *person) answerBody(body string, complete bool) {
	p.t.Helper()
	body = strings.ReplaceAll(body, "\n", "\r\n")
	for _, c := range p.server().pending() {
		f, ok := c.cmd.(imapsession.FetchBody)
		if !ok {
			continue
		}
		p.server().say(imapsession.BodyEvent{ID: c.id, UIDValidity: fakeValidity, UID: f.Target.UIDs[0],
			Data: []byte(body), Size: int64(len(body)) * 2, Complete: complete})
		if complete {
			p.server().remove(c.id)
			p.server().say(imapsession.ResultEvent{ID: c.id, Command: c.cmd})
		}
		p.idle()
		return
	}
	p.t.Fatal("no FetchBody waits for an answer")
}

const letter = `From: Alice <alice@example.org>
To: Bob <bob@example.org>, =?utf-8?q?Zo=C3=AB?= <zoe@example.org>
Subject: Deploy window tonight
Date: Fri, 24 Nov 2000 13:05:00 +0000
Message-ID: <1@example.org>
Content-Type: text/plain; charset=utf-8

Hi Bob,

the window opens at 22:00 and closes at 23:30. Please have the rollback at hand, we will want it should the migration take longer than ten minutes.

会議の議事録を共有します。ご確認ください。会議の議事録を共有します。ご確認ください。会議の議事録を共有します。ご確認ください。
שלום, הפגישה מחר בשעה עשר
🎉🎉 done 👩‍🚀

> What about the cache?
>> It is warm.
> Good.

Alice
`

const htmlLetter = `From: "Example Shop" <shop@example.org>
To: bob@example.org
Subject: Your order
Date: Fri, 24 Nov 2000 13:05:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<html><body><h1>Thank you</h1><p>Your order has been <b>sent</b>. <a href="https://track.example.net/abc">https://shop.example.org/track</a></p>
<table><tr><td>Tea</td><td>2</td></tr></table></body></html>
--b
Content-Type: application/pdf; name="invoice.pdf"
Content-Disposition: attachment; filename="invoice.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQKJVBERi0xLjQKJVBERi0xLjQK
--b--
`
