package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// Arrivals is how another client's APPEND reached the screen.
type Arrivals struct {
	Painted Sample // from the last octet of the APPEND to the row on screen
	Down    []int  // octets from the server, each
	Drawn   []int  // octets to the terminal, each
}

// MedianDown and MedianDrawn are the middle arrival's octets.
func (a Arrivals) MedianDown() int  { return Moves{Octets: a.Down}.MedianOctets() }
func (a Arrivals) MedianDrawn() int { return Moves{Octets: a.Drawn}.MedianOctets() }

// DemoMailbox starts the demo's server, quiet, with a mailbox of n messages of
// which the newest are bench's own: narrow text, all read. It tells other
// clients at once, which Dovecot does not.
func DemoMailbox(h *Host, n int) (Mailbox, error) {
	s, err := demo.Start(context.Background(), demo.Options{Messages: n - 2*Lines})
	if err != nil {
		return Mailbox{}, err
	}
	h.Cleanup(func() { _ = s.Close() })
	box := Mailbox{Addr: s.Addr(), User: s.User(), Password: s.Password(), Messages: n}
	r, err := DialRaw(box)
	if err != nil {
		return box, err
	}
	defer r.Close()
	for i := n - 2*Lines; i < n; i++ {
		if _, err := r.Append(Message(i), `\Seen`); err != nil {
			return box, err
		}
	}
	return box, nil
}

// FilledMailbox is a mailbox on a server that runs already, filled with bench's
// messages up to n; it must hold nothing else.
func FilledMailbox(addr, user, password string, n int) (Mailbox, error) {
	box := Mailbox{Addr: addr, User: user, Password: password, Messages: n}
	r, err := DialRaw(box)
	if err != nil {
		return box, err
	}
	defer r.Close()
	untagged, err := r.Do("SELECT INBOX")
	if err != nil {
		return box, err
	}
	have := 0
	for _, line := range untagged {
		if number, found := strings.CutSuffix(line, " EXISTS"); found {
			have, _ = strconv.Atoi(strings.TrimPrefix(number, "* "))
		}
	}
	if have > n {
		// Arrivals of an earlier run are on top: they make room.
		if _, err := r.Do(`STORE %d:* +FLAGS.SILENT (\Deleted)`, n+1); err != nil {
			return box, err
		}
		if _, err := r.Do("EXPUNGE"); err != nil {
			return box, err
		}
	}
	for i := have; i < n; i++ {
		if _, err := r.Append(Message(i), `\Seen`); err != nil {
			return box, err
		}
	}
	return box, nil
}

// Arrive has another client append runs narrow messages to the mailbox that a
// program shows, each when the program has come to rest. Octets from the server
// are not counted where the way is direct; a link in between acknowledges later
// than the program would, and some servers wait for that.
func Arrive(h *Host, p Program, box Mailbox, direct bool, runs int) (Arrivals, error) {
	var a Arrivals
	other, err := DialRaw(box)
	if err != nil {
		return a, err
	}
	defer other.Close()
	link := testserver.NewLink(h, box.Addr)
	defer link.Close()
	near := box
	if !direct {
		near.Addr = link.Addr()
	}
	t, _, err := open(h, p, near, 0)
	if err != nil {
		return a, err
	}
	defer t.Kill()
	for i := range runs {
		Settled(link, time.Second)
		if err := t.Quiet(time.Second, 20*time.Second); err != nil {
			return a, err
		}
		subject := fmt.Sprintf("Fresh bread %s-%03d", p.Name, i)
		down, drawn := link.Bytes(testserver.ToClient), t.Output()
		sent, err := other.Append(MessageWithSubject(box.Messages+i, subject), "")
		if err != nil {
			return a, err
		}
		at, err := t.WaitText(20*time.Second, subject)
		if err != nil {
			return a, fmt.Errorf("%s: %w", p.Name, err)
		}
		a.Painted = append(a.Painted, at.Sub(sent))
		Settled(link, 500*time.Millisecond)
		if err := t.Quiet(500*time.Millisecond, 20*time.Second); err != nil {
			return a, err
		}
		a.Down = append(a.Down, int(link.Bytes(testserver.ToClient)-down))
		a.Drawn = append(a.Drawn, int(t.Output()-drawn))
	}
	return a, nil
}

// Told is how long the server itself takes: from the last octet of an APPEND to
// the EXISTS that an idling bare client reads. No program can be quicker.
func Told(box Mailbox, runs int) (Sample, error) {
	var s Sample
	idler, err := DialRaw(box)
	if err != nil {
		return nil, err
	}
	defer idler.Close()
	if _, err := idler.Do("SELECT INBOX"); err != nil {
		return nil, err
	}
	if err := idler.idle(); err != nil {
		return nil, err
	}
	other, err := DialRaw(box)
	if err != nil {
		return nil, err
	}
	defer other.Close()
	for i := range runs {
		told := make(chan time.Time, 1)
		failed := make(chan error, 1)
		go func() {
			for {
				resp, err := idler.response()
				if err != nil {
					failed <- err
					return
				}
				if strings.HasSuffix(resp, " EXISTS") {
					told <- time.Now()
					return
				}
			}
		}()
		time.Sleep(500 * time.Millisecond)
		sent, err := other.Append(Message(box.Messages+i), `\Seen`)
		if err != nil {
			return nil, err
		}
		select {
		case at := <-told:
			s = append(s, at.Sub(sent))
		case err := <-failed:
			return nil, err
		}
	}
	return s, nil
}
