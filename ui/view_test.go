package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// talk has four messages about lunch, two of a conversation without its first,
// and one alone, oldest first.
func (f *fakeSession) talk() {
	f.live()
	var sums []*store.Summary
	for i, x := range []struct {
		from, subject, id, refs string
		seen                    bool
	}{
		{"Alice", "Lunch?", "a", "", true},
		{"Bob", "Re: The figures", "g", "root g0", true},
		{"Bob", "Re: Lunch?", "b", "a", true},
		{"Carol", "Re: Lunch?", "c", "a b", false},
		{"Dan", "Re: Lunch?", "d", "a", true},
		{"Erin", "Re: The figures", "h", "root h0", false},
		{"Build bot", "Build 7 failed", "i", "", false},
	} {
		uid := store.UID(i + 1)
		flags := store.NoFlags
		if x.seen {
			flags |= store.Seen
		}
		f.apply(store.Change{Kind: store.Exists, N: uint32(i + 1)})
		f.apply(store.Change{Kind: store.Fill, Seq: uint32(i + 1), UID: uid, Flags: flags})
		sums = append(sums, &store.Summary{UID: uid, Internal: fakeNow.Add(time.Duration(i-8) * 5 * time.Hour), Size: int64(i * 1000), Subject: safetext.Clean(x.subject),
			From: []store.Address{{Name: safetext.Clean(x.from)}}, MessageID: x.id, References: strings.Fields(x.refs)})
	}
	f.nextUID = 8
	f.say(f.resync())
	f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
	f.count()
}

// TestViewScreens holds each menu and each view against the screens on file.
func TestViewScreens(t *testing.T) {
	many := func(keys string) func(*person) {
		return func(p *person) {
			p.server().start(60)
			p.idle()
			p.press(keys)
		}
	}
	few := func(keys string) func(*person) {
		return func(p *person) {
			p.server().talk()
			p.idle()
			for k := range strings.FieldsSeq(keys) {
				p.press(k)
			}
		}
	}
	for name, do := range map[string]func(*person){
		"menu-filter": many("f"), "menu-sort": many("S down"),
		"view-unread": many("f u"), "view-flagged": many("f f"), "view-today": many("f t"),
		"view-date": few("S d"), "view-sender": many("S f"), "view-subject": few("S s"), "view-size": many("S z"), "view-unread-sender": many("f u S f"),
		"view-empty":             func(p *person) { few("f f")(p) },
		"conversations":          few("t"),
		"conversations-unfolded": few("t j z j j j j z k"),
		"view-waiting": func(p *person) {
			many("S s")(p)
			for range 3 {
				p.server().deliver(true)
			}
			p.idle()
		},
	} {
		for _, z := range []struct{ w, h int }{{40, 8}, {80, 24}} {
			name := fmt.Sprintf("%s-%dx%d", name, z.w, z.h)
			t.Run(name, func(t *testing.T) {
				atScreen(t, z.w, z.h, func(p *person) {
					do(p)
					p.golden(name)
				})
			})
		}
	}
	t.Run("conversations-unfolded-console", func(t *testing.T) {
		atScreen(t, 80, 12, func(p *person) {
			few("t j z")(p)
			p.golden("conversations-unfolded-console")
		}, func(o *Options) { o.Environ = []string{"TERM=linux"} })
	})
}

// What was unfolded on the screen's first line is shown, and is not counted as new.
func TestUnfoldedIsNotNew(t *testing.T) {
	atScreen(t, 80, 3, func(p *person) {
		p.server().talk()
		p.idle()
		p.press("G")
		for range 5 {
			p.press("k")
		}
		p.selects("Re: The figures")
		p.press("t")
		p.idle()
		if top := p.lines()[0]; !strings.Contains(top, "Re: The figures") || !strings.Contains(top, "Erin") {
			t.Fatalf("the screen is %q", p.lines())
		}
		p.press("z")
		p.idle()
		p.seesNot(" new ")
		p.sees("Bob", "Erin")
		p.selects("Erin")
	})
}

// What finds its place above the screen, when its summary comes, is not new; what
// arrives is.
func TestPlacedIsNotNew(t *testing.T) {
	for _, keys := range []string{"S z", "t"} {
		atScreen(t, 80, 12, func(p *person) {
			f := p.server()
			f.live()
			var known, late []*store.Summary
			for uid := store.UID(1); uid <= 60; uid++ {
				f.apply(store.Change{Kind: store.Exists, N: uint32(uid)})
				f.apply(store.Change{Kind: store.Fill, Seq: uint32(uid), UID: uid, Flags: store.NoFlags})
				if sums := f.summary(uid); uid < 30 || uid > 50 {
					known = append(known, sums)
				} else {
					late = append(late, sums)
				}
			}
			f.nextUID = 61
			f.say(f.resync())
			f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: known})
			p.idle()
			p.press(keys)
			p.press("G")
			p.sees("39 of 60")
			f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: late})
			p.idle()
			p.wait(3 * time.Second)
			p.sees("60 of 60")
			p.seesNot(" new ")
			f.deliver(false)
			p.idle()
			p.wait(3 * time.Second)
			p.sees("↑ 1 new")
		})
	}
}

