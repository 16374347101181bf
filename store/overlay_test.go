package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOverlayStacksInOrder(t *testing.T) {
	var o Overlay
	check := func(what string, uid UID, server, want Flags, wantPending bool) {
		t.Helper()
		if f, pending := o.Flags(uid, server); f != want || pending != wantPending {
			t.Errorf("%s: %q, pending %v, want %q, %v", what, f.Names(), pending, want.Names(), wantPending)
		}
	}
	check("nothing asked for", 1, NoFlags, NoFlags, false)
	o.Put(1, []UID{1, 2}, Effect{Add: []string{`\Flagged`}})
	o.Put(2, []UID{1}, Effect{Remove: []string{`\Flagged`}})
	check("set, then cleared", 1, NoFlags, NoFlags, true)
	check("set", 2, NoFlags, Flagged|NoFlags, true)
	check("another message", 3, NoFlags, NoFlags, false)
	check("flags that are not known", 2, 0, 0, true)
	o.End(1)
	check("the earlier has ended", 1, Flagged|NoFlags, NoFlags, true)
	check("its other message", 2, NoFlags, NoFlags, false)
	o.Put(3, []UID{1}, Effect{Add: []string{`\Flagged`}})
	check("set again", 1, NoFlags, Flagged|NoFlags, true)
	o.End(3)
	check("refused", 1, NoFlags, NoFlags, true)
	o.End(2)
	o.End(2)
	o.End(99)
	check("all ended", 1, Seen|NoFlags, Seen|NoFlags, false)
	if o.Len() != 0 || len(o.effects) != 0 {
		t.Errorf("%d commands, %d messages left", o.Len(), len(o.effects))
	}
}

func TestOverlayLeaving(t *testing.T) {
	var o Overlay
	if _, ok := o.Leaving(1); ok {
		t.Error("a message leaves an empty overlay")
	}
	o.Put(1, []UID{1}, Effect{Dest: "Archive"})
	o.Put(2, []UID{1}, Effect{Add: []string{`\Seen`}})
	o.Put(3, []UID{1}, Effect{Dest: "Trash"})
	if dest, ok := o.Leaving(1); !ok || dest != "Trash" {
		t.Errorf("leaving for %q, %v, want the last", dest, ok)
	}
	o.End(3)
	if dest, ok := o.Leaving(1); !ok || dest != "Archive" {
		t.Errorf("leaving for %q, %v, want the earlier one back", dest, ok)
	}
	if _, pending := o.Flags(1, NoFlags); !pending {
		t.Error("the flag is not pending")
	}
	o.End(2)
	if _, pending := o.Flags(1, NoFlags); pending {
		t.Error("a move has a part in the flags")
	}
	o.Reset()
	if _, ok := o.Leaving(1); ok || o.Len() != 0 {
		t.Error("Reset leaves something")
	}
	o.Put(4, []UID{1}, Effect{Dest: "Junk"})
	if dest, _ := o.Leaving(1); dest != "Junk" {
		t.Error("an overlay does not work after Reset")
	}
}

func TestOverlayKeepsNothingOfTheCaller(t *testing.T) {
	var o Overlay
	uids, add := []UID{1}, []string{`\Seen`}
	o.Put(1, uids, Effect{Add: add})
	uids[0], add[0] = 2, `\Flagged`
	if f, _ := o.Flags(1, NoFlags); f != Seen|NoFlags {
		t.Errorf("%q, want \\Seen", f.Names())
	}
	o.End(1)
	if len(o.effects) != 0 {
		t.Error("End missed a message")
	}
}

