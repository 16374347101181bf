package imapsession

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/imapsession/wire"
	"tidings/internal/testserver"
	"tidings/store"
)

// aLetter makes the i-th letter of a test; every seventh has no Message-ID.
func aLetter(i, octets int) Letter {
	raw := fmt.Sprintf("Message-ID: <%d@append.example>\r\nSubject: letter %d\r\n\r\n", i, i)
	if i%7 == 0 {
		raw = fmt.Sprintf("Subject: letter %d without an id\r\n\r\n", i)
	}
	raw += strings.Repeat("x", max(octets-len(raw)-2, 0)) + "\r\n"
	l := Letter{
		Name: fmt.Sprintf("letter %d", i), Size: int64(len(raw)), Date: time.Date(2020, 1, 1+i%28, 10, 0, 0, 0, time.UTC),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(raw)), nil },
	}
	if i%2 == 0 {
		l.Flags = []string{`\Seen`}
	}
	return l
}

func lettersOf(n, octets int) iter.Seq2[Letter, error] {
	return func(yield func(Letter, error) bool) {
		for i := range n {
			if !yield(aLetter(i, octets), nil) {
				return
			}
		}
	}
}

// fates collects what Append tells.
type fates struct {
	t    testing.TB
	all  map[int]LetterEvent
	tell func(LetterEvent)
}

func newFates(t testing.TB) *fates {
	f := &fates{t: t, all: map[int]LetterEvent{}}
	f.tell = func(ev LetterEvent) {
		if before, twice := f.all[ev.Index]; twice {
			t.Errorf("letter %d: %v after %v", ev.Index, ev.Fate, before.Fate)
		}
		f.all[ev.Index] = ev
	}
	return f
}

func (f *fates) count(fate Fate) (n int) {
	for _, ev := range f.all {
		if ev.Fate == fate {
			n++
		}
	}
	return n
}

// subjectsIn are the subjects in a mailbox and how often each is there, and which
// UID the last of it has.
func subjectsIn(t testing.TB, c *imapclient.Client, mailbox string) (count map[string]int, uids map[store.UID]string) {
	t.Helper()
	if _, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	count, uids = map[string]int{}, map[store.UID]string{}
	all, err := c.Fetch(seqRange(1, 0), &imap.FetchOptions{UID: true, Envelope: true}).Collect()
	if err != nil && !refused(err) {
		t.Fatal(err)
	}
	for _, msg := range all {
		count[msg.Envelope.Subject]++
		uids[store.UID(msg.UID)] = msg.Envelope.Subject
	}
	return count, uids
}

var appendServers = []struct {
	name     string
	options  []testserver.Option
	oneByOne bool
}{
	{name: "MULTIAPPEND"},
	{name: "LITERAL+", options: []testserver.Option{testserver.WithoutCapability("MULTIAPPEND")}},
	{name: "plain", options: []testserver.Option{testserver.WithoutCapability("MULTIAPPEND", "LITERAL+", "UIDPLUS")}},
	{name: "one by one", oneByOne: true},
}

// TestAppend: every letter arrives once, with its date and flags.
func TestAppend(t *testing.T) {
	for _, test := range appendServers {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			f := newFates(t)
			const n = 250
			o := AppendOptions{Mailbox: "Großes & Kleines", Create: true, OneByOne: test.oneByOne}
			if err := Append(t.Context(), configFor(t, srv.Addr, srv.User, srv.Password), o, lettersOf(n, 500), f.tell); err != nil {
				t.Fatal(err)
			}
			c := srv.Client(t)
			count, uids := subjectsIn(t, c, o.Mailbox)
			if len(count) != n || f.count(Appended) != n {
				t.Fatalf("%d kinds are there, %d are said to be", len(count), f.count(Appended))
			}
			for i, ev := range f.all {
				if ev.UID != 0 && !strings.HasPrefix(uids[ev.UID], fmt.Sprintf("letter %d", i)) {
					t.Errorf("letter %d is said to be UID %d, which is %q", i, ev.UID, uids[ev.UID])
				}
			}
			if test.name != "plain" && f.all[5].UID == 0 {
				t.Error("the UID is not told")
			}
			one, err := c.Fetch(seqRange(5, 5), &imap.FetchOptions{InternalDate: true, Flags: true}).Collect()
			if err != nil || !one[0].InternalDate.Equal(aLetter(4, 0).Date) || !slices.Contains(one[0].Flags, imap.FlagSeen) {
				t.Errorf("%+v, %v", one[0], err)
			}
		})
	}
}

