package wire

import (
	"fmt"
	"testing"
	"unsafe"
)

// TestQueueKeepsOrder: events come out as they went in, over chunks, whether
// taken by Events or Each, also those that come while Each runs.
func TestQueueKeepsOrder(t *testing.T) {
	tap := New(&feeder{}, Options{})
	next, want := uint32(0), uint32(0)
	put := func(n int) {
		for range n {
			next++
			var err error
			if next%3 == 0 {
				err = tap.push(Event{Kind: KindStatus, Num: next, Text: fmt.Sprint(next)})
			} else {
				err = tap.enqueue(queued{kind: KindExists, num: next}, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(ev *Event) {
		if want++; ev.Num != want {
			t.Fatalf("event %d, want %d", ev.Num, want)
		}
		if ev.Kind == KindStatus && ev.Text != fmt.Sprint(want) {
			t.Fatalf("text %q of event %d", ev.Text, want)
		}
	}
	for _, n := range []int{1, chunk - 1, chunk, chunk + 1, 5*chunk + 3, 0, 2} {
		put(n)
		fed := false
		tap.Each(func(ev *Event) {
			check(ev)
			if !fed {
				fed = true
				put(2)
			}
		})
		for _, ev := range tap.Events() {
			check(&ev)
		}
	}
	if want != next || tap.queue.count != 0 {
		t.Errorf("%d of %d events came out", want, next)
	}
}

// TestQueueIsSmall: a million changes of flags that nobody has taken yet cost
// about 40 octets each.
func TestQueueIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(queued{}); size > 40 {
		t.Errorf("a queued event takes %d octets", size)
	}
	var l flagLists
	for range 1000 {
		got, ok := l.parse(&cursor{b: []byte(`(\Seen $Junk)`)})
		if !ok || got != l.lists[`(\Seen $Junk)`] || got.size != 0 {
			t.Fatal("a flag list is not shared")
		}
	}
	for i := range 2000 {
		got, _ := l.parse(&cursor{b: fmt.Appendf(nil, "(k%d)", i)})
		if i > maxInterned && got.size == 0 {
			t.Fatal("a flag list that is not shared costs nothing")
		}
	}
	if len(l.lists) > maxInterned || len(l.names) > maxInterned {
		t.Errorf("%d lists and %d names are kept", len(l.lists), len(l.names))
	}
}
