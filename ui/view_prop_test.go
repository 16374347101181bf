package ui

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// shelf is a cache in memory: what a test puts on it is kept.
type shelf struct {
	t    reporter
	sums map[store.UID]*store.Summary
	// late, if not nil, has what is kept only when it has settled.
	late map[store.UID]*store.Summary
}

func (s *shelf) Settled(context.Context) error {
	maps.Copy(s.sums, s.late)
	return nil
}

func (s *shelf) Summaries(_ context.Context, _ store.Place, uids []store.UID) (found []*store.Summary, err error) {
	for _, uid := range uids {
		if sum := s.sums[uid]; sum != nil {
			found = append(found, sum)
		}
	}
	return found, nil
}

func (s *shelf) Body(context.Context, store.Place, store.UID) ([]byte, error) { return nil, nil }
func (s *shelf) KeepSelected(store.Place, store.UID)                          {}
func (s *shelf) Near(context.Context, store.Place, time.Time) (store.UID, bool, error) {
	return 0, false, nil
}

func (s *shelf) sorted(by store.SortKey) []*store.Summary {
	return slices.SortedFunc(maps.Values(s.sums), func(a, b *store.Summary) int { return store.Compare(by, a, b) })
}

func (s *shelf) Sorted(_ context.Context, _ store.Place, by store.SortKey) (uids []store.UID, err error) {
	for _, sum := range s.sorted(by) {
		uids = append(uids, sum.UID)
	}
	return uids, nil
}

func (s *shelf) Since(_ context.Context, _ store.Place, t time.Time) (uids []store.UID, err error) {
	for _, sum := range s.sorted(store.ByArrival) {
		if !when(sum).Before(t) {
			uids = append(uids, sum.UID)
		}
	}
	return uids, nil
}

func (s *shelf) Kin(_ context.Context, _ store.Place, yield func(store.Kin) bool) error {
	for _, sum := range s.sorted(store.ByArrival) {
		if !yield(store.KinOf(sum)) {
			break
		}
	}
	return nil
}

var (
	_ Cache  = (*shelf)(nil)
	_ Sorter = (*shelf)(nil)
)

// odd makes message uid one of many that are alike, in few conversations.
func odd(uid store.UID) *store.Summary {
	n := int(uid)
	s := &store.Summary{
		UID: uid, Size: int64(n*7919%5) * 1000, Internal: fakeNow.Add(-time.Duration(n*37%60) * time.Hour), Date: fakeNow.Add(-time.Duration(n*13%11) * time.Hour),
		Subject: safetext.Clean(fmt.Sprintf("%s%c", []string{"", "Re: "}[n%2], 'a'+n*7%9)), MessageID: fmt.Sprint(n),
		From: []store.Address{{Name: safetext.Clean(fmt.Sprintf("%c", 'p'-n*5%7))}},
	}
	switch n % 4 {
	case 1: // an answer, perhaps to what comes later or never
		s.References = []string{fmt.Sprint(n * 31 % 40)}
	case 2:
		s.InReplyTo = []string{fmt.Sprint(n - n%3)}
	}
	return s
}

// TestViews lets anything happen while views of any kind are open, and holds them
// against filtering and sorting from the beginning. The selection stays on its
// message.
func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer func() {
			time.Sleep(time.Hour)
			synctest.Wait()
		}()
		time.Sleep(time.Until(fakeNow))
		rapid.Check(timeless{t}, anyView)
	})
}

