package imapsession

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/testserver"
	"tidings/store"
	"tidings/store/state"
)

// An action of the test: letter n is moved, copied or flagged, by turns.
const (
	deeds       = 900
	killFor     = 10 * time.Second
	underWay    = 3 // how many actions a child asks for ahead
	killAccount = "alice"
)

// killChild is the process that is killed. It asks for what was not asked for yet,
// writes down before that it does, and behind that what is on the disk; and ends
// when all of it is done.
func killChild(spec string) {
	f := strings.Split(spec, "\n") // directory, host, port, user, password
	dir := f[0]
	port, err := strconv.Atoi(f[2])
	orDie(err)
	log := func(name, line string) {
		w, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		orDie(err)
		_, err = w.WriteString(line + "\n")
		orDie(err)
		orDie(w.Close())
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil && !os.IsNotExist(err) {
		orDie(err)
	}
	next := store.UID(bytes.Count(asked, []byte("\n")) + 1)

	st := state.Open(state.Options{Dir: dir, Say: func(text string) { log("trouble", text) }})
	out := &tellingOutbox{Outbox: st.Outbox(killAccount), durable: func(uids string) { log("durable", uids) }}
	s := New(Config{
		Account: killAccount, Host: f[1], Port: port, Security: Plaintext, Outbox: out,
		Credentials: fixedSecret{User: f[3], Password: f[4]},
	})
	s.quiet = 40 * time.Millisecond
	go func() { _ = s.Run(context.Background()) }()
	waits := map[CommandID]bool{}
	validity := uint32(0)
	for {
		for validity != 0 && next <= deeds && len(waits) < underWay {
			log("asked", fmt.Sprint(next))
			t := Target{Mailbox: "INBOX", UIDValidity: validity, UIDs: []store.UID{next}}
			var c Command
			switch next % 3 {
			case 0:
				c = Move{Target: t, Dest: "Archive"}
			case 1:
				c = Copy{Target: t, Dest: "Copies"}
			default:
				c = StoreFlags{Target: t, Add: []string{`\Flagged`}}
			}
			waits[s.Do(c)] = true
			next++
		}
		if validity != 0 && next > deeds && len(waits) == 0 {
			os.Exit(0)
		}
		evs, err := s.Events().Next(context.Background(), 0)
		orDie(err)
		for _, ev := range evs {
			switch ev := ev.(type) {
			case ResyncEvent:
				validity = ev.UIDValidity
			case QueuedEvent:
				waits[ev.ID] = true
				if !ev.Unclear.IsEmpty() {
					log("trouble", ev.Unclear.String())
					os.Exit(0)
				}
			case ResultEvent:
				delete(waits, ev.ID)
				if ev.Err != nil {
					log("trouble", fmt.Sprintf("%+v: %v", ev.Command, ev.Err))
				}
			}
		}
	}
}

// tellingOutbox tells of what is on the disk.
type tellingOutbox struct {
	Outbox
	durable func(uids string)
}

func (o *tellingOutbox) Put(e store.Entry, written func(int64, error)) {
	c, err := decodeCommand(e)
	orDie(err)
	t, _, _ := aim(c)
	o.Outbox.Put(e, func(id int64, err error) {
		orDie(err)
		o.durable(writeSet(t.UIDs))
		written(id, err)
	})
}

func orDie(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestKilledWhileActing kills the program at random moments while it moves, copies
// and flags: what was on the disk is done, and nothing is done twice.
func TestKilledWhileActing(t *testing.T) {
	for _, test := range []struct {
		name    string
		options []testserver.Option
	}{
		{"MOVE", nil},
		{"COPY", []testserver.Option{testserver.WithoutCapability("MOVE")}},
	} {
		t.Run(test.name, func(t *testing.T) { killWhileActing(t, killFor/2, test.options...) })
	}
}

func killWhileActing(t *testing.T, last time.Duration, options ...testserver.Option) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	srv := testserver.Dovecot(t, options...)
	client := srv.Client(t)
	for _, name := range []string{"Archive", "Copies"} {
		if err := client.Create(name, nil).Wait(); err != nil && !strings.Contains(err.Error(), "exists") {
			t.Fatal(err)
		}
	}
	for n := range deeds {
		testserver.Append(t, client, "INBOX", testserver.Letter(n+1))
	}
	dir := t.TempDir()
	cfg := configFor(t, srv.Addr, srv.User, srv.Password)
	spec := strings.Join([]string{dir, cfg.Host, strconv.Itoa(cfg.Port), srv.User, srv.Password}, "\n")
	began, kills := time.Now(), 0
	for over := false; !over; {
		c := exec.Command(self)
		c.Env = append(os.Environ(), "TIDINGS_TEST_ACT="+spec)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		after := time.Duration(40+rand.IntN(120)) * time.Millisecond
		if time.Since(began) > last {
			after = patience
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			over = true
		case <-time.After(after): // the random moment
			if after == patience {
				t.Errorf("what waits is never done")
				over = true
			}
			kills++
			_ = c.Process.Kill()
			<-ended
		}
	}
	lines := func(name string) map[int]bool {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		out := map[int]bool{}
		for _, l := range strings.Fields(string(b)) {
			n, _ := strconv.Atoi(l)
			out[n] = true
		}
		return out
	}
	if b, err := os.ReadFile(filepath.Join(dir, "trouble")); err == nil {
		t.Errorf("there was trouble:\n%s", b)
	}
	inbox, flagged := lettersIn(t, srv, "INBOX")
	archive, _ := lettersIn(t, srv, "Archive")
	copies, _ := lettersIn(t, srv, "Copies")
	asked, durable := lines("asked"), lines("durable")
	lost := 0
	for n := 1; n <= deeds; n++ {
		if asked[n] && !durable[n] {
			lost++
		}
		here, there := inbox[n], 0
		kept := here == 1
		done := false
		switch n % 3 {
		case 0:
			there = archive[n]
			kept, done = here+there == 1, there == 1
		case 1:
			there = copies[n]
			kept, done = here == 1 && there <= 1, there == 1
		default:
			done = flagged[n]
		}
		switch {
		case !kept:
			t.Errorf("letter %d: %d in INBOX, %d where it should go", n, here, there)
		case durable[n] && !done:
			t.Errorf("letter %d: what was on the disk was not done", n)
		}
	}
	t.Logf("%d kills in %v, %d of %d actions asked for, %d killed before they were on the disk", kills, time.Since(began).Round(time.Millisecond), len(asked), deeds, lost)
}

// lettersIn counts the letters of a mailbox by their number.
func lettersIn(t *testing.T, srv *testserver.Server, name string) (count map[int]int, flagged map[int]bool) {
	t.Helper()
	client := srv.Client(t)
	defer client.Close()
	if _, err := client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatal(err)
	}
	count, flagged = map[int]int{}, map[int]bool{}
	msgs, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Envelope: true, Flags: true}).Collect()
	if err != nil && !strings.Contains(err.Error(), "No matching") && !strings.Contains(err.Error(), "Invalid messageset") {
		t.Fatal(err)
	}
	for _, m := range msgs {
		var n int
		if _, err := fmt.Sscanf(m.Envelope.Subject, "Letter %d", &n); err != nil {
			t.Fatalf("%q is no letter", m.Envelope.Subject)
		}
		deleted := false
		for _, f := range m.Flags {
			flagged[n] = flagged[n] || f == imap.FlagFlagged
			deleted = deleted || f == imap.FlagDeleted
		}
		count[n]++
		if deleted {
			t.Errorf("letter %d in %s is marked deleted", n, name)
		}
	}
	return count, flagged
}
