package ui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/store"
)

// fakeMarks keeps marks in memory.
type fakeMarks struct {
	turn chan struct{}
	uid  store.UID
	when time.Time
	ok   bool
	told []store.UID
	slow func() // calls recorded later
	wait bool
}

func (f *fakeMarks) Turn() <-chan struct{} { return f.turn }
func (f *fakeMarks) Mark(store.Place) (store.UID, time.Time, bool) {
	return f.uid, f.when, f.ok
}
func (f *fakeMarks) Tell(_ store.Place, uid store.UID, recorded func()) {
	if f.wait {
		f.slow = recorded
	} else {
		defer recorded()
	}
	f.told = append(f.told, uid)
	f.uid, f.when, f.ok = max(f.uid, uid), time.Now(), true
}

func myTurn() *fakeMarks {
	f := &fakeMarks{turn: make(chan struct{})}
	close(f.turn)
	return f
}

func bellsRung(p *person) (n int) {
	for _, r := range p.raw {
		if r == "\a" {
			n++
		}
	}
	return n
}

func TestDigest(t *testing.T) {
	marks := myTurn()
	marks.uid, marks.when, marks.ok = 500, yesterday.Add(-time.Hour), true
	c := newFakeCache()
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		c.keep(s, 500)
		s.cachedList(500, 40, 0, yesterday)
		p.idle()
		s.confirm(540, 40, func(uid store.UID) []string {
			switch {
			case uid > 537:
				return []string{`\Seen`}
			case uid > 534:
				return []string{`\Flagged`}
			}
			return nil
		})
		p.idle()
		p.sees("37 new since yesterday 18:02, 3 flagged, 3 more read elsewhere")
		p.wait(time.Minute)
		if n := bellsRung(p); n != 1 {
			t.Errorf("%d bells", n)
		}
		if !slices.Equal(marks.told, []store.UID{540}) {
			t.Errorf("written down: %v", marks.told)
		}
		s.deliver(false)
		p.idle()
		p.sees("new: ")
		if !slices.Equal(marks.told, []store.UID{540, 541}) {
			t.Errorf("written down: %v", marks.told)
		}

		// A gap later on is told since the link was last heard.
		at := time.Now()
		s.signAt(at)
		p.wait(time.Second)
		s.say(imapsession.StateEvent{State: imapsession.Waiting, Attempt: 1, Retry: time.Now().Add(time.Second)})
		p.wait(10 * time.Minute)
		s.confirm(543, 2, nil)
		p.idle()
		p.sees(fmt.Sprintf("2 new since %s", at.Format("15:04")))
		p.seesNot("flagged")
	}, withCache(c), func(o *Options) { o.Accounts[0].Marks = marks })
}

// TestTheFirstSightIsNoNews, but what comes after it is, even if nothing was
// there.
func TestTheFirstSightIsNoNews(t *testing.T) {
	for _, n := range []int{0, 30} {
		marks := myTurn()
		atScreen(t, 100, 24, func(p *person) {
			p.server().start(n)
			p.idle()
			if !slices.Equal(marks.told, []store.UID{store.UID(n)}) {
				t.Errorf("%d messages: written down %v", n, marks.told)
			}
			if bellsRung(p) != 0 {
				t.Error("a bell")
			}
		}, func(o *Options) { o.Accounts[0].Marks = marks })
	}
}

// TestOnlyOneProcessTells, and another takes over what the first did not tell.
func TestOnlyOneProcessTells(t *testing.T) {
	marks := &fakeMarks{uid: 30, when: yesterday, ok: true}
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.start(30)
		p.idle()
		s.deliver(false)
		s.deliver(false)
		p.wait(time.Minute)
		if bellsRung(p) != 0 || len(marks.told) != 0 {
			t.Errorf("%d bells, written down %v, though another tells", bellsRung(p), marks.told)
		}
		p.sees("new: ") // a fact, all the same
		marks.uid = 31  // that is how far the other came
		close(marks.turn)
		p.idle()
		p.sees("1 new since yesterday 18:02")
		if bellsRung(p) != 1 || !slices.Equal(marks.told, []store.UID{32}) {
			t.Errorf("%d bells, written down %v", bellsRung(p), marks.told)
		}
	}, func(o *Options) {
		marks.turn = make(chan struct{}) // of the bubble
		o.Accounts[0].Marks = marks
	})
}

// TestWhatIsNotWrittenDownYetIsTheLastBatch: until it is, nothing more is told;
// then all of it is, as one.
func TestWhatIsNotWrittenDownYetIsTheLastBatch(t *testing.T) {
	marks := myTurn()
	marks.uid, marks.when, marks.ok = 30, yesterday, true
	atScreen(t, 100, 24, func(p *person) {
		s := p.server()
		s.start(30)
		p.idle()
		marks.wait = true
		s.deliver(false)
		p.idle()
		p.sees("new: ")
		for range 3 {
			s.deliver(false)
			p.idle()
		}
		p.sees("(34) ") // the rows are there at once
		p.seesNot("3 messages")
		if !slices.Equal(marks.told, []store.UID{31}) {
			t.Errorf("written down: %v", marks.told)
		}
		marks.slow()
		p.idle()
		p.sees("new: 3 messages, last from ")
		if !slices.Equal(marks.told, []store.UID{31, 34}) {
			t.Errorf("written down: %v", marks.told)
		}
		marks.slow()
	}, func(o *Options) { o.Accounts[0].Marks = marks })
}
