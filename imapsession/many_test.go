package imapsession

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
)

// tripwire lies across a session's connections. Armed, it lets so many lines of one
// direction pass, and then cuts the connection; or it does, right before the last
// of them, what it was given to do.
type tripwire struct {
	dial func(context.Context, string, string) (net.Conn, error)

	mu      sync.Mutex
	dir     testserver.Direction
	left    int
	only    string // what the lines that count have in them
	do      func() // nil: cut
	tripped bool
	dead    bool           // nothing can be dialled
	ending  sync.WaitGroup // connections that were cut, until the server is done with them
}

var errTripped = errors.New("cut by the test")

func newTripwire() *tripwire {
	return &tripwire{dial: (&net.Dialer{}).DialContext}
}

// arm has it trip behind the n-th line from now on.
func (w *tripwire) arm(dir testserver.Direction, n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dir, w.left, w.only, w.do, w.tripped = dir, n, "", do, false
}

// armFor is arm for the n-th line with a text in it: how many others there are
// depends on what the session was about to do.
func (w *tripwire) armFor(text string, dir testserver.Direction, n int, do func()) {
	w.arm(dir, n, do)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.only = text
}

func (w *tripwire) hasTripped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tripped
}

func (w *tripwire) kill(dead bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = dead
}

func (w *tripwire) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	dead := w.dead
	w.mu.Unlock()
	if dead {
		return nil, errTripped
	}
	// How long a server goes on with what it was sent is not what is tested here.
	w.ending.Wait()
	c, err := w.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &trippedConn{Conn: c, w: w}, nil
}

// pass counts the lines of b and tells how much of it passes, and what happens
// behind that.
func (w *tripwire) pass(dir testserver.Direction, b []byte) (n int, then func(*trippedConn)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dir != dir || w.left == 0 {
		return len(b), nil
	}
	start := 0
	for i, ch := range b {
		if ch != '\n' {
			continue
		}
		line := b[start : i+1]
		start = i + 1
		if !bytes.Contains(line, []byte(w.only)) {
			continue
		}
		if w.left--; w.left > 0 {
			continue
		}
		w.tripped = true
		if do := w.do; do != nil {
			return len(b), func(*trippedConn) { do() }
		}
		return i + 1, (*trippedConn).end
	}
	return len(b), nil
}

type trippedConn struct {
	net.Conn
	w   *tripwire
	mu  sync.Mutex // held while it is read
	cut atomic.Bool
}

// end cuts the connection: the session hears nothing more, and the server does
// what it was sent and then has its end.
func (c *trippedConn) end() {
	c.cut.Store(true)
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	c.w.ending.Go(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		_ = c.Conn.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, c.Conn)
		_ = c.Conn.Close()
	})
}

func (c *trippedConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut.Load() {
		return 0, errTripped
	}
	n, err := c.Conn.Read(p)
	if c.cut.Load() {
		return 0, errTripped
	}
	n, then := c.w.pass(testserver.ToClient, p[:n])
	if then != nil {
		then(c)
	}
	return n, err
}

func (c *trippedConn) Write(p []byte) (int, error) {
	if c.cut.Load() {
		return 0, errTripped
	}
	n, then := c.w.pass(testserver.ToServer, p)
	if then != nil && c.w.do != nil {
		then(c) // before the line is heard
		then = nil
	}
	if _, err := c.Conn.Write(p[:n]); err != nil {
		return 0, err
	}
	if then != nil {
		then(c)
	}
	return len(p), nil
}

func (c *trippedConn) Close() error {
	if c.cut.Load() {
		return nil
	}
	return c.Conn.Close()
}

func (c *trippedConn) SetReadDeadline(at time.Time) error {
	if c.cut.Load() {
		return nil
	}
	return c.Conn.SetReadDeadline(at)
}

func (c *trippedConn) SetDeadline(at time.Time) error {
	if c.cut.Load() {
		return nil
	}
	return c.Conn.SetDeadline(at)
}

