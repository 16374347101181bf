package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// orderModel is an Order as plain as can be: a slice of UIDs, and for each row of
// the List whether it waits.
type orderModel struct {
	uids  []UID
	waits []bool
}

// TestOrder holds an Order against the plain model through anything that may
// happen to it and to its List.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 7, 600, 2500}).Draw(t, "rows")
		var b Builder
		next := UID(1)
		for range n {
			next += UID(rapid.IntRange(1, 3).Draw(t, "step"))
			if err := b.Add(Row{UID: next, Flags: NoFlags}); err != nil {
				t.Fatal(err)
			}
		}
		l := b.List()
		pick := rapid.IntRange(1, 4).Draw(t, "one in")
		m := &orderModel{waits: make([]bool, n)}
		var uids []UID
		l.Known(0, n, func(i int, r Row) bool {
			switch {
			case i%pick == 0:
				uids = append(uids, r.UID)
			case i%pick == 2:
				m.waits[i] = true
			}
			return true
		})
		slices.SortFunc(uids, func(a, b UID) int { return int(a*2654435761%1009) - int(b*2654435761%1009) })
		m.uids = slices.Clone(uids)
		uids = append(uids, 0, 1, next+7) // none of them is there, nor may one come twice
		if len(m.uids) > 0 {
			uids = append(uids, m.uids[0])
		}
		waiting := map[UID]bool{}
		for i, w := range m.waits {
			if w {
				waiting[l.Row(i).UID] = true
			}
		}
		o := NewOrder(l, uids, func(r Row) bool { return waiting[r.UID] })
		apply := func(c Change) Applied {
			a, err := l.Apply(c)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(t *rapid.T) {
				c := Change{Kind: Exists, N: uint32(l.Len() + rapid.SampledFrom([]int{1, 2, 1500}).Draw(t, "rows"))}
				a := apply(c)
				o.Follow(c, a)
				for range a.Count {
					m.waits = append(m.waits, true)
				}
				for i := a.Index; i < l.Len(); i++ {
					next++
					c := Change{Kind: Fill, Seq: uint32(i + 1), UID: next, Flags: NoFlags}
					o.Follow(c, apply(c))
				}
			},
			"expunge": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 5, 400}).Draw(t, "rows") {
					if l.Len() == 0 {
						return
					}
					i := rapid.IntRange(0, l.Len()-1).Draw(t, "row")
					c := Change{Kind: Expunge, Seq: uint32(i + 1)}
					a := apply(c)
					at := slices.Index(m.uids, a.Old.UID)
					p, gone := o.Follow(c, a)
					if gone != (at >= 0) || gone && p != at {
						t.Fatalf("message %d went from position %d (%v), want %d", a.Old.UID, p, gone, at)
					}
					m.waits = slices.Delete(m.waits, i, i+1)
					if gone {
						m.uids = slices.Delete(m.uids, at, at+1)
					}
				}
			},
			"insert": func(t *rapid.T) {
				where := rapid.SampledFrom([]string{"end", "start", "one place", "anywhere"}).Draw(t, "where")
				p := rapid.IntRange(0, len(m.uids)).Draw(t, "position")
				l.Rows(0, l.Len(), func(i int, r Row) bool {
					if slices.Contains(m.uids, r.UID) || i%7 == 3 {
						return true
					}
					switch where {
					case "end":
						p = len(m.uids)
					case "start":
						p = 0
					case "anywhere":
						p = (p*31 + i) % (len(m.uids) + 1)
					}
					if !o.Insert(p, r.UID) {
						t.Fatalf("message %d could not be inserted at %d", r.UID, p)
					}
					m.uids = slices.Insert(m.uids, p, r.UID)
					m.waits[i] = false
					return i < 3000
				})
			},
			"remove": func(t *rapid.T) {
				for range rapid.SampledFrom([]int{1, 5, 400}).Draw(t, "rows") {
					if len(m.uids) == 0 {
						return
					}
					at := rapid.IntRange(0, len(m.uids)-1).Draw(t, "position")
					if p, ok := o.Remove(m.uids[at]); !ok || p != at {
						t.Fatalf("removed from %d (%v), want %d", p, ok, at)
					}
					m.uids = slices.Delete(m.uids, at, at+1)
				}
			},
			"mark": func(t *rapid.T) {
				if l.Len() == 0 {
					return
				}
				i, w := rapid.IntRange(0, l.Len()-1).Draw(t, "row"), rapid.Bool().Draw(t, "waits")
				o.Mark(i, w)
				if !slices.Contains(m.uids, l.Row(i).UID) {
					m.waits[i] = w
				}
			},
			"another list": func(*rapid.T) {
				l = l.Snapshot()
				o.Rebind(l)
			},
			"": func(t *rapid.T) {
				if o.Len() != len(m.uids) {
					t.Fatalf("%d positions, want %d", o.Len(), len(m.uids))
				}
				if o.Insert(0, next+99) || len(m.uids) > 0 && o.Insert(0, m.uids[0]) {
					t.Fatal("what is not there, or there already, was inserted")
				}
				o.All(0, func(p int, uid UID) bool {
					if uid != m.uids[p] {
						t.Fatalf("position %d has %d, want %d", p, uid, m.uids[p])
					}
					return true
				})
				for p, uid := range m.uids {
					if q, ok := o.Pos(uid); p%37 == 0 && (!ok || p != q || o.At(p) != uid) {
						t.Fatalf("message %d is said to be at %d (%v), want %d", uid, q, ok, p)
					}
				}
				n := 0
				there := map[UID]bool{}
				for _, u := range m.uids {
					there[u] = true
				}
				for i, w := range m.waits {
					want := Apart
					switch {
					case there[l.Row(i).UID]:
						want = Stands
					case w:
						want = Waits
						n++
					}
					if got := o.Standing(i); got != want {
						t.Fatalf("row %d, message %d: standing %d, want %d", i, l.Row(i).UID, got, want)
					}
				}
				if o.Waiting() != n {
					t.Fatalf("%d rows wait, want %d", o.Waiting(), n)
				}
			},
		})
	})
}