func anyView(t *rapid.T) {
	kept := &shelf{t: t, sums: map[store.UID]*store.Summary{}}
	with := rapid.Bool().Draw(t, "cache")
	p := sitDown(t, 60, rapid.IntRange(6, 30).Draw(t, "height"), func(o *Options) {
		if with {
			o.Accounts[0].Cache = kept
		}
	})
	f := p.server()
	a := p.m.accounts[0]
	v := &a.view
	known := map[store.UID]bool{} // summaries that came, or are kept
	bring := func(uid store.UID, how string) {
		s := odd(uid)
		switch how {
		case "kept": // by the session: the screen is not told
			kept.sums[uid] = s
		case "said":
			kept.sums[uid] = s
			f.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{s}})
		}
		known[uid] = true
	}
	f.start(0)
	n := rapid.IntRange(0, 40).Draw(t, "messages")
	for range n {
		f.apply(store.Change{Kind: store.Exists, N: uint32(f.list.Len() + 1)})
		f.apply(store.Change{Kind: store.Fill, Seq: uint32(f.list.Len()), UID: f.nextUID, Flags: store.MakeFlags(rapid.SampledFrom([][]string{{`\Seen`}, {}, {`\Seen`, `\Flagged`}}).Draw(t, "flags"))})
		if rapid.IntRange(0, 9).Draw(t, "late") > 0 {
			how := "said"
			if with {
				how = rapid.SampledFrom([]string{"kept", "said"}).Draw(t, "how")
			}
			bring(f.nextUID, how)
		}
		f.nextUID++
	}
	f.say(f.resync())
	p.idle()

	ever := map[store.UID]bool{} // of a view of conversations: what was ever in it
	var of *projection
	// settle waits for what is looked for in the background.
	settle := func() {
		p.idle()
		p.wait(3 * time.Second)
	}
	// quietly runs what must leave the selection on its message.
	quietly := func(do func()) {
		uid, tomb := v.uid, v.tomb
		do()
		settle()
		if uid == 0 || v.uid == uid {
			return
		}
		if _, alive := f.list.Find(uid); alive || !tomb {
			t.Fatalf("the selection went from message %d to %d", uid, v.uid)
		}
	}
	uidOf := func(t *rapid.T) store.UID {
		if f.list.Len() == 0 {
			t.Skip("empty")
		}
		uid := f.list.Row(rapid.IntRange(0, f.list.Len()-1).Draw(t, "row")).UID
		if uid == 0 {
			t.Skip("not known")
		}
		return uid
	}
	t.Repeat(map[string]func(*rapid.T){
		"deliver": func(t *rapid.T) {
			quietly(func() {
				for range rapid.IntRange(1, 4).Draw(t, "messages") {
					uid := f.deliver(true)
					if rapid.IntRange(0, 4).Draw(t, "late") > 0 {
						bring(uid, "said")
					}
				}
			})
		},
		"expunge": func(t *rapid.T) {
			quietly(func() {
				for range rapid.IntRange(1, 3).Draw(t, "messages") {
					if f.list.Len() > 0 {
						f.expunge(uidOf(t))
					}
				}
			})
		},
		"flags": func(t *rapid.T) {
			quietly(func() {
				f.flag(uidOf(t), rapid.SampledFrom([][]string{{}, {`\Seen`}, {`\Flagged`}, {`\Seen`, `\Flagged`}}).Draw(t, "flags")...)
			})
		},
		"a summary": func(t *rapid.T) {
			uid := uidOf(t)
			quietly(func() { bring(uid, "said") })
		},
		"summaries behind the screen's back": func(t *rapid.T) {
			if !with {
				t.Skip("no cache")
			}
			quietly(func() {
				for uid := store.UID(1); uid < f.nextUID; uid++ {
					if _, there := f.list.Find(uid); there && !known[uid] {
						bring(uid, "kept")
					}
				}
				f.say(imapsession.ProgressEvent{Done: 1, Total: 1, Ended: true})
			})
		},
		"resync": func(t *rapid.T) {
			quietly(func() {
				var gone []store.UID
				for range rapid.IntRange(0, 2).Draw(t, "gone") {
					if f.list.Len() > 0 {
						seq := rapid.IntRange(1, f.list.Len()).Draw(t, "seq")
						gone = append(gone, f.list.Row(seq-1).UID)
						f.apply(store.Change{Kind: store.Expunge, Seq: uint32(seq)})
					}
				}
				ev := f.resync()
				ev.Gone = gone
				f.say(ev)
			})
		},
		"view": func(t *rapid.T) {
			p.press(rapid.SampledFrom([]string{"f u", "f f", "f t", "f a", "S a", "S d", "S f", "S s", "S z", "t", "esc esc"}).Draw(t, "keys"))
			if rapid.Bool().Draw(t, "at once") {
				settle()
			}
		},
		"fold": func(t *rapid.T) { p.press("z") },
		"move": func(t *rapid.T) {
			p.press(rapid.SampledFrom([]string{"j", "k", "g", "G", "n", "p", "ctrl+d"}).Draw(t, "key"))
		},
		"read": func(t *rapid.T) { p.press("enter esc") },
		"search": func(t *rapid.T) {
			var hits []store.UID
			for range rapid.IntRange(0, 5).Draw(t, "hits") {
				hits = append(hits, store.UID(rapid.IntRange(1, int(f.nextUID)).Draw(t, "hit")))
			}
			sort := rapid.SampledFrom([]store.SortKey{store.ByArrival, store.BySize}).Draw(t, "sort")
			more := store.UID(rapid.IntRange(1, int(f.nextUID)).Draw(t, "hit"))
			spec := viewSpec{show: showFound, found: hits, query: safetext.Const("words"), sort: sort,
				match: func(s *store.Summary, _ store.Flags) bool { return s.UID%3 == 0 }}
			p.send(barrierMsg{func(m *Model) { m.setView(a, spec) }})
			p.send(barrierMsg{func(m *Model) { m.addFound(a, []store.UID{more}) }})
			settle()
		},
		"": func(t *rapid.T) {
			if v.next != nil {
				return
			}
			checkView(t, v, f)
			if v.proj != nil {
				settle()
				if v.proj != of { // made anew, from what is there
					clear(ever)
					of = v.proj
				}
				checkProjection(t, a, f, known, kept, ever)
			}
		},
	})
}

