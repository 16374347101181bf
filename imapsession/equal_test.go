package imapsession

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/message"
	"tidings/internal/testserver"
	"tidings/store"
	"tidings/store/cache"
	"tidings/store/query"
)

// mailWriter writes letters as different programs do.
type mailWriter struct{ rng *rand.Rand }

func (w *mailWriter) pick(words []string) string { return words[w.rng.IntN(len(words))] }

var (
	latinWords = strings.Fields(`invoice Rechnung Grüße Ängelholm café naïve weekly REPORT Über straße smørrebrød żółć Zoë
		garçon İzmir Ünïcödé Nguyễn Phạm œuvre Ærø ñandú build failed release v1.2.3 don't e-mail 100% a_b c+d #42 [ops]
		the of and re fwd ok x`)
	userParts = strings.Fields("alice bob.b carol+tag d_e x postmaster no-reply ZOE info2")
	domains   = strings.Fields("example.org EXAMPLE.com sub.example.net example.co.uk")
)

func (w *mailWriter) words(least, most int) string {
	var ws []string
	for range least + w.rng.IntN(most-least+1) {
		ws = append(ws, w.pick(latinWords))
	}
	return strings.Join(ws, " ")
}

// encoded writes text for a header, in one of the ways that there are.
func (w *mailWriter) encoded(s string) string {
	if isPlain(s) && w.rng.IntN(4) > 0 {
		return s
	}
	switch w.rng.IntN(4) {
	case 0:
		return mime.QEncoding.Encode("utf-8", s)
	case 1:
		return mime.BEncoding.Encode("UTF-8", s)
	case 2: // each word by itself: the space between them is none
		var parts []string
		for i, word := range strings.Fields(s) {
			if i > 0 {
				word = " " + word
			}
			parts = append(parts, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(word))+"?=")
		}
		return strings.Join(parts, " ")
	}
	if l1, ok := latin1(s); ok {
		return mime.QEncoding.Encode("iso-8859-1", l1)
	}
	return s // raw UTF-8
}