// manyLetters is how many letters the tests here act on, in portions of manyStride.
const (
	manyLetters = 50
	manyStride  = 20
)

// backToInbox has all letters in INBOX again, unmarked.
func backToInbox(t *testing.T, srv *testserver.Server, copies bool) {
	t.Helper()
	c := srv.Client(t)
	defer c.Close()
	if _, err := c.Select("Archive", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	all := imap.SeqSet{{Start: 1, Stop: 0}}
	if copies {
		if err := c.Store(all, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}, nil).Close(); err != nil && !strings.Contains(err.Error(), "Invalid messageset") {
			t.Fatal(err)
		}
		if err := c.Expunge().Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	if _, err := c.Move(all, "INBOX").Wait(); err != nil && !strings.Contains(err.Error(), "Invalid messageset") {
		t.Fatal(err)
	}
}

// Fifty letters are moved, or copied, and the link is cut behind every line in
// either direction, of the session that goes on and of one that is killed and
// followed by another on the same outbox. Then each is where it should be, once.
func TestManyCutAtEveryResponse(t *testing.T) {
	withoutMove := testserver.WithoutCapability("MOVE")
	move := func(t Target) Command { return Move{Target: t, Dest: "Archive"} }
	for _, test := range []struct {
		name    string
		options []testserver.Option
		command func(Target) Command
		copies  bool // the originals stay
		killed  bool
	}{
		{"MOVE", nil, move, false, false},
		{"MOVE, killed", nil, move, false, true},
		{"COPY, STORE, EXPUNGE", []testserver.Option{withoutMove}, move, false, false},
		{"COPY, STORE, EXPUNGE, killed", []testserver.Option{withoutMove}, move, false, true},
		{"copy", nil, func(t Target) Command { return Copy{Target: t, Dest: "Archive"} }, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			for n := range manyLetters {
				srv.Append(t, "INBOX", testserver.Letter(n+1))
			}
			cuts, notes := 0, map[string]int{}
			for _, dir := range []testserver.Direction{testserver.ToServer, testserver.ToClient} {
				step := 1
				if testing.Short() && dir == testserver.ToClient {
					step = 7
				}
				for n, cut := 1, true; cut; n += step {
					wire, out := newTripwire(), newMemoryOutbox(t)
					cfg := configFor(t, srv.Addr, srv.User, srv.Password)
					cfg.Outbox, cfg.Dial, cfg.Connections = out, wire.Dial, 1
					prepare := func(s *Session) { s.quiet, s.stride = 10*time.Millisecond, manyStride }
					f, stop := startSession(t, cfg, prepare)
					f.until("the letters", func() bool { return f.list.CountKnown() == manyLetters && f.unseen.Known })
					wire.arm(dir, n, nil)
					id := f.s.Do(test.command(f.target(f.list.UIDs(0, manyLetters)...)))
					f.until("a result or a broken link", func() bool {
						_, ended := f.results[id]
						return ended || wire.hasTripped()
					})
					cut = wire.hasTripped()
					var r ResultEvent
					if test.killed && cut {
						wire.kill(true)
						stop()
						wire.kill(false)
						kept := len(out.kept(true))
						g, end := startSession(t, cfg, prepare)
						g.until("the end of what was kept", func() bool { return len(g.results) == kept && g.last().State == Live })
						for _, q := range g.queued {
							r = g.results[q.ID]
						}
						end()
					} else {
						f.s.Retry(true)
						r = f.result(id)
						stop()
					}
					if cut {
						cuts++
					}
					notes[fmt.Sprintf("%v %q", r.Err, r.Note)]++
					here, _ := lettersIn(t, srv, "INBOX")
					there, _ := lettersIn(t, srv, "Archive")
					lost, twice := 0, 0
					for i := 1; i <= manyLetters; i++ {
						switch {
						case here[i]+there[i] == 0, test.copies && here[i] == 0:
							lost++
						case !test.copies && here[i]+there[i] > 1, there[i] > 1:
							twice++
						}
					}
					what := fmt.Sprintf("%v cut behind line %d: %v %q: %d lost, %d twice, %d of them in Archive", dir, n, r.Err, r.Note, lost, twice, len(there))
					switch {
					case lost > 0:
						t.Fatal(what)
					case twice > 0, r.Err != nil, len(there) != manyLetters, len(out.kept(false)) > 0:
						t.Error(what)
					}
					backToInbox(t, srv, test.copies)
				}
			}
			if cuts < 10 {
				t.Errorf("the link was cut %d times only", cuts)
			}
			t.Logf("%d cuts: %v", cuts, notes)
		})
	}
}

