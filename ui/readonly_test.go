package ui

import (
	"strings"
	"testing"

	"tidings/imapsession"
	"tidings/store"
)

// Whatever is pressed or typed in a read-only account: no command that changes
// anything is sent.
func TestReadOnlySendsNothingThatChanges(t *testing.T) {
	atScreen(t, 120, 40, func(p *person) {
		p.server().start(20)
		p.server().live()
		p.idle()
		harmless := func() {
			p.t.Helper()
			for {
				c, ok := p.server().take()
				if !ok {
					return
				}
				r := imapsession.ResultEvent{ID: c.id, Command: c.cmd}
				switch cmd := c.cmd.(type) {
				case imapsession.ListFolders:
					p.server().say(imapsession.FoldersEvent{ID: c.id, Folders: []imapsession.Folder{
						{Raw: "INBOX", Name: clean("INBOX")}, {Raw: "Trash", Name: clean("Trash"), Role: "trash"}, {Raw: "Archive", Name: clean("Archive"), Role: "archive"},
					}})
				case imapsession.FetchBody, imapsession.Search, imapsession.CountFolders:
				default:
					t.Errorf("%T was sent: %+v", cmd, cmd)
				}
				p.server().say(r)
				p.idle()
			}
		}
		for _, reading := range []bool{false, true} {
			for _, marks := range []string{"", "x x"} {
				for _, b := range keymap {
					switch b.act {
					case actQuit, actSuspend, actAccount, actNextAccount, actInbox, actFolders:
						continue
					}
					p.press("esc esc esc esc " + marks)
					if reading {
						p.press("enter")
					}
					p.press(strings.Join(b.keys, " "))
					harmless()
					p.press("y 1 enter") // whatever it asks
					harmless()
				}
				p.press("esc esc esc esc")
			}
		}
		for _, c := range []string{"keyword $Junk", "create New"} {
			p.press(":")
			p.types(c)
			p.press("enter")
			harmless()
		}
		if p.m.accounts[0].flagsOf(20) != p.m.accounts[0].view.list.Row(19).Flags || store.UID(20) != p.m.accounts[0].view.list.Row(19).UID {
			t.Error("an effect is drawn that was not asked for")
		}
	}, func(o *Options) { o.Accounts[0].ReadOnly = true })
}