// checkProjection holds a view against filtering and sorting from the beginning.
func checkProjection(t *rapid.T, a *account, f *fakeSession, known map[store.UID]bool, kept *shelf, ever map[store.UID]bool) {
	p := a.view.proj
	if p == nil || p.stale || a.view.next != nil {
		return
	}
	var want []*store.Summary
	waits := 0
	for i := range f.list.Len() {
		r := f.list.Row(i)
		s := odd(r.UID)
		has := known[r.UID]
		if a.cfg.Cache == nil {
			has = a.sums.Peek(r.UID) != nil
		}
		belongs := p.stays[r.UID]
		byKey := p.spec.sort != store.ByArrival || p.spec.threads
		switch p.spec.show {
		case showAll:
			belongs = true
		case showUnread:
			belongs = belongs || !r.Flags.Has(store.Seen)
		case showFlagged:
			belongs = belongs || r.Flags.Has(store.Flagged)
		case showToday:
			if !has && !belongs {
				waits++
			}
			belongs = has && !when(s).Before(p.since) || belongs
		case showFound:
			belongs = p.found[r.UID]
		}
		switch {
		case belongs && (has || !byKey):
			want = append(want, s)
		case belongs:
			waits++
		}
	}
	if p.spec.show != showFound && p.waiting() != waits {
		t.Fatalf("%d are said to wait, want %d (%+v)", p.waiting(), waits, p.spec)
	}
	if p.spec.threads {
		checkThreads(t, a, want, ever)
		return
	}
	slices.SortFunc(want, func(x, y *store.Summary) int { return store.Compare(p.spec.sort, x, y) })
	var got, wanted []store.UID
	p.order.All(0, func(_ int, uid store.UID) bool {
		got = append(got, uid)
		return true
	})
	for _, s := range want {
		wanted = append(wanted, s.UID)
	}
	if !slices.Equal(got, wanted) {
		t.Fatalf("the view (%+v) has %v, want %v", p.spec, got, wanted)
	}
}

// checkThreads holds conversations against those of all messages that were ever
// in the view, found anew.
func checkThreads(t *rapid.T, a *account, want []*store.Summary, ever map[store.UID]bool) {
	p := a.view.proj
	there := map[store.UID]bool{}
	for _, s := range want {
		ever[s.UID], there[s.UID] = true, true
	}
	naive := map[uint64]int{} // names to conversations
	of := map[store.UID]int{}
	for uid := range ever {
		k := store.KinOf(odd(uid))
		names := append([]uint64{k.ID}, k.Refs...)
		if len(k.Refs) == 0 {
			names = append(names, store.KinID("subject "+k.Base))
		}
		c := int(uid)
		for _, name := range names {
			if old, ok := naive[name]; ok && old != c {
				for n, x := range naive {
					if x == old {
						naive[n] = c
					}
				}
				for u, x := range of {
					if x == old {
						of[u] = c
					}
				}
			}
			naive[name] = c
		}
		of[uid] = c
	}
	byThread := map[int][]store.UID{}
	for _, s := range want {
		byThread[of[s.UID]] = append(byThread[of[s.UID]], s.UID)
	}
	var rows []store.UID
	p.order.All(0, func(_ int, uid store.UID) bool {
		rows = append(rows, uid)
		return true
	})
	slices.Reverse(rows) // as they stand on screen
	threads := slices.SortedFunc(maps.Values(byThread), func(x, y []store.UID) int { return int(slices.Max(y)) - int(slices.Max(x)) })
	for _, members := range threads {
		newest := slices.Max(members)
		if !p.threads.Has(newest) {
			t.Fatalf("message %d is in no conversation", newest)
		}
		if got := p.threads.Members(newest); !slices.Equal(got, slices.Sorted(slices.Values(members))) {
			t.Fatalf("the conversation of %d has %v, want %v; ever %v, there %v", newest, got, members, slices.Sorted(maps.Keys(ever)), slices.Sorted(maps.Keys(there)))
		}
		show := 1
		if p.threads.Open(newest) {
			show = len(members)
		}
		if len(rows) < show {
			t.Fatalf("%d rows are left for %v", len(rows), members)
		}
		shown := rows[:show]
		rows = rows[show:]
		for _, uid := range shown {
			if !slices.Contains(members, uid) {
				t.Fatalf("message %d stands among %v", uid, members)
			}
		}
		if show == 1 && shown[0] != newest && shown[0] != a.view.uid {
			t.Fatalf("a folded conversation is shown by %d; its newest is %d, selected is %d", shown[0], newest, a.view.uid)
		}
		unread := 0
		for _, uid := range members {
			if i, ok := a.view.list.Find(uid); ok && !a.view.list.Row(i).Flags.Has(store.Seen) {
				unread++
			}
		}
		if n, u := p.threads.Size(newest); n != len(members) || u != unread {
			t.Fatalf("the conversation of %d is said to have %d messages, %d unread; want %d and %d", newest, n, u, len(members), unread)
		}
	}
	if len(rows) > 0 {
		t.Fatalf("rows %v are of no conversation", rows)
	}
}
