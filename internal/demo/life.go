package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// life is what others do in INBOX: mail arrives, other clients read, flag,
// move and expunge. What comes next is a function of the seed and of the
// mailbox as it stands. Server.mu guards it.
type life struct {
	server *Server
	rng    *rand.Rand
	next   uint32 // number of the next letter to arrive
	steps  int
}

func newLife(s *Server, seed uint64) *life {
	return &life{server: s, rng: rand.New(rand.NewPCG(seed, 0x11fe)), next: uint32(s.writer.messages)}
}

// firstEvent is how long a viewer waits for the first sign of life at most.
const firstEvent = 1500 * time.Millisecond

// run lets life happen at a mean rate of events a minute until ctx ends.
func (l *life) run(ctx context.Context, rate float64) {
	if rate <= 0 {
		return
	}
	mean := time.Duration(float64(time.Minute) / rate)
	timer := time.NewTimer(min(firstEvent, mean))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		what := l.server.Step()
		l.server.log.Debug("demo: " + what)
		timer.Reset(l.pause(mean))
	}
}

// pause is the time to the next event: from 0.3 to 1.7 of the mean.
func (l *life) pause(mean time.Duration) time.Duration {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	return time.Duration(float64(mean) * (0.3 + 1.4*l.rng.Float64()))
}

// Step performs the next event of the mailbox's life and says what it was. The
// first one is an arrival.
func (s *Server) Step() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.step(time.Now())
}

func (l *life) step(now time.Time) string {
	m := l.server.mailboxes["INBOX"]
	l.steps++
	roll := l.rng.IntN(100)
	// A mailbox that has shrunk grows again.
	if l.steps == 1 || len(m.rows) < max(5, l.server.writer.messages/2) || roll < 46 {
		uid, subject := l.arrive(now)
		return fmt.Sprintf("arrival: UID %d, %s", uid, subject)
	}
	flags := &l.server.flags
	switch {
	case roll < 68:
		i, ok := l.pick(m, func(r *row) bool { return !flags.has(r.flags, imap.FlagSeen) })
		if !ok {
			i, _ = l.pick(m, nil)
			m.setFlags(i, flags.change(m.rows[i].flags, nil, []imap.Flag{imap.FlagSeen}), nil)
			return fmt.Sprintf("marked unread: UID %d", m.rows[i].uid)
		}
		m.setFlags(i, flags.change(m.rows[i].flags, []imap.Flag{imap.FlagSeen}, nil), nil)
		return fmt.Sprintf("read: UID %d", m.rows[i].uid)
	case roll < 78:
		i, _ := l.pick(m, nil)
		flag := []imap.Flag{imap.FlagFlagged, imap.FlagFlagged, imap.FlagAnswered, "$Forwarded", "$label1"}[l.rng.IntN(5)]
		if flags.has(m.rows[i].flags, flag) {
			m.setFlags(i, flags.change(m.rows[i].flags, nil, []imap.Flag{flag}), nil)
			return fmt.Sprintf("flag %s off: UID %d", flag, m.rows[i].uid)
		}
		m.setFlags(i, flags.change(m.rows[i].flags, []imap.Flag{flag}, nil), nil)
		return fmt.Sprintf("flag %s on: UID %d", flag, m.rows[i].uid)
	case roll < 88:
		i, _ := l.pick(m, nil)
		dest := []string{"Archive", "Archive", "Archive", "Trash", "Junk"}[l.rng.IntN(5)]
		uid := m.rows[i].uid
		l.server.copyRows(m, []int{i}, l.server.mailboxes[dest])
		m.expunge([]int{i})
		return fmt.Sprintf("moved to %s: UID %d", dest, uid)
	default:
		var doomed []int
		var uids []uint32
		for range 1 + l.rng.IntN(3) {
			if i, ok := l.pick(m, nil); ok && !slices.Contains(doomed, i) {
				doomed = append(doomed, i)
				uids = append(uids, m.rows[i].uid)
			}
		}
		slices.Sort(doomed)
		m.expunge(doomed)
		return fmt.Sprintf("expunged: UIDs %d", uids)
	}
}

// pick chooses one of the newest rows that fits, the newer the likelier.
func (l *life) pick(m *mailbox, fits func(*row) bool) (int, bool) {
	for range 20 {
		back := min(l.rng.IntN(60), l.rng.IntN(60))
		i := len(m.rows) - 1 - back
		if i >= 0 && (fits == nil || fits(&m.rows[i])) {
			return i, true
		}
	}
	return len(m.rows) - 1, fits == nil
}

// arrive delivers the next letter and returns its UID and subject.
func (l *life) arrive(now time.Time) (uint32, string) {
	m := l.server.mailboxes["INBOX"]
	number := l.next
	l.next++
	uid := m.add(row{date: now.Unix(), number: number})
	return uid, l.server.writer.subject(number)
}
