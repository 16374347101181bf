package ui

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/cache"
)

var _ Searcher = (*cache.Cache)(nil)

// typedSearches are what the benchmark types, letter by letter: common words, rare
// ones, none, short ones, several, fields, negations and dates.
var typedSearches = []string{
	"report", "weekly budget", "zyxw", "invoice from:alice", "from:carol is:unread", "-re: deploy", "since:2024-06 ticket", "\"the second quarter\"",
	"is:flagged or subject:build", "list:talk -from:bob",
}

// searchLetter is one of the messages that the benchmark searches.
func searchLetter(uid store.UID, rng *rand.Rand) *store.Summary {
	names := [...]string{"Alice Archer", "Bob Baker", "Carol Cooper", "Dan Dyer", "Élodie Ébène", "Frank Fuller", "Grace Glover", "Łukasz Lis"}
	words := [...]string{"report", "weekly", "budget", "deploy", "ticket", "build", "invoice", "quarter", "window", "holiday", "review", "Größe", "minutes", "release", "order", "agenda", "lantern", "beacon", "harbour", "tide"}
	who := names[min(int(rng.ExpFloat64()*2), len(names)-1)]
	raw := fmt.Sprintf("user%d@example.org", min(int(rng.ExpFloat64()*200), 4999))
	word := func() string { return words[min(int(rng.ExpFloat64()*5), len(words)-1)] }
	at := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(100_000-int(uid)) * 7 * time.Minute)
	s := &store.Summary{
		UID: uid, Internal: at, Date: at, Size: 3000 + int64(rng.ExpFloat64()*30000), Mixed: uid%9 == 0,
		From:    []store.Address{{Name: safetext.Clean(who), Addr: safetext.Clean(raw), Raw: raw}},
		To:      []store.Address{{Name: safetext.Clean("Team"), Addr: safetext.Clean("team@example.com"), Raw: "team@example.com"}},
		Subject: safetext.Clean(fmt.Sprintf("%s%s %s and the %s of %s %d", [...]string{"", "Re: ", ""}[uid%3], word(), word(), word(), word(), uid%10_000)),
	}
	if uid%5 == 0 {
		s.ListID = safetext.Clean("Talk <talk.lists.example.com>")
	}
	return s
}

// BenchmarkSearchKey types searches into a screen with 100,000 messages in a cache
// on disk, and reports how long it takes from a key to the frame that shows what
// it finds: the middle, the 95th of a hundred, and the longest.
func BenchmarkSearchKey(b *testing.B) {
	const n = 100_000
	c := cache.Open(cache.Options{Path: filepath.Join(b.TempDir(), "a.db"), Bodies: 64 << 20, Text: func(m []byte) string { return string(m) }})
	defer c.Close(time.Minute)
	at := store.Place{Mailbox: "INBOX", UIDValidity: fakeValidity}
	rng := rand.New(rand.NewPCG(4, 2))
	var list store.Builder
	var sums []*store.Summary
	for uid := store.UID(1); uid <= n; uid++ {
		f := store.NoFlags
		if uid%20 != 0 {
			f |= store.Seen
		}
		if uid%500 == 0 {
			f |= store.Flagged
		}
		if err := list.Add(store.Row{UID: uid, Flags: f}); err != nil {
			b.Fatal(err)
		}
		sums = append(sums, searchLetter(uid, rng))
		if uid%50 == 0 { // 2,000 texts are kept
			var text []byte
			for range 30 {
				text = append(append(text, searchLetter(uid, rng).Subject.String()...), '\n')
			}
			c.KeepBody(at, uid, text, true)
		}
		if len(sums) == 8192 || uid == n {
			c.KeepSummaries(at, sums)
			if err := c.Settled(context.Background()); err != nil {
				b.Fatal(err)
			}
			sums = nil
		}
	}
	l := list.List()
	c.Keep(store.Checkpoint{Place: at, List: l.Snapshot(), AsOf: time.Now()})
	if err := c.Settled(context.Background()); err != nil {
		b.Fatal(err)
	}

	msgs := make(chan tea.Msg, 1024)
	session := newFakeSession()
	m := newModel(Options{Environ: []string{"TERM=xterm-256color", "LANG=C.UTF-8"}, Accounts: []Account{{Name: safetext.Const("work"), Session: session, Cache: c, Probe: time.Minute}}})
	done := make(chan struct{})
	defer close(done)
	m.done = done
	var run func(tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		go func() {
			switch msg := cmd().(type) {
			case nil:
			case tea.BatchMsg:
				for _, cmd := range msg {
					run(cmd)
				}
			default:
				msgs <- msg
			}
		}()
	}
	update := func(msg tea.Msg) {
		_, cmd := m.Update(msg)
		run(cmd)
		m.frame()
		for _, f := range m.shown {
			f()
		}
		m.shown = nil
	}
	run(m.Init())
	update(tea.WindowSizeMsg{Width: 120, Height: 40})
	update(batchMsg{0, []imapsession.Event{
		imapsession.StateEvent{State: imapsession.Live},
		imapsession.ResyncEvent{Epoch: 1, Mailbox: "INBOX", UIDValidity: fakeValidity, List: l},
	}})
	a := m.accounts[0]
	// shown tells that the rows on screen are what the search found first.
	shown := func() bool {
		if m.search.err != nil && !m.search.err.Open || a.finding.query.Root == nil {
			return true
		}
		if !a.finding.shown || a.view.next != nil || a.view.proj == nil {
			return false
		}
		lo, hi, ok := a.view.bounds()
		for i := lo; ok && i < hi; i++ {
			if a.known(i).summary == nil {
				return false
			}
		}
		return true
	}
	var took []time.Duration
	for b.Loop() {
		for _, q := range typedSearches {
			update(tea.KeyPressMsg{Code: '/', Text: "/"})
			for _, r := range q {
				began := time.Now()
				update(tea.KeyPressMsg{Code: r, Text: string(r)})
				for !shown() {
					update(<-msgs)
				}
				took = append(took, time.Since(began))
			}
			update(tea.KeyPressMsg{Code: tea.KeyEscape})
		}
	}
	slices.Sort(took)
	at95 := took[len(took)*95/100]
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "ms/key-p50")
	b.ReportMetric(float64(at95.Microseconds())/1e3, "ms/key-p95")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1e3, "ms/key-max")
	b.ReportMetric(0, "ns/op")
}
