package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestMakeFlags(t *testing.T) {
	cases := []struct {
		names []string
		want  []string
	}{
		{nil, nil},
		{[]string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, `$Forwarded`, `\Recent`},
			[]string{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`, `$Forwarded`, `\Recent`}},
		{[]string{`\SEEN`, `\seen`, `$forwarded`}, []string{`\Seen`, `$Forwarded`}},
		{[]string{"zeta", "Alpha", `\Seen`}, []string{`\Seen`, "Alpha", "zeta"}},
		{[]string{"$JUNK", "$junk"}, []string{"$Junk"}}, // as it was first seen: here, at the start
		{[]string{""}, nil},
		{[]string{`\Sent`, `\`}, []string{`\`, `\Sent`}},
		{[]string{"a\x00b", "\xff\xfe"}, []string{"a\x00b", "\xff\xfe"}},
		{[]string{"\u212Aelvin"}, []string{"\u212Aelvin"}}, // a Kelvin sign is no k
	}
	for _, c := range cases {
		f := MakeFlags(c.names)
		if got := f.Names(); !slices.Equal(got, c.want) {
			t.Errorf("MakeFlags(%q).Names() = %q, want %q", c.names, got, c.want)
		}
		if !f.Known() || !f.Complete() {
			t.Errorf("MakeFlags(%q): known %v, complete %v", c.names, f.Known(), f.Complete())
		}
		if g := MakeFlags(f.Names()); g != f {
			t.Errorf("the names of %q make another set", c.names)
		}
	}
	if MakeFlags([]string{"one", "Two"}) != MakeFlags([]string{"TWO", "ONE", "two"}) {
		t.Error("order or case makes another set")
	}
	if f := MakeFlags([]string{"one"}); !f.HasKeyword("ONE") || f.HasKeyword("two") {
		t.Error("HasKeyword is wrong")
	}
	if f := Flags(0); f.Known() || f.Has(Seen) || f.Names() != nil {
		t.Error("the zero Flags know something")
	}
}

func TestWith(t *testing.T) {
	cases := []struct{ have, add, remove, want []string }{
		{nil, nil, nil, nil},
		{nil, []string{`\Seen`}, nil, []string{`\Seen`}},
		{[]string{`\Seen`, `\Flagged`}, nil, []string{`\SEEN`}, []string{`\Flagged`}},
		{[]string{`\Seen`, "work"}, []string{"home"}, []string{"WORK", `\Seen`}, []string{"home"}},
		{[]string{"work"}, []string{`\Seen`}, nil, []string{`\Seen`, "work"}},
		{[]string{"work"}, []string{"work", ""}, nil, []string{"work"}},
		{nil, []string{"both", `\Draft`}, []string{"both", `\Draft`}, []string{`\Draft`, "both"}},
		{[]string{"work"}, nil, []string{"home"}, []string{"work"}},
	}
	for _, c := range cases {
		if got := MakeFlags(c.have).With(c.add, c.remove); got != MakeFlags(c.want) {
			t.Errorf("%q with %q without %q: %q, want %q", c.have, c.add, c.remove, got.Names(), c.want)
		}
	}
	if f := Flags(0).With([]string{`\Seen`}, nil); f != 0 {
		t.Errorf("unknown flags with \\Seen are %q", f.Names())
	}
}

// Any sequence of With ends where a plain set of names would.
func TestWithAgainstSet(t *testing.T) {
	names := []string{`\Seen`, `\Flagged`, `\Deleted`, "$Junk", "$NotJunk", "prop-a", "prop-b", "prop-c"}
	rapid.Check(t, func(t *rapid.T) {
		f, set := NoFlags, map[string]bool{}
		some := rapid.SliceOfN(rapid.SampledFrom(names), 0, 4)
		for range rapid.IntRange(0, 10).Draw(t, "steps") {
			add, remove := some.Draw(t, "add"), some.Draw(t, "remove")
			f = f.With(add, remove)
			for _, n := range remove {
				delete(set, n)
			}
			for _, n := range add {
				set[n] = true
			}
		}
		got := map[string]bool{}
		for _, n := range f.Names() {
			got[n] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(set) {
			t.Fatalf("%v, want %v", got, set)
		}
	})
}

func TestFlagsOfEverydayAllocateNothing(t *testing.T) {
	sets := [][]string{
		nil, {`\Seen`}, {`\Seen`, `\Answered`, `$Forwarded`}, {`\Seen`, "NonJunk", "$MDNSent"}, {"$label1", `\recent`},
	}
	for _, names := range sets {
		MakeFlags(names)
		if got := testing.AllocsPerRun(100, func() { MakeFlags(names) }); got > 0 {
			t.Errorf("MakeFlags(%q): %v allocations", names, got)
		}
	}
	seen := []string{`\Seen`}
	f := MakeFlags([]string{"$Junk"})
	if got := testing.AllocsPerRun(100, func() { f.With(seen, nil); f.Keywords() }); got > 0 {
		t.Errorf("With and Keywords: %v allocations", got)
	}
}

// A server that mints keywords without end costs a bounded amount, and the
// flags say that they are not complete.
func TestEndlessKeywords(t *testing.T) {
	table := newKeywordTable(100, 50)
	flags := func(names ...string) Flags {
		var ks keywordSet
		for _, n := range names {
			ks.add(table, n)
		}
		return NoFlags | ks.flags(table)
	}
	incomplete := 0
	for i := range 5000 {
		f := flags(fmt.Sprintf("mint%d", i), "$Junk")
		if f.Complete() {
			if got := table.names(f.set()); !slices.Equal(got, []string{"$Junk", fmt.Sprintf("mint%d", i)}) {
				t.Fatalf("keywords %q of set %d", got, i)
			}
		} else {
			incomplete++
		}
	}
	// The empty set, 50 others, and $Junk alone, where only the minted name is lost.
	if len(table.named) > 100 || len(table.sets) > 52 || incomplete != 5000-50 {
		t.Errorf("%d keywords, %d sets, %d of 5000 incomplete", len(table.named), len(table.sets), incomplete)
	}
	// What every program uses still has its place.
	if f := flags("$Junk", "$label3"); !f.Complete() || !slices.Equal(table.names(f.set()), []string{"$Junk", "$Label3"}) {
		t.Errorf("$Junk $Label3: %q, complete %v", table.names(f.set()), f.Complete())
	}
	if f := flags(strings.Repeat("x", maxKeyword+1)); f.Complete() {
		t.Error("a keyword beyond the limit is said to be kept")
	}
	if f := flags(strings.Repeat("x", 1<<20), "$Junk"); f.Complete() || !slices.Equal(table.names(f.set()), []string{"$Junk"}) {
		t.Errorf("%q, complete %v", table.names(f.set()), f.Complete())
	}
	many := []string{}
	for i := range 2 * maxSetKeywords {
		many = append(many, fmt.Sprint("mint", i%80))
	}
	if f := flags(many...); f.Complete() {
		t.Error("a set beyond the limit is said to be complete")
	}
	if highest := uint64(maxKeywordSets) + 1<<len(wellKnown) + 1; highest >= setLimit {
		t.Errorf("%d sets do not fit in a Flags", highest)
	}
	if maxKeywords > 1<<16 {
		t.Error("a keyword's id does not fit")
	}
}

func TestFullKeywordTableIsBounded(t *testing.T) {
	names := make([]string, 2*maxKeywords) // as long as they may be
	for i := range names {
		names[i] = fmt.Sprintf("%0*d", maxKeyword, i)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var table *keywordTable
	got := heapOf(func() any {
		table = newKeywordTable(maxKeywords, maxKeywordSets)
		for range maxKeywordSets + 100 { // as large as they may be
			var ks keywordSet
			for range maxSetKeywords {
				ks.add(table, names[rng.IntN(len(names))])
			}
			ks.flags(table)
		}
		return table
	})
	if len(table.named) != maxKeywords || len(table.sets) != maxKeywordSets+1 {
		t.Fatalf("%d keywords and %d sets: the table is not full", len(table.named), len(table.sets))
	}
	t.Logf("%d bytes", got)
	if got > 24<<20 {
		t.Errorf("the full table takes %d bytes, want at most 24 MiB", got)
	}
}

func TestFlagsFromManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	got := make([][]Flags, 8)
	for g := range got {
		wg.Go(func() {
			for i := range 200 {
				f := MakeFlags([]string{fmt.Sprint("many", (i*7+g*13)%200), "many"})
				got[g] = append(got[g], f)
				if names := f.Keywords(); len(names) != 2 {
					t.Errorf("%q", names)
				}
			}
		})
	}
	wg.Wait()
	for g := range got {
		for i, f := range got[g] {
			if want := MakeFlags([]string{"MANY", fmt.Sprint("MANY", (i*7+g*13)%200)}); f != want {
				t.Fatalf("two goroutines made two sets of one")
			}
		}
	}
}

func FuzzMakeFlags(f *testing.F) {
	for _, s := range []string{"", `\Seen`, `\Seen $Forwarded`, "a b A", "\\ \\* \x00", "$Junk " + strings.Repeat("k", 200), "]["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		names := strings.Split(s, " ")
		fl := MakeFlags(names)
		if !fl.Known() {
			t.Fatal("not known")
		}
		kept := fl.Names()
		if fl.Complete() {
			if again := MakeFlags(kept); again != fl {
				t.Fatalf("%q makes %x, its names %q make %x", names, fl, kept, again)
			}
		}
		for _, k := range kept { // nothing that the server did not say
			if !containsFold(names, k) {
				t.Fatalf("%q has %q", names, k)
			}
		}
		for _, n := range names { // and all of it, or the flags say so
			if n != "" && fl.Complete() && !containsFold(kept, n) {
				t.Fatalf("%q lost %q", names, n)
			}
		}
		if again := fl.With(kept, nil); again != fl {
			t.Fatalf("%q with its own names is %q", kept, again.Names())
		}
		if none := fl.With(nil, kept); none&^partial != NoFlags {
			t.Fatalf("%q without its own names is %q", kept, none.Names())
		}
	})
}

func BenchmarkMakeFlags(b *testing.B) {
	for _, names := range [][]string{{`\Seen`}, {`\Seen`, `\Answered`}, {`\Seen`, "NonJunk"}, {"$Label1", "NonJunk", `\Seen`, "$MDNSent"}} {
		b.Run(strings.Join(names, " "), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				MakeFlags(names)
			}
		})
	}
}
