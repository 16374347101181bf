package bench

import (
	"context"
	"fmt"
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

// Arrive has another client append runs narrow messages to the mailbox that a
// program shows, each when the program has come to rest.
func Arrive(h *Host, p Program, box Mailbox, runs int) (Arrivals, error) {
	var a Arrivals
	other, err := DialRaw(box)
	if err != nil {
		return a, err
	}
	defer other.Close()
	link := testserver.NewLink(h, box.Addr)
	defer link.Close()
	near := box
	near.Addr = link.Addr()
	t, _, err := open(h, p, near)
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
