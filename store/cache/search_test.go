package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// searchAll goes through a search to its end.
func searchAll(t testing.TB, c *Cache, q query.Query, most int) []store.UID {
	t.Helper()
	var all []store.UID
	for below := store.UID(0); ; {
		uids, next, err := c.Search(context.Background(), inbox, q, below, most)
		if err != nil {
			t.Fatal(err)
		}
		if len(uids) > most {
			t.Fatalf("%d at once, not %d", len(uids), most)
		}
		all = append(all, uids...)
		if next == 0 {
			return all
		}
		if below != 0 && next >= below {
			t.Fatalf("below %d it goes on at %d", below, next)
		}
		below = next
	}
}

// letters are the mailbox of the tests: what a word can stand in, in many ways.
type letters struct {
	rng   *rand.Rand
	sums  map[store.UID]*store.Summary
	flags map[store.UID]store.Flags
	texts map[store.UID]string
	rows  []store.UID
}

var searchWords = strings.Fields(`invoice Rechnung Grüße Ångström café naïve weekly report go re fwd Zoë Ünïcödé 42 ok
	build failed passed x y a_b "quoted" don't ½ ﬁnal Ǆ żółć İstanbul straße DŽ 日本語のメール почта é́ö a,b c<d>`)

func (l *letters) words(n int) string {
	var ws []string
	for range l.rng.IntN(n + 1) {
		ws = append(ws, searchWords[l.rng.IntN(len(searchWords))])
	}
	return strings.Join(ws, " ")
}

func (l *letters) addresses(n int) []store.Address {
	var as []store.Address
	for range l.rng.IntN(n + 1) {
		raw := searchWords[l.rng.IntN(16)] + "@example.org"
		as = append(as, store.Address{Name: safetext.Clean(l.words(2)), Addr: safetext.Clean(raw), Raw: raw})
	}
	return as
}

// makeLetters makes n messages: of some the flags, the date, the summary or the
// row are not known, of a few there is a text.
func makeLetters(seed uint64, n int) *letters {
	l := &letters{rand.New(rand.NewPCG(seed, 1)), map[store.UID]*store.Summary{}, map[store.UID]store.Flags{}, map[store.UID]string{}, nil}
	uid := store.UID(0)
	for range n {
		uid += 1 + store.UID(l.rng.IntN(3))
		if l.rng.IntN(20) > 0 {
			s := &store.Summary{
				UID: uid, Size: int64(l.rng.IntN(4000)), From: l.addresses(1), To: l.addresses(2), Cc: l.addresses(1),
				Subject: safetext.Clean(l.words(5)), Mixed: l.rng.IntN(4) == 0,
			}
			if l.rng.IntN(3) == 0 {
				s.ListID = safetext.Clean(l.words(1) + " <" + searchWords[l.rng.IntN(8)] + ".example.org>")
			}
			if l.rng.IntN(10) > 0 {
				s.Internal = time.Date(2024, 2, 27, 20, 0, 0, 0, time.FixedZone("", l.rng.IntN(25)*3600-12*3600)).Add(time.Duration(l.rng.IntN(96)) * time.Hour)
			}
			l.sums[uid] = s
		}
		if l.rng.IntN(20) > 0 || l.sums[uid] == nil {
			l.rows = append(l.rows, uid)
			l.flags[uid] = 0
			if l.rng.IntN(10) > 0 {
				l.flags[uid] = store.NoFlags | store.Flags(l.rng.IntN(8))
				if l.rng.IntN(5) == 0 {
					l.flags[uid] = l.flags[uid].With([]string{"$Work"}, nil)
				}
			}
		}
		if l.rng.IntN(8) == 0 {
			l.texts[uid] = l.words(12)
		}
	}
	return l
}

func (l *letters) keep(t testing.TB, c *Cache) {
	t.Helper()
	var b store.Builder
	for _, uid := range l.rows {
		if err := b.Add(store.Row{UID: uid, Flags: l.flags[uid]}); err != nil {
			t.Fatal(err)
		}
	}
	c.Keep(store.Checkpoint{Place: inbox, List: b.List(), AsOf: time.Now()})
	var sums []*store.Summary
	for _, s := range l.sums {
		sums = append(sums, s)
	}
	c.KeepSummaries(inbox, sums)
	for uid, text := range l.texts {
		if text != "" {
			c.KeepBody(inbox, uid, []byte(text), true)
		}
	}
	settled(t, c)
}

// want goes through all messages with the Matcher.
func (l *letters) want(q query.Query) []store.UID {
	var uids []store.UID
	m := q.Matcher()
	for _, uid := range slices.Backward(l.rows) {
		msg := query.Message{Summary: l.sums[uid], Flags: l.flags[uid]}
		if text := l.texts[uid]; text != "" {
			text = query.Fold(text)
			msg.Text = &text
		}
		if m.Match(msg) == query.Matches {
			uids = append(uids, uid)
		}
	}
	return uids
}