// TestAppendCut: the link breaks again and again, anywhere; nothing is lost and
// nothing is there twice, and what is told is true.
func TestAppendCut(t *testing.T) {
	for _, test := range appendServers {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := testserver.Dovecot(t, test.options...)
			c := srv.Client(t)
			broken := int32(0)
			for round := range 3 {
				mailbox := fmt.Sprintf("cut%d", round)
				link := testserver.NewLink(t, srv.Addr)
				r := rand.New(rand.NewPCG(uint64(round), uint64(len(test.name))))
				var set atomic.Int32 // cuts that were set up
				var again func()
				again = func() { // it breaks some times, however soon it is made again
					switch n := set.Add(1); {
					case n > 3:
					case r.IntN(2) == 0:
						link.CutOnce(testserver.ToServer, int64(200+r.IntN(40_000)), again)
					default:
						link.CutOnce(testserver.ToClient, int64(300+r.IntN(2_500)), again)
					}
				}
				again()
				f := newFates(t)
				const n = 60
				err := Append(t.Context(), configFor(t, link.Addr(), srv.User, srv.Password), AppendOptions{Mailbox: mailbox, Create: true, OneByOne: test.oneByOne, pause: time.Millisecond, quiet: 200 * time.Millisecond}, lettersOf(n, 800), f.tell)
				broken += min(set.Load(), 4) - 1
				count, _ := subjectsIn(t, c, mailbox)
				for subject, k := range count {
					if k > 1 {
						t.Errorf("round %d: %q is there %d times", round, subject, k)
					}
				}
				if err != nil || len(count) != n || f.count(Appended) != n {
					fates := map[Fate]int{}
					for ev := range maps.Values(f.all) {
						fates[ev.Fate]++
					}
					t.Errorf("round %d: %v; %d of %d are there; told %v", round, err, len(count), n, fates)
				}
			}
			if broken == 0 {
				t.Error("the link never broke")
			}
		})
	}
}

// TestAppendStopped: ended by the person, it has told the truth about each
// letter, and the rest was not touched.
func TestAppendStopped(t *testing.T) {
	srv := testserver.Dovecot(t)
	link := testserver.NewLink(t, srv.Addr)
	link.SetBandwidth(testserver.ToServer, 2<<20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := newFates(t)
	o := AppendOptions{Mailbox: "INBOX", Sent: func(octets int64) {
		if octets > 300_000 {
			cancel()
		}
	}}
	err := Append(ctx, configFor(t, link.Addr(), srv.User, srv.Password), o, lettersOf(5_000, 10_000), f.tell)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	count, _ := subjectsIn(t, srv.Client(t), "INBOX")
	if len(count) != f.count(Appended) || f.count(Uncertain) != 0 || len(count) > 1000 {
		t.Errorf("%d are there, %d are said to be; %d uncertain", len(count), f.count(Appended), f.count(Uncertain))
	}
}

// TestAppendResumed: an earlier run ended in the middle, and not all that it did
// is known; the rest is appended, once.
func TestAppendResumed(t *testing.T) {
	srv := testserver.Dovecot(t)
	cfg := configFor(t, srv.Addr, srv.User, srv.Password)
	f := newFates(t)
	resume := &AppendResume{Known: map[store.UID]bool{}}
	o := AppendOptions{Mailbox: "INBOX", quiet: time.Millisecond, pause: time.Millisecond,
		Opened: func(v uint32, next store.UID) { resume.UIDValidity, resume.From = v, next }}
	if err := Append(t.Context(), cfg, o, lettersOf(40, 300), f.tell); err != nil {
		t.Fatal(err)
	}
	for i := range 10 { // of the others the journal was never written
		resume.Known[f.all[i].UID] = true
	}
	f = newFates(t)
	o.Resume = resume
	if err := Append(t.Context(), cfg, o, func(yield func(Letter, error) bool) {
		for i := 10; i < 100; i++ {
			if !yield(aLetter(i, 300), nil) {
				return
			}
		}
	}, f.tell); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, ev := range f.all {
		if ev.Found {
			found++
		}
	}
	count, _ := subjectsIn(t, srv.Client(t), "INBOX")
	for subject, n := range count {
		if n != 1 {
			t.Errorf("%q is there %d times", subject, n)
		}
	}
	if len(count) != 100 || found != 30 || f.count(Appended) != 90 {
		t.Errorf("%d are there; %d found, %d appended", len(count), found, f.count(Appended))
	}
	resume.UIDValidity++
	if err := Append(t.Context(), cfg, o, lettersOf(1, 300), f.tell); err == nil || !strings.Contains(err.Error(), "another folder") {
		t.Errorf("another UIDVALIDITY: %v", err)
	}
}

// TestAppendRefused: one bad letter keeps none of its batch back.
func TestAppendRefused(t *testing.T) {
	for _, test := range appendServers {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, append(test.options, testserver.ExtraConfig("mail_plugins = quota\nprotocol imap {\n mail_plugins = $mail_plugins quota\n}\nplugin {\n quota = count:User\n quota_vsizes = yes\n quota_max_mail_size = 5k\n}\n"))...)
			letters := func(yield func(Letter, error) bool) {
				for i := range 30 {
					l, err := aLetter(i, 700), error(nil)
					switch i {
					case 3:
						l = aLetter(i, 20_000)
					case 5:
						err = errors.New("torn")
					case 8:
						l.Size += 10 // it is shorter than was said
					case 11:
						l.Open = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
					case 12:
						l.Size = 0
					}
					if !yield(l, err) {
						return
					}
				}
			}
			f := newFates(t)
			err := Append(t.Context(), configFor(t, srv.Addr, srv.User, srv.Password), AppendOptions{Mailbox: "INBOX", OneByOne: test.oneByOne}, letters, f.tell)
			if err != nil {
				t.Fatal(err)
			}
			count, _ := subjectsIn(t, srv.Client(t), "INBOX")
			if len(count) != 25 || f.count(Appended) != 25 || f.count(Refused) != 5 {
				t.Errorf("%d are there, %d are said to be, %d refused", len(count), f.count(Appended), f.count(Refused))
			}
			for _, i := range []int{3, 5, 8, 11, 12} {
				if ev := f.all[i]; ev.Fate != Refused || ev.Err == nil {
					t.Errorf("letter %d: %+v", i, ev)
				} else {
					t.Logf("letter %d: %v", i, ev.Err)
				}
			}
		})
	}
}