// Whatever comes and goes: an Overlay is the effects of the commands that have
// not ended, applied in the order of Put.
func TestOverlayAgainstReplay(t *testing.T) {
	names := []string{`\Seen`, `\Flagged`, "$Junk"}
	type put struct {
		id   uint64
		uids []UID
		e    Effect
	}
	rapid.Check(t, func(t *rapid.T) {
		var o Overlay
		var puts []put
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			id := rapid.Uint64Range(1, 6).Draw(t, "id")
			if rapid.Bool().Draw(t, "end") {
				o.End(id)
				puts = slices.DeleteFunc(puts, func(p put) bool { return p.id == id })
			} else {
				p := put{id, rapid.SliceOfN(rapid.Map(rapid.Uint32Range(1, 4), func(u uint32) UID { return UID(u) }), 0, 3).Draw(t, "uids"), Effect{
					Add:    rapid.SliceOfN(rapid.SampledFrom(names), 0, 2).Draw(t, "add"),
					Remove: rapid.SliceOfN(rapid.SampledFrom(names), 0, 2).Draw(t, "remove"),
					Dest:   rapid.SampledFrom([]string{"", "", "Archive", "Trash"}).Draw(t, "dest"),
				}}
				o.Put(p.id, p.uids, p.e)
				puts = append(puts, p)
			}
			ids := map[uint64]bool{}
			for _, p := range puts {
				ids[p.id] = true
			}
			if o.Len() != len(ids) {
				t.Fatalf("%d commands, want %d", o.Len(), len(ids))
			}
			for uid := UID(1); uid <= 4; uid++ {
				want, wantPending, wantDest := Flagged|NoFlags, false, ""
				for _, p := range puts {
					if !slices.Contains(p.uids, uid) {
						continue
					}
					if len(p.e.Add)+len(p.e.Remove) > 0 {
						want, wantPending = want.With(p.e.Add, p.e.Remove), true
					}
					if p.e.Dest != "" {
						wantDest = p.e.Dest
					}
				}
				if f, pending := o.Flags(uid, Flagged|NoFlags); f != want || pending != wantPending {
					t.Fatalf("UID %d: %q, %v, want %q, %v", uid, f.Names(), pending, want.Names(), wantPending)
				}
				if dest, ok := o.Leaving(uid); dest != wantDest || ok != (wantDest != "") {
					t.Fatalf("UID %d leaves for %q, want %q", uid, dest, wantDest)
				}
			}
		}
	})
}

// Commands on many messages and on few stack as if each were on one.
func TestOverlayOfManyMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o Overlay
		var model []struct {
			id     uint64
			lo, hi UID
			e      Effect
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				lo := UID(rapid.IntRange(1, 200).Draw(t, "lo"))
				hi := lo + UID(rapid.SampledFrom([]int{0, 3, fewUIDs - 1, fewUIDs, 500}).Draw(t, "more"))
				e := rapid.SampledFrom([]Effect{{}, {Dest: "A"}, {Dest: "B"}, {Add: []string{`\Seen`}}, {Remove: []string{`\Seen`}}}).Draw(t, "effect")
				var uids []UID
				for u := lo; u <= hi; u++ {
					uids = append(uids, u)
				}
				id := uint64(rapid.IntRange(1, 6).Draw(t, "id"))
				o.Put(id, uids, e)
				model = append(model, struct {
					id     uint64
					lo, hi UID
					e      Effect
				}{id, lo, hi, e})
			},
			"end": func(t *rapid.T) {
				id := uint64(rapid.IntRange(1, 6).Draw(t, "id"))
				o.End(id)
				rest := model[:0]
				for _, x := range model {
					if x.id != id {
						rest = append(rest, x)
					}
				}
				model = rest
			},
			"": func(t *rapid.T) {
				uid := UID(rapid.IntRange(1, 800).Draw(t, "uid"))
				want, pending, flagged, dest := NoFlags, false, false, ""
				for _, x := range model {
					if uid < x.lo || uid > x.hi {
						continue
					}
					pending = true
					if x.e.Dest != "" {
						dest = x.e.Dest
						continue
					}
					if len(x.e.Add)+len(x.e.Remove) > 0 {
						flagged = true
						want = want.With(x.e.Add, x.e.Remove)
					}
				}
				f, p := o.Flags(uid, NoFlags)
				d, leaving := o.Leaving(uid)
				if f != want || p != flagged || d != dest || leaving != (dest != "") || o.Pending(uid) != pending {
					t.Fatalf("UID %d: flags %q (%v), to %q (%v), pending %v; want %q (%v), %q, %v",
						uid, f.Names(), p, d, leaving, o.Pending(uid), want.Names(), flagged, dest, pending)
				}
			},
		})
		for id := range uint64(7) {
			o.End(id)
		}
		if o.Len() != 0 || len(o.effects) != 0 || len(o.wide) != 0 {
			t.Fatalf("%d commands, %d messages, %d wide effects left", o.Len(), len(o.effects), len(o.wide))
		}
	})
}