// node makes a query of what the letters hold, mostly.
func (l *letters) node(depth int) query.Node {
	switch k := l.rng.IntN(8); {
	case k == 0 && depth > 0:
		return query.And{l.node(depth - 1), l.node(depth - 1)}
	case k == 1 && depth > 0:
		return query.Or{l.node(depth - 1), l.node(depth - 1), l.node(depth - 1)}
	case k == 2 && depth > 0:
		return query.Not{Node: l.node(depth - 1)}
	}
	t := query.Term{Field: query.Field(l.rng.IntN(int(query.Smaller) + 1))}
	switch t.Field {
	case query.Any, query.From, query.To, query.Cc, query.Subject, query.Body, query.List:
		for t.Text == "" {
			words := []rune(l.words(2))
			if len(words) > 0 {
				i := l.rng.IntN(len(words))
				t.Text = strings.TrimSpace(string(words[i:min(len(words), i+1+l.rng.IntN(8))]))
			}
		}
		if l.rng.IntN(2) == 0 {
			t.Text = strings.ToUpper(t.Text)
		}
		if l.rng.IntN(12) == 0 {
			t.Text += " <" + searchWords[l.rng.IntN(16)]
		}
	case query.Before, query.Since, query.On:
		t.Date = time.Date(2024, 2, 26+l.rng.IntN(7), 0, 0, 0, 0, time.UTC)
	case query.Larger, query.Smaller:
		t.Size = int64(l.rng.IntN(4000) + 1)
	}
	return t
}

// TestSearchIsTheMatcher: what SQL, the indexes and the steps come to is what the
// Matcher says of each message.
func TestSearchIsTheMatcher(t *testing.T) {
	const messages, queries = 1500 / fewer, 700 / fewer
	for _, path := range []string{"", filepath.Join(t.TempDir(), "a.db")} {
		c := Open(Options{Path: path, Bodies: 1 << 20, Text: func(b []byte) string { return string(b) }})
		t.Cleanup(func() { c.Close(10 * time.Second) })
		l := makeLetters(uint64(len(path)), messages)
		l.keep(t, c)
		found := 0
		for i := range queries {
			q := query.Query{Root: l.node(3)}
			most := []int{7, 100, 1 << 20}[i%3]
			want, got := l.want(q), searchAll(t, c, q, most)
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s: %s", q, d)
			}
			found += min(len(got), 1)
		}
		if found < queries/3 {
			t.Errorf("only %d queries found anything", found)
		}
		if got := searchAll(t, c, query.Query{}, 50); len(got) != len(l.rows) {
			t.Errorf("the empty query finds %d of %d", len(got), len(l.rows))
		}
	}
}