func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func latin1(s string) (string, bool) {
	var b []byte
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

// folded breaks a value over several lines, now and then.
func (w *mailWriter) folded(s string) string {
	fields := strings.Split(s, " ")
	for i := 1; i < len(fields); i++ {
		if w.rng.IntN(4) == 0 {
			fields[i-1] += "\r\n"
		}
	}
	return strings.Join(fields, " ")
}

func (w *mailWriter) address() string {
	addr := w.pick(userParts) + "@" + w.pick(domains)
	switch w.rng.IntN(6) {
	case 0:
		return addr
	case 1:
		return "<" + addr + ">"
	case 2:
		return `"` + w.pick([]string{"Doe, John", "Example (Sales)", "plain", "A. B. See"}) + `" <` + addr + ">"
	case 3:
		return addr + " (" + w.pick([]string{"Alice", "Bob B"}) + ")"
	}
	// Dovecot looks for names as it would write them, with a backslash before an
	// apostrophe: there "O'Brien" is not found by its name. Here it is. And it
	// gives up a field where an encoded word has a bracket in it.
	name := strings.NewReplacer("'", "", "[", "", "]", "").Replace(w.words(1, 2))
	if name = w.encoded(name); strings.ContainsAny(name, ".[]@,") && !strings.Contains(name, "=?") {
		name = `"` + name + `"`
	}
	return name + " <" + addr + ">"
}

func (w *mailWriter) addresses(most int) string {
	var as []string
	for range 1 + w.rng.IntN(most) {
		as = append(as, w.address())
	}
	return w.folded(strings.Join(as, ", "))
}

func (w *mailWriter) mail(i int) testserver.Mail {
	var b strings.Builder
	if w.rng.IntN(15) > 0 {
		fmt.Fprintf(&b, "From: %s\r\n", w.addresses(1))
	}
	if w.rng.IntN(8) > 0 {
		fmt.Fprintf(&b, "To: %s\r\n", w.addresses(4))
	}
	if w.rng.IntN(3) == 0 {
		fmt.Fprintf(&b, "Cc: %s\r\n", w.addresses(3))
	}
	switch w.rng.IntN(20) {
	case 0:
	case 1:
		b.WriteString("Subject:\r\n")
	case 2:
		fmt.Fprintf(&b, "Subject: %s\r\n", w.folded(w.encoded(w.words(60, 120)))) // long lines
	default:
		fmt.Fprintf(&b, "Subject: %s\r\n", w.folded(w.encoded(w.words(1, 8))))
	}
	if w.rng.IntN(4) == 0 {
		fmt.Fprintf(&b, "List-Id: %s\r\n", w.pick([]string{"<go-nuts.example.org>", "Go Nuts <go-nuts.example.org>", `"Ops, all" <ops.lists.example.com>`, w.encoded("Grüße") + " <talk.example.net>"}))
	}
	text := w.words(3, 30)
	body := "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(text)) + "\r\n"
	b.WriteString("MIME-Version: 1.0\r\n")
	switch w.rng.IntN(4) {
	case 0:
		fmt.Fprintf(&b, "Content-Type: %s;\r\n boundary=b\r\n\r\n--b\r\n%s\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n--b--\r\n", w.pick([]string{"multipart/mixed", "Multipart/Mixed"}), body)
	case 1:
		fmt.Fprintf(&b, "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n%s\r\n--b--\r\n", body)
	default:
		b.WriteString(body)
	}
	// Around midnights of several days, of both halves of the year.
	date := time.Date(2024, time.Month(1+6*w.rng.IntN(2)), 26+w.rng.IntN(6), w.rng.IntN(24), w.rng.IntN(60), 0, 0, time.UTC)
	flags := ""
	for _, f := range "SFR" {
		if w.rng.IntN(3) == 0 {
			flags += string(f)
		}
	}
	return testserver.Mail{Raw: []byte(b.String()), Date: date, Flags: flags}
}

// asker makes queries of what the messages hold.
type asker struct {
	rng  *rand.Rand
	sums []*store.Summary
}

// piece cuts something out of a text; most often words.
func (a *asker) piece(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 && a.rng.IntN(2) == 0 {
		return fields[a.rng.IntN(len(fields))]
	}
	r := []rune(s)
	if len(r) == 0 {
		return "zzz"
	}
	i := a.rng.IntN(len(r))
	if s = strings.TrimSpace(string(r[i:min(len(r), i+1+a.rng.IntN(9))])); s == "" {
		return "q"
	}
	return s
}

func (a *asker) address(as []store.Address) string {
	if len(as) == 0 {
		return "nobody"
	}
	x := as[a.rng.IntN(len(as))]
	if a.rng.IntN(2) == 0 && !x.Name.IsEmpty() {
		return a.piece(x.Name.String())
	}
	return a.piece(x.Raw)
}

// term makes a condition; metadata alone if text is false.
func (a *asker) term(text bool) query.Node {
	s := a.sums[a.rng.IntN(len(a.sums))]
	last := int(query.Smaller)
	f := query.Field(a.rng.IntN(last + 1))
	if !text && (f == query.Any || f == query.Body) {
		f = query.Subject
	}
	t := query.Term{Field: f}
	switch f {
	case query.Any:
		t.Text = a.piece(s.Subject.String())
	case query.Body:
		t.Text = latinWords[a.rng.IntN(len(latinWords))]
	case query.From:
		t.Text = a.address(s.From)
	case query.To:
		t.Text = a.address(s.To)
	case query.Cc:
		t.Text = a.address(s.Cc)
	case query.Subject:
		t.Text = a.piece(s.Subject.String())
	case query.List:
		t.Text = a.piece(s.ListID.String())
	case query.Before, query.Since, query.On:
		t.Date = time.Date(2024, time.Month(1+6*a.rng.IntN(2)), 25+a.rng.IntN(8), 0, 0, 0, 0, time.UTC)
	case query.Larger, query.Smaller:
		t.Size = s.Size + int64(a.rng.IntN(3)) - 1
	}
	switch a.rng.IntN(4) {
	case 0:
		t.Text = strings.ToUpper(t.Text)
	case 1:
		t.Text = strings.ToLower(t.Text)
	}
	return t
}

func (a *asker) node(depth int, text bool) query.Node {
	switch k := a.rng.IntN(8); {
	case k == 0 && depth > 0:
		return query.And{a.node(depth-1, text), a.node(depth-1, text)}
	case k == 1 && depth > 0:
		return query.Or{a.node(depth-1, text), a.node(depth-1, text)}
	case k == 2 && depth > 0:
		return query.Not{Node: a.node(depth-1, text)}
	}
	return a.term(text)
}

// keptMailbox is a mailbox on Dovecot, a session that follows it, and a cache that
// has all of its summaries and every other text.
type keptMailbox struct {
	follower *follower
	cache    *cache.Cache
	place    store.Place
	sums     []*store.Summary
}

func keepMailbox(t *testing.T, s *testserver.Server, n int) *keptMailbox {
	t.Helper()
	w := &mailWriter{rand.New(rand.NewPCG(7, 7))}
	raws := make([][]byte, n)
	s.Fill(t, "INBOX", n, func(i int) testserver.Mail {
		m := w.mail(i)
		raws[i] = m.Raw
		return m
	})
	k := &keptMailbox{cache: cache.Open(cache.Options{Bodies: 64 << 20, Text: func(b []byte) string {
		var lines []string
		for _, l := range message.Parse(b, false).Lines {
			lines = append(lines, l.Text.String())
		}
		return strings.Join(lines, "\n")
	}})}
	t.Cleanup(func() { k.cache.Close(10 * time.Second) })
	k.follower, _ = start(t, configFor(t, s.Addr, s.User, s.Password))
	k.follower.live(1)
	k.place = store.Place{Mailbox: "INBOX", UIDValidity: k.follower.validity}

	client := s.Client(t)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	fetch := client.Fetch(seqRange(1, uint32(n)), summaryItems())
	for msg := fetch.Next(); msg != nil; msg = fetch.Next() {
		sum, whole := readSummary(msg)
		if !whole || sum == nil {
			t.Fatal("a summary did not come")
		}
		k.sums = append(k.sums, sum)
	}
	if err := fetch.Close(); err != nil {
		t.Fatal(err)
	}
	var list store.Builder
	for _, row := range testserver.Rows(t, client, "INBOX") {
		if err := list.Add(store.Row{UID: store.UID(row.UID), Flags: store.MakeFlags(row.Flags)}); err != nil {
			t.Fatal(err)
		}
		if row.UID%2 == 0 {
			k.cache.KeepBody(k.place, store.UID(row.UID), raws[row.UID-1], true)
		}
	}
	k.cache.Keep(store.Checkpoint{Place: k.place, List: list.List(), AsOf: time.Now()})
	k.cache.KeepSummaries(k.place, k.sums)
	if err := k.cache.Settled(context.Background()); err != nil {
		t.Fatal(err)
	}
	return k
}

// here is what the cache finds, ascending.
func (k *keptMailbox) here(t *testing.T, q query.Query) []store.UID {
	t.Helper()
	var all []store.UID
	for below := store.UID(0); ; {
		uids, next, err := k.cache.Search(context.Background(), k.place, q, below, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, uids...)
		if next == 0 {
			slices.Sort(all)
			return all
		}
		below = next
	}
}

// there is what the server finds, ascending.
func (k *keptMailbox) there(t *testing.T, q query.Query) []store.UID {
	t.Helper()
	r := k.follower.do(Search{Target: k.follower.target(), Query: q})
	if r.Err != nil {
		t.Fatalf("%s: %v", q, r.Err)
	}
	return k.follower.found(r.ID)
}

// odd shows a message of which cache and server think differently.
func (k *keptMailbox) odd(a, b []store.UID) string {
	for _, s := range k.sums {
		if slices.Contains(a, s.UID) != slices.Contains(b, s.UID) {
			return fmt.Sprintf("%d: %+v", s.UID, *s)
		}
	}
	return ""
}

// TestCacheAndServerFindTheSame holds hundreds of queries in the cache against the
// same in IMAP SEARCH on Dovecot. What looks at metadata alone has to be the same;
// what looks at text, of which the cache has half, must find nothing here that the
// server does not find.
func TestCacheAndServerFindTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("asks Dovecot hundreds of questions")
	}
	for name, options := range map[string][]testserver.Option{
		"ESEARCH and LITERAL+": nil,
		"neither":              {testserver.WithoutCapability("ESEARCH", "LITERAL+")},
	} {
		t.Run(name, func(t *testing.T) {
			k := keepMailbox(t, testserver.Dovecot(t, options...), 400)
			rng := rand.New(rand.NewPCG(11, uint64(len(options))))
			a := &asker{rng, k.sums}
			found, differ := 0, 0
			const queries = 600
			for i := range queries {
				text := i%4 == 3
				q := query.Query{Root: a.node(2, text)}
				here, there := k.here(t, q), k.there(t, q)
				found += min(len(there), 1)
				same := slices.Equal(here, there)
				if !q.Exact() {
					same = q.Overreaches() || !slices.ContainsFunc(here, func(u store.UID) bool { return !slices.Contains(there, u) })
				}
				if !same {
					differ++
					t.Errorf("%s: here %d, there %d\n%s", q, len(here), len(there), k.odd(here, there))
				}
			}
			t.Logf("%d of %d queries found something, %d differ", found, queries, differ)
			if found < queries/2 {
				t.Errorf("only %d of %d queries found anything", found, queries)
			}
		})
	}
}
