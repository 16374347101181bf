package bench

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"tidings/internal/testserver"
)

// Outage is how a program came back after its link broke while mail arrived.
type Outage struct {
	Noticed time.Duration // from the break until the screen said so; 0 if it came back first
	Shown   time.Duration // from the break until the mail was on screen
}

// Break is a way for a link to end.
type Break int

// The ways. Reset is an RST. Vanish is a far end that went without a word and
// whose place answers the next octet with RST: a router or host that was
// started again. Swallow is a line that takes everything and answers nothing,
// while TCP goes on acknowledging.
const (
	Reset Break = iota
	Vanish
	Swallow
)

// Breaking breaks the link of a program that shows box, appends a message
// behind its back, and waits for it to show up without a key. The way to the
// server is open again at once for new connections.
func Breaking(h *Host, p Program, box Mailbox, how Break, limit time.Duration) (Outage, error) {
	var o Outage
	link := testserver.NewLink(h, box.Addr)
	defer link.Close()
	// New connections go where the switch points.
	var way atomic.Value
	way.Store(link.Addr())
	front, err := forward(h, 0, func() string { return way.Load().(string) })
	if err != nil {
		return o, err
	}
	near := box
	near.Addr = front
	t, _, err := open(h, p, near, 0)
	if err != nil {
		return o, err
	}
	defer t.Kill()
	Settled(link, time.Second)
	if err := t.Quiet(time.Second, 20*time.Second); err != nil {
		return o, err
	}
	other, err := DialRaw(box)
	if err != nil {
		return o, err
	}
	defer other.Close()

	way.Store(box.Addr)
	link.Swallow(testserver.Both, true)
	up := link.Read(testserver.ToServer)
	subject := fmt.Sprintf("Fresh bread %d", time.Now().UnixNano())
	if _, err := other.Append(MessageWithSubject(box.Messages, subject), ""); err != nil {
		return o, err
	}
	start := time.Now()
	switch how {
	case Reset:
		link.Cut()
	case Vanish:
		go func() {
			for end := start.Add(limit); link.Read(testserver.ToServer) == up && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
			link.Cut()
		}()
	}
	if how != Reset {
		at, err := t.Wait(limit, "word of the dead link", func(s string) bool {
			return !strings.Contains(s, "● live") && !strings.Contains(s, "unproven") || strings.Contains(s, subject)
		})
		if err != nil {
			return o, err
		}
		o.Noticed = at.Sub(start)
	}
	at, err := t.WaitText(limit, subject)
	if err != nil {
		return o, fmt.Errorf("%s: %w", p.Name, err)
	}
	o.Shown = at.Sub(start)
	return o, nil
}

// Quitting is how long a program needs to be gone after its key to quit, with
// its link alive and with one that swallows everything.
func Quitting(h *Host, p Program, box Mailbox, swallow bool) (time.Duration, error) {
	link := testserver.NewLink(h, box.Addr)
	defer link.Close()
	near := box
	near.Addr = link.Addr()
	t, _, err := open(h, p, near, 0)
	if err != nil {
		return 0, err
	}
	defer t.Kill()
	Settled(link, time.Second)
	link.Swallow(testserver.Both, swallow)
	start := t.Type(p.Quit)
	if status := t.Exit(30 * time.Second); status != 0 {
		return 0, fmt.Errorf("%s ended with status %d", p.Name, status)
	}
	return time.Since(start), nil
}