// What is read in the view of unread messages stays until it is chosen again;
// what another client reads goes at once.
func TestUnreadViewWhileReading(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(9) // unread: 1, 4, 7
		p.idle()
		p.press("f u")
		p.sees("unread  3 of 9")
		p.selects("(7)")
		p.server().flag(7, `\Seen`) // by reading it
		p.server().flag(4, `\Seen`) // by somebody else
		p.idle()
		p.selects("(7)")
		if list := strings.Join(p.lines()[:20], "\n"); strings.Contains(list, "(4)") {
			t.Errorf("what another client read is still there:\n%s", list)
		}
		p.press("j")
		p.selects("(1)")
		p.sees("(7)")
		p.press("f u")
		p.seesNot("(7)")
		p.selects("(1)")
		p.server().deliver(false)
		p.server().flag(4)
		p.idle()
		p.sees("(10)", "(4)", "unread  3 of 10")
		p.press("esc")
		p.sees("(9)", "3 unread of 10")
		p.selects("(1)")
	})
}

// A view made while headers are on their way to the disk has them a second later,
// without a key or an event.
func TestViewOfWhatSettlesLater(t *testing.T) {
	kept := &shelf{t: t, sums: map[store.UID]*store.Summary{}, late: map[store.UID]*store.Summary{}}
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.live()
		for uid := store.UID(1); uid <= 60; uid++ {
			f.apply(store.Change{Kind: store.Exists, N: uint32(uid)})
			f.apply(store.Change{Kind: store.Fill, Seq: uint32(uid), UID: uid, Flags: store.NoFlags})
			if uid <= 40 {
				kept.sums[uid] = odd(uid)
			} else {
				kept.late[uid] = odd(uid)
			}
		}
		f.say(f.resync())
		p.idle()
		p.press("S d")
		p.sees("by date  40 of 60, 20 not yet known")
		p.wait(1500 * time.Millisecond)
		p.sees("by date  60 of 60")
		p.seesNot("not yet known")

		// The filling goes on, and ends before the last of it is on the disk.
		for uid := store.UID(61); uid <= 70; uid++ {
			f.change(store.Change{Kind: store.Exists, N: uint32(uid)}, 0)
			f.change(store.Change{Kind: store.Fill, Seq: uint32(uid), UID: uid, Flags: store.NoFlags}, uid)
			kept.late[uid] = odd(uid)
		}
		f.say(imapsession.ProgressEvent{Done: 70, Total: 70, Ended: true})
		p.idle()
		p.wait(1500 * time.Millisecond)
		p.sees("by date  70 of 70")
	}, func(o *Options) { o.Accounts[0].Cache = kept })
}

func TestTombstoneInAView(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(30)
		p.idle()
		p.press("S s")
		p.press("j j")
		line := p.selected()
		uid := p.m.accounts[0].view.uid
		p.server().expunge(uid)
		p.idle()
		if got := p.selected(); got[3:8] == line[3:8] || !strings.Contains(got, "×") {
			t.Errorf("an expunged message is drawn %q", got)
		}
		p.press("d")
		p.sees("expunged by another client: nothing was done")
		p.press("j")
		p.seesNot("×")
	})
}

// New mail in a folded conversation shows; the row goes on standing for the
// message that is selected until the selection leaves.
func TestNewMailInAFoldedConversation(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		f := p.server()
		f.talk()
		p.idle()
		p.press("t")
		p.press("g j j") // bot, figures, lunch
		p.selects("Dan")
		p.selects("▸4")
		f.change(store.Change{Kind: store.Exists, N: 8}, 0)
		f.change(store.Change{Kind: store.Fill, Seq: 8, UID: 8, Flags: store.NoFlags}, 8)
		f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{{UID: 8, Internal: fakeNow, Subject: safetext.Const("Re: Lunch?"),
			From: []store.Address{{Name: safetext.Const("Frank")}}, MessageID: "x", InReplyTo: []string{"d"}}}})
		p.idle()
		p.selects("Dan")
		p.selects("▸5 ●2")
		if top := p.lines()[0]; !strings.Contains(top, "Dan") {
			t.Errorf("at the top stands %q", top)
		}
		p.seesNot("Frank")
		p.press("j")
		p.sees("Frank")
		p.press("k z")
		p.sees("Alice", "Bob", "Carol", "Dan", "Frank")
		p.press("esc")
		p.selects("Frank")
	})
}
