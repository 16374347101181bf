package cache

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"tidings/store"
)

// stateOf is the state of that number.
func stateOf(number uint64) (found store.Checkpoint) {
	states(func(n uint64, cp store.Checkpoint, _ []*store.Summary) bool {
		found = cp
		return n < number
	})
	return found
}

// TestKilled kills a process that writes at random points, again and again on
// one file: what is found is a state that it was given, no older than one that it
// knew to be written, with that state's ModSeq; or else what was there before.
func TestKilled(t *testing.T) {
	rounds := 25 / fewer
	if testing.Short() {
		rounds = 5
	}
	path := filepath.Join(t.TempDir(), "a.db")
	before := uint64(0)
	for range rounds {
		p := start(t, path)
		var kept, settled uint64
		for range 1 + rand.IntN(60) {
			if word, n := p.next(t); word == "settled" {
				settled = n
			} else {
				kept = n
			}
		}
		k, s := p.kill(t)
		kept, settled = max(kept, k), max(settled, s)
		c := open(t, path)
		cp := load(t, c)
		switch {
		case settled > 0 && cp.ModSeq < settled:
			t.Fatalf("state %d is kept; %d was settled", cp.ModSeq, settled)
		case cp.ModSeq != before && cp.ModSeq > kept+1:
			t.Fatalf("state %d is kept; %d was given", cp.ModSeq, kept)
		case cp.List != nil:
			if want := stateOf(cp.ModSeq); !cp.List.Equal(want.List) || !cp.AsOf.Equal(want.AsOf) {
				t.Fatalf("the rows are not those of state %d", cp.ModSeq)
			}
		}
		before = cp.ModSeq
		c.Close(time.Minute)
	}
	if before == 0 {
		t.Error("nothing was ever written")
	}
}

// TestSettledSurvives: what was settled is there after a kill.
func TestSettledSurvives(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "a.db")
		p := start(t, path)
		sure, seen := uint64(0), rand.IntN(30)
		for sure == 0 || seen > 0 {
			word, n := p.next(t)
			if seen--; word == "settled" {
				sure = n
			}
		}
		kept, settled := p.kill(t)
		sure = max(sure, settled)
		c := open(t, path)
		cp := load(t, c)
		if cp.ModSeq < sure || kept > 0 && cp.ModSeq > kept+1 {
			t.Errorf("state %d is kept; %d was settled and %d given", cp.ModSeq, sure, kept)
		}
		if want := stateOf(cp.ModSeq); !cp.List.Equal(want.List) {
			t.Errorf("the rows are not those of state %d", cp.ModSeq)
		}
		sums, err := c.Summaries(context.Background(), inbox, []store.UID{1, 40})
		if d := cmp.Diff([]*store.Summary{sumOf(1), sumOf(40)}, sums, same); d != "" || err != nil {
			t.Error(d, err)
		}
		c.Close(time.Minute)
	}
}

// TestLease: while another process writes the mailbox, this one reads; when that
// is killed, the next Checkpoint is written.
func TestLease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	p := start(t, path)
	for {
		if word, _ := p.next(t); word == "settled" {
			break
		}
	}
	c := open(t, path)
	before := load(t, c)
	if before.List == nil {
		t.Fatal("what another process has written cannot be read")
	}
	mine := store.Checkpoint{Place: inbox, List: listOf(t, 10), ModSeq: 1 << 40, AsOf: time.UnixMilli(5)}
	c.Keep(mine)
	settled(t, c)
	if got := load(t, c); got.ModSeq == mine.ModSeq {
		t.Error("two processes write one mailbox")
	}
	// Another mailbox is free.
	other := mine
	other.Mailbox = "Archive"
	written := func(cp store.Checkpoint) (got store.Checkpoint) {
		// One that writes all the time may keep the other waiting for too long; that
		// one then pauses for a second.
		for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
			c.Keep(cp)
			settled(t, c)
			var err error
			if got, err = c.Load(context.Background(), cp.Mailbox, nil); err != nil {
				t.Fatal(err)
			}
			if got.List != nil && got.List.Equal(cp.List) {
				break
			}
		}
		return got
	}
	if got := written(other); got.List == nil || !got.List.Equal(other.List) {
		t.Errorf("the other mailbox is not written: %v", got)
	}
	p.kill(t)
	if got := written(mine); got.ModSeq != mine.ModSeq || !got.List.Equal(mine.List) {
		t.Errorf("the lease of a killed process is not taken over: %v", got)
	}
}

// TestTogether: two caches on one file, one after the other the writer.
func TestTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	a, b := open(t, path), open(t, path)
	cp := store.Checkpoint{Place: inbox, List: listOf(t, 500), ModSeq: 5, AsOf: time.UnixMilli(5)}
	a.Keep(cp)
	settled(t, a)
	b.Keep(store.Checkpoint{Place: inbox, List: listOf(t, 10), ModSeq: 6, AsOf: time.UnixMilli(6)})
	b.KeepSummaries(inbox, []*store.Summary{sumOf(1)})
	settled(t, b)
	if got := load(t, b); got.ModSeq != 5 || !got.List.Equal(cp.List) {
		t.Errorf("the other sees %v", got)
	}
	a.Close(time.Minute)
	next := store.Checkpoint{Place: inbox, List: listOf(t, 20), ModSeq: 7, AsOf: time.UnixMilli(7)}
	b.Keep(next)
	settled(t, b)
	if got := load(t, b); got.ModSeq != 7 || !got.List.Equal(next.List) {
		t.Errorf("after the writer closed: %v", got)
	}
}
