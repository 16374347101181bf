package ui

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
)

// TestPump: the first few batches go at once, as the follow-ups of a lone event
// are; those that come faster go one a window, and never more than a batch at a
// time.
func TestPump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		f := newFakeSession()
		type batch struct {
			at time.Duration
			n  int
		}
		var got []batch
		began := time.Now()
		p := startPump(ctx, 0, f.box, func(msg tea.Msg) {
			got = append(got, batch{time.Since(began), len(msg.(batchMsg).events)})
		})
		alert := imapsession.AlertEvent{}
		f.say(alert)
		synctest.Wait()
		if len(got) != 1 || got[0] != (batch{0, 1}) {
			t.Fatalf("the first event came as %v", got)
		}
		for range (pumpBurst + 2) * pumpBatch {
			f.say(alert)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		total, paced := 0, map[time.Duration]int{}
		for _, b := range got {
			total += b.n
			paced[b.at]++
			if b.n > pumpBatch {
				t.Errorf("%d events came at once", b.n)
			}
		}
		if total != 1+(pumpBurst+2)*pumpBatch {
			t.Errorf("%d events came", total)
		}
		for at, n := range paced {
			if at == 0 && n != pumpBurst || at != 0 && n != 1 || at%pumpWindow != 0 {
				t.Errorf("%d batches came after %v: %v", n, at, got)
			}
		}
		if n := p.Pending(); n != 0 {
			t.Errorf("%d events are left", n)
		}
		f.say(alert)
		synctest.Wait()
		if last := got[len(got)-1]; last != (batch{time.Second, 1}) {
			t.Errorf("after a quiet second an event came as %v", last)
		}
	})
}

// TestPumpNeverHoldsTheSession: while nothing takes the batches, as with a
// terminal that has stopped reading, the session goes on.
func TestPumpNeverHoldsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		f := newFakeSession()
		release := make(chan struct{})
		seen := 0
		startPump(ctx, 0, f.box, func(msg tea.Msg) {
			<-release
			seen += len(msg.(batchMsg).events)
		})
		const n = 20_000
		for range n {
			f.say(imapsession.AlertEvent{})
		}
		synctest.Wait()
		if seen != 0 {
			t.Fatal("a batch went through a terminal that does not read")
		}
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		if seen != n {
			t.Errorf("%d of %d events came through", seen, n)
		}
		cancel()
	})
}

// TestIdleIsQuiet: a screen on which nothing happens updates as often as the
// figure on its status bar changes, and no more.
func TestIdleIsQuiet(t *testing.T) {
	atScreen(t, 80, 24, func(p *person) {
		p.server().start(50)
		p.idle()
		p.wait(20 * time.Second)
		before := p.updates
		p.wait(time.Hour)
		if n := p.updates - before; n > 60*4+10 {
			t.Errorf("%d updates in a quiet hour, want about 240", n)
		}
	})
}
