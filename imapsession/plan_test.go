package imapsession

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tidings/store"
)

// What was looked up is looked up once, newest first within a list, and nothing
// is left out, whatever becomes known, arrives and goes meanwhile.
func TestCoveredAgainstASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := store.Place{Mailbox: "INBOX", UIDValidity: 1}
		list := new(store.List)
		next := store.UID(1)
		var server []store.UID
		var c covered
		looked := map[store.UID]bool{}
		change := func(ch store.Change) {
			if _, err := list.Apply(ch); err != nil {
				t.Fatalf("%+v: %v", ch, err)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"arrive", "know", "expunge", "look", "look"}).Draw(t, "step") {
			case "arrive":
				for range rapid.IntRange(1, 30).Draw(t, "n") {
					server = append(server, next)
					next += store.UID(rapid.IntRange(1, 3).Draw(t, "gap"))
				}
				change(store.Change{Kind: store.Exists, N: uint32(len(server))})
			case "know":
				if len(server) == 0 {
					continue
				}
				lo := rapid.IntRange(0, len(server)-1).Draw(t, "lo")
				hi := rapid.IntRange(lo, min(len(server)-1, lo+10)).Draw(t, "hi")
				for i := lo; i <= hi; i++ {
					if list.Row(i).UID == 0 {
						change(store.Change{Kind: store.Fill, Seq: uint32(i) + 1, UID: server[i], Flags: store.MakeFlags(nil)})
					}
				}
			case "expunge":
				if len(server) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(server)-1).Draw(t, "i")
				server = append(server[:i:i], server[i+1:]...)
				change(store.Change{Kind: store.Expunge, Seq: uint32(i) + 1})
			case "look":
				behind := 0
				list.Known(0, list.Len(), func(_ int, r store.Row) bool {
					if !looked[r.UID] {
						behind++
					}
					return true
				})
				for last := store.UID(0); ; {
					lo, hi, n := c.next(at, list)
					if n != behind {
						t.Fatalf("%d rows are left, and it says %d: %v", behind, n, c.runs)
					}
					if lo == hi {
						break
					}
					for i := lo; i < hi; i++ {
						u := list.Row(i).UID
						if u == 0 || looked[u] {
							t.Fatalf("row %d is looked up again, or unknown: %v", i, c.runs)
						}
						looked[u] = true
					}
					if last != 0 && list.Row(hi-1).UID > last {
						t.Fatal("not newest first")
					}
					last = list.Row(lo).UID
					behind -= hi - lo
					c.add(list, lo, hi)
					if rapid.Bool().Draw(t, "enough") {
						break
					}
				}
			}
		}
	})
}

func TestFillSet(t *testing.T) {
	many := make([]store.UID, 5000)
	for i := range many {
		many[i] = store.UID(1_000_000_000 - 2*i)
	}
	for _, test := range []struct {
		uids []store.UID
		set  string
		n    int
	}{
		{nil, "", 0},
		{[]store.UID{7}, "7", 1},
		{[]store.UID{9, 8, 7, 5, 3, 2}, "7:9,5,2:3", 6},
	} {
		if set, n := fillSet(test.uids); set != test.set || n != test.n {
			t.Errorf("%v: %q, %d", test.uids, set, n)
		}
	}
	set, n := fillSet(many)
	if len(set) > fillLine || n < 500 || n == len(many) {
		t.Errorf("%d UIDs in %d octets", n, len(set))
	}
	for _, u := range many[:n] {
		if !inSet(set, uint32(u), 0) {
			t.Fatalf("%d is not in it", u)
		}
	}
}

// Towards the end less is asked for at once, and at last what there is.
func TestLastChunksAreSmall(t *testing.T) {
	b := &New(Config{}).fill
	b.todo, b.behind = make([]store.UID, 3000), 3000
	var got []int
	for len(b.todo) > 0 {
		_, uids := b.take(2000)
		got = append(got, len(uids))
		b.behind = 0
	}
	if want := []int{2000, 500, fillLast, fillLast}; !slices.Equal(got, want) {
		t.Errorf("it takes %d, not %d", got, want)
	}
}

func TestPaceOfChunks(t *testing.T) {
	for _, rate := range []float64{1, 100, 20_000, 10e6} {
		p := pace{trip: 30e6, each: 1 / rate} // 30 ms
		for shared, atOnce := range map[bool]int{true: 2, false: 1} {
			n := p.chunk(fillFor, shared)
			if lasts := float64(atOnce*n) / rate; n != 1 && n != fillMost && (lasts > 0.08 || lasts < 0.07) {
				t.Errorf("at %v a second %d chunks of %d last %.3f s", rate, atOnce, n, lasts)
			}
		}
	}
	p := new(pace)
	if n := p.chunk(fillFor, true); n != fillFirst {
		t.Error("the first chunk is ", n)
	}
	now := time.Now()
	p.came(fillFirst, now.Add(-time.Hour))
	if n := p.chunk(fillFor, true); n != fillFirst {
		t.Error("the first chunk counts: the next is ", n)
	}
	p.ended = time.Time{}
	p.came(fillFirst, now.Add(-time.Minute))
	if n := p.chunk(fillFor, true); n != 1 {
		t.Error("the second does not: the next is ", n)
	}
}

// Chunks that are noticed in pairs, as on a busy machine, are not taken for fast
// ones.
func TestPaceOfChunksInPairs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := new(pace)
		for range 20 {
			began := time.Now()
			time.Sleep(98 * time.Millisecond)
			p.came(2000, began)
			time.Sleep(2 * time.Millisecond)
			p.came(2000, began)
			if rate := p.rate(); rate < 20_000 || rate > 80_000 {
				t.Fatalf("at 40,000 a second it is %.0f", rate)
			}
		}
	})
}