func TestAppendNowhere(t *testing.T) {
	srv := testserver.Dovecot(t)
	f := newFates(t)
	err := Append(t.Context(), configFor(t, srv.Addr, srv.User, srv.Password), AppendOptions{Mailbox: "nowhere"}, lettersOf(3, 100), f.tell)
	if err == nil || !strings.Contains(err.Error(), "there is no folder nowhere") || len(f.all) != 0 {
		t.Errorf("%v, %v", err, f.all)
	}
	cfg := configFor(t, srv.Addr, srv.User, srv.Password)
	cfg.ReadOnly = true
	if err := Append(t.Context(), cfg, AppendOptions{Mailbox: "INBOX"}, lettersOf(3, 100), f.tell); !errors.Is(err, errReadOnly) {
		t.Errorf("read-only: %v", err)
	}
}

// BenchmarkAppend holds the ways against each other on loopback and at a round
// trip of 50 ms: letters of 10 KB.
func BenchmarkAppend(b *testing.B) {
	for _, latency := range []time.Duration{0, 25 * time.Millisecond} {
		for _, test := range appendServers[:2] {
			for _, oneByOne := range []bool{false, true} {
				b.Run(fmt.Sprintf("rtt=%v/%s/one-by-one=%v", 2*latency, test.name, oneByOne), func(b *testing.B) {
					srv := testserver.Dovecot(b, test.options...)
					link := testserver.NewLink(b, srv.Addr)
					link.SetLatency(latency, latency)
					n := 1000
					if latency > 0 && oneByOne {
						n = 100
					}
					cfg := configFor(b, link.Addr(), srv.User, srv.Password)
					i := 0
					for b.Loop() {
						f := newFates(b)
						i++
						o := AppendOptions{Mailbox: fmt.Sprint("box", i), Create: true, OneByOne: oneByOne}
						if err := Append(b.Context(), cfg, o, lettersOf(n, 10<<10), f.tell); err != nil || f.count(Appended) != n {
							b.Fatalf("%v, %d", err, f.count(Appended))
						}
					}
					b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "letters/s")
				})
			}
		}
	}
}

func TestAppendedUIDs(t *testing.T) {
	for _, c := range []struct {
		arg  string
		n    int
		want []store.UID
	}{
		{"7 5", 1, []store.UID{5}},
		{"7 5:7", 3, []store.UID{5, 6, 7}},
		{"7 5,9:10", 3, []store.UID{5, 9, 10}},
		{"7 5:7", 2, []store.UID{0, 0}},
		{"7 1:4294967295", 2, []store.UID{0, 0}},
		{"7", 1, []store.UID{0}},
		{"", 1, []store.UID{0}},
		{"7 x", 1, []store.UID{0}},
	} {
		if got := appendedUIDs(wire.Event{Code: "APPENDUID", Arg: c.arg}, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%q for %d: %v", c.arg, c.n, got)
		}
	}
}