// What goes wrong half-way leaves every letter in one place at least, says how far
// it came, and is done once when it is asked for again.
func TestManyRefusedHalfWay(t *testing.T) {
	// Room for one portion of copies besides the fifty letters.
	quota := testserver.ExtraConfig(fmt.Sprintf("mail_plugins = quota\nprotocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:messages=%d\n}", manyLetters+manyStride))
	withoutMove := testserver.WithoutCapability("MOVE")
	for _, test := range []struct {
		name    string
		options []testserver.Option
		command func(Target) Command
		// If not empty: somebody deletes the folder before the second of these
		// commands goes out, which is the one on the second portion.
		vanishes string
		words    string
		there    int // letters that are in Archive then
	}{
		{"copy over quota", []testserver.Option{quota}, func(t Target) Command { return Copy{Target: t, Dest: "Archive"} }, "", "20 of 50 messages were copied to Archive; then the server refused", manyStride},
		{"MOVE over quota", []testserver.Option{quota}, func(t Target) Command { return Move{Target: t, Dest: "Archive"} }, "", "", manyLetters},
		// Each portion makes room for the next, but not every version of Dovecot counts that at once.
		{"move by COPY over quota", []testserver.Option{quota, withoutMove}, func(t Target) Command { return Move{Target: t, Dest: "Archive"} }, "", "", -1},
		{"to a folder that is not there", nil, func(t Target) Command { return Move{Target: t, Dest: "Nowhere"} }, "", "there is no mailbox named Nowhere", 0},
		{"by COPY to a folder that is not there", []testserver.Option{withoutMove}, func(t Target) Command { return Move{Target: t, Dest: "Nowhere"} }, "", "make it first, or choose another", 0},
		{"copy to a folder that is not there", nil, func(t Target) Command { return Copy{Target: t, Dest: "Nowhere"} }, "", "nothing was copied", 0},
		{"MOVE to a folder that vanishes", nil, func(t Target) Command { return Move{Target: t, Dest: "Vanishing"} }, "UID MOVE", "20 of 50 messages were moved to Vanishing; then", 0},
		{"by COPY to a folder that vanishes", []testserver.Option{withoutMove}, func(t Target) Command { return Move{Target: t, Dest: "Vanishing"} }, "UID COPY", "20 of 50 messages were moved to Vanishing; then", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := testserver.Dovecot(t, test.options...)
			for n := range manyLetters {
				srv.Append(t, "INBOX", testserver.Letter(n+1))
			}
			other := srv.Client(t)
			wire := newTripwire()
			cfg := configFor(t, srv.Addr, srv.User, srv.Password)
			cfg.Dial = wire.Dial
			f, stop := startSession(t, cfg, func(s *Session) { s.stride = manyStride })
			f.until("the letters", func() bool { return f.list.CountKnown() == manyLetters && f.unseen.Known })
			saved := map[int]int{}
			if test.vanishes != "" {
				if err := other.Create("Vanishing", nil).Wait(); err != nil {
					t.Fatal(err)
				}
				wire.armFor(test.vanishes, testserver.ToServer, 2, func() { // who has read what was in it
					saved, _ = lettersIn(t, srv, "Vanishing")
					if err := other.Delete("Vanishing").Wait(); err != nil {
						t.Error(err)
					}
				})
			}
			r := f.do(test.command(f.target(f.list.UIDs(0, manyLetters)...)))
			if said := fmt.Sprint(r.Err, " ", r.Note); !strings.Contains(said, test.words) || test.words == "" && test.there >= 0 && (r.Err != nil || !r.Note.IsEmpty()) {
				t.Errorf("it said %q", said)
			}
			f.inStepWith(t, srv)
			stop()
			here, _ := lettersIn(t, srv, "INBOX")
			there, _ := lettersIn(t, srv, "Archive")
			_, copies := test.command(Target{}).(Copy)
			for i := 1; i <= manyLetters; i++ {
				if n := here[i] + there[i] + saved[i]; n == 0 || copies && here[i] != 1 || !copies && n > 1 {
					t.Errorf("letter %d: %d here, %d there, %d were in the folder that vanished", i, here[i], there[i], saved[i])
				}
			}
			if r.Err == nil && r.Note.IsEmpty() != (len(there) == manyLetters) && test.there < 0 {
				t.Errorf("%d letters in Archive, and it said %q", len(there), r.Note)
			}
			if test.there >= 0 && len(there) != test.there || test.vanishes != "" && len(saved) != manyStride {
				t.Errorf("%d letters in Archive, %d in what vanished", len(there), len(saved))
			}
		})
	}
}