// TestSearchElsewhere: another mailbox, another UIDVALIDITY, and a search taken
// back.
func TestSearchElsewhere(t *testing.T) {
	c := open(t, "")
	l := makeLetters(3, 200)
	l.keep(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	for _, at := range []store.Place{{Mailbox: "INBOX", UIDValidity: 8}, {Mailbox: "other", UIDValidity: 7}} {
		if uids, next, err := c.Search(ctx, at, query.Query{}, 0, 10); len(uids) != 0 || next != 0 || err != nil {
			t.Errorf("%v: %v %d %v", at, uids, next, err)
		}
	}
	cancel()
	if _, _, err := c.Search(ctx, inbox, query.Query{}, 0, 10); err != context.Canceled {
		t.Errorf("a search taken back: %v", err)
	}
}

// plans of the terms that are worth one: none may read the whole mailbox where an
// index knows better.
func TestPlan(t *testing.T) {
	for text, want := range map[string]string{
		"invoice":                            `words ("INV" AND "NVO" AND "VOI" AND "OIC" AND "ICE") texts ("INV" AND "NVO" AND "VOI" AND "OIC" AND "ICE")`,
		"from:bob":                           `words "BOB"`,
		"from:bob is:unread":                 `words "BOB" cond (CASE WHEN r.flags & ? THEN r.flags & ? = 0 END)`,
		"from:bob subject:ann":               `words ("BOB" AND "ANN")`,
		"from:bob or subject:ann":            `words ("BOB" OR "ANN")`,
		"bob body:ann":                       `texts "ANN"`,
		"bob ann":                            `words ("BOB" AND "ANN") texts ("BOB" OR "ANN")`,
		"bob or body:ann":                    `words "BOB" texts ("BOB" OR "ANN")`,
		"from:bo":                            `scan`,
		"from:bo subject:ann":                `words "ANN"`,
		"from:bo or subject:ann":             `scan`,
		"-from:bob":                          `scan`,
		"-from:bob is:unread":                `scan cond (CASE WHEN r.flags & ? THEN r.flags & ? = 0 END)`,
		"-(from:bob is:unread)":              `scan`,
		"is:read or from:bo":                 `scan`,
		"since:2024 -larger:5k":              `scan cond ((m.day >= ?) AND NOT (m.size > ?))`,
		`from:"bob <bob@x"`:                  `words ("BOB" AND "OB@" AND "B@X")`,
		"from:\"a\"\"bc\"":                   `scan`,
		`subject:"a\"b"`:                     `words "A""B"`,
		"(from:bob or -cc:y) has:attachment": `scan cond (m.mixed = ?)`,
	} {
		q, err := query.Parse(text, time.Now())
		if err != nil {
			t.Fatal(text, err)
		}
		p := compile(q)
		got := "scan"
		if p.indexed {
			got = ""
			if p.words != "" {
				got += " words " + p.words
			}
			if p.texts != "" {
				got += " texts " + p.texts
			}
		}
		if p.cond != "" {
			got += " cond " + p.cond
		}
		if n := strings.Count(p.cond, "?"); n != len(p.args) {
			t.Errorf("%s: %d parameters for %d places", text, len(p.args), n)
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", text, strings.TrimSpace(got), want)
		}
	}
}

// benchLetter is one message of a large mailbox: senders and words as unequally
// spread as in mail.
func benchLetter(uid store.UID, rng *rand.Rand) *store.Summary {
	at := time.Unix(1100000000+int64(uid)*600, 0).UTC()
	word := func() string {
		n := min(rng.ExpFloat64()*60, 1999)
		return fmt.Sprintf("%s%s", benchSyllables[int(n)%40], benchSyllables[int(n)/40%40])
	}
	who := int(min(rng.ExpFloat64()*40, 999))
	raw := fmt.Sprintf("%s.%s@%s.example", benchSyllables[who%40], benchSyllables[who/25], benchSyllables[who%7])
	s := &store.Summary{
		UID: uid, Internal: at, Date: at, Size: 2000 + int64(rng.ExpFloat64()*20000),
		From:    []store.Address{{Name: safetext.Clean(benchSyllables[who%40] + "a " + benchSyllables[who/25] + "son"), Addr: safetext.Clean(raw), Raw: raw}},
		To:      []store.Address{{Name: safetext.Clean("Alice Example"), Addr: safetext.Clean("alice@example.com"), Raw: "alice@example.com"}},
		Subject: safetext.Clean(fmt.Sprintf("Re: %s %s and the %s of %s %d", word(), word(), word(), word(), uid%10000)),
		Mixed:   uid%9 == 0,
	}
	if uid%5 == 0 {
		s.ListID = safetext.Clean("Talk <talk.lists.example.com>")
	}
	return s
}

var benchSyllables = strings.Fields(`an bel cor dun eth fal gor hil ind jun kel lor mar nev ost pur qui rol sam tor
	und ver wil xan yor zed bra cle dri fro gla kri ple sto tri spo gru flo pri scho`)

func fillBench(b testing.TB, c *Cache, n int) {
	b.Helper()
	rng := rand.New(rand.NewPCG(9, 9))
	c.Keep(store.Checkpoint{Place: inbox, List: benchList(b, n), AsOf: time.Now()})
	var sums []*store.Summary
	for uid := store.UID(1); uid <= store.UID(n); uid++ {
		sums = append(sums, benchLetter(uid, rng))
		if len(sums) == 8192 || uid == store.UID(n) {
			c.KeepSummaries(inbox, sums)
			settled(b, c)
			sums = nil
		}
	}
}

func benchList(t testing.TB, n int) *store.List {
	var b store.Builder
	for i := range n {
		f := store.NoFlags | store.Seen
		if i%50 == 0 {
			f = store.NoFlags
		}
		if i%997 == 0 {
			f |= store.Flagged
		}
		if err := b.Add(store.Row{UID: store.UID(i + 1), Flags: f}); err != nil {
			t.Fatal(err)
		}
	}
	return b.List()
}

// BenchmarkSearch reports how long the first step takes (what a key press waits
// for), and how long it takes until all is found. Sizes beyond 10k take a while to
// fill: -bench Search/100k.
func BenchmarkSearch(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1k", 1e3}, {"10k", 1e4}, {"100k", 1e5}, {"1M", 1e6}} {
		b.Run(size.name, func(b *testing.B) {
			c := open(b, filepath.Join(b.TempDir(), "a.db"))
			fillBench(b, c, size.n)
			for _, text := range []string{
				"example", "anbel", "dunfal re", "xyzzy", "from:plesto", "al", "zq", "a", "-figures", "is:flagged", "is:unread from:cor",
				"since:2005-01-01 before:2005-01-03", "before:2004-11-20", "larger:150k", "list:talk anbel", "-from:anbel has:attachment", "body:anything",
			} {
				b.Run(strings.ReplaceAll(text, " ", "_"), func(b *testing.B) {
					q, err := query.Parse(text, time.Now())
					if err != nil {
						b.Fatal(err)
					}
					var first, all time.Duration
					hits, runs := 0, 0
					for b.Loop() {
						began := time.Now()
						if _, _, err := c.Search(context.Background(), inbox, q, 0, 200); err != nil {
							b.Fatal(err)
						}
						first += time.Since(began)
						began = time.Now()
						hits = len(searchAll(b, c, q, 1<<20))
						all += time.Since(began)
						runs++
					}
					b.ReportMetric(float64(first.Microseconds())/1e3/float64(runs), "ms/first")
					b.ReportMetric(float64(all.Microseconds())/1e3/float64(runs), "ms/all")
					b.ReportMetric(float64(hits), "hits")
				})
			}
		})
	}
}