// inStepWith waits until the follower's list is the mailbox.
func (f *follower) inStepWith(t *testing.T, srv *testserver.Server) {
	t.Helper()
	want := srv.Rows(t, "INBOX")
	f.until("the list to be the mailbox", func() bool { return sameRows(rows(f.list), want) })
}

// Room is made while a copy waits for it: it goes on with what is not copied yet.
func TestOverQuotaGoesOnWhenThereIsRoom(t *testing.T) {
	quota := testserver.ExtraConfig(fmt.Sprintf("mail_plugins = quota\nprotocol imap {\n  mail_plugins = $mail_plugins imap_quota\n}\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:messages=%d\n}", manyLetters+manyStride+30))
	srv := testserver.Dovecot(t, quota)
	for n := range manyLetters {
		srv.Append(t, "INBOX", testserver.Letter(n+1))
	}
	other := srv.Client(t)
	for n := range 30 { // what takes the room
		testserver.Append(t, other, "Junk", bytes.ReplaceAll(testserver.Letter(1000+n), []byte("\r\nDear"), []byte("\r\nMy dear")))
	}
	out := newMemoryOutbox(t)
	cfg := configFor(t, srv.Addr, srv.User, srv.Password)
	cfg.Outbox = out
	f, _ := startSession(t, cfg, func(s *Session) { s.stride = manyStride })
	f.until("the letters", func() bool { return f.list.CountKnown() == manyLetters && f.unseen.Known })
	id := f.s.Do(Copy{Target: f.target(f.list.UIDs(0, manyLetters)...), Dest: "Archive"})
	f.until("the refusal", func() bool { return strings.Contains(lastQueued(f).Refused.String(), "OVERQUOTA") })
	if there, _ := lettersIn(t, srv, "Archive"); len(there) != manyStride {
		t.Errorf("%d letters are there when the quota is reached", len(there))
	}
	if _, err := other.Select("Junk", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := other.Store(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	f.s.Again(id)
	if r := f.result(id); r.Err != nil || r.Copied == nil || len(r.Copied.From) != manyLetters {
		t.Errorf("result %v, %q, %+v", r.Err, r.Note, r.Copied)
	}
	there, _ := lettersIn(t, srv, "Archive")
	for i := 1; i <= manyLetters; i++ {
		if there[i] != 1 {
			t.Errorf("letter %d: %d copies", i, there[i])
		}
	}
}
