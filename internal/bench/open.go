package bench

import (
	"fmt"
	"time"

	"tidings/internal/testserver"
)

// Opening is how long a program took from its start to the newest subjects.
type Opening struct {
	Program  string
	Messages int
	Took     Sample
	Passed   []Count // what passed the line in each run, where the line was counted
	Err      error   // why a peer could not be measured
}

// Open measures programs from start to the newest subjects of mailboxes of
// these sizes, in turns, after one run each that does not count (the server's
// first open). The first Opening of each size is the floor.
func Open(l *Lab, programs []Program, sizes []int, runs int) ([]Opening, error) {
	return openAll(l, programs, sizes, runs, func(box Mailbox) (Mailbox, *testserver.Link, error) { return box, nil, nil })
}

// OpenFar is Open over a line of this round trip, counting what passes it; 0
// only counts. There is no floor.
func OpenFar(l *Lab, programs []Program, sizes []int, runs int, roundTrip time.Duration) ([]Opening, error) {
	return openAll(l, programs, sizes, runs, func(box Mailbox) (Mailbox, *testserver.Link, error) {
		link := testserver.NewLink(l, box.Addr)
		if roundTrip == 0 {
			box.Addr = link.Addr()
			return box, link, nil
		}
		link.SetLatency(roundTrip/2, roundTrip/2)
		var err error
		box.Addr, err = handshake(l.Host, link.Addr(), roundTrip)
		return box, link, err
	})
}

func openAll(l *Lab, programs []Program, sizes []int, runs int, via func(Mailbox) (Mailbox, *testserver.Link, error)) ([]Opening, error) {
	var all []Opening
	for _, size := range sizes {
		box, err := l.Mailbox(size)
		if err != nil {
			return nil, err
		}
		floor := Opening{Program: "floor", Messages: size}
		openings := make([]Opening, len(programs))
		for run := range runs + 1 {
			near, link, err := via(box)
			if err != nil {
				return nil, err
			}
			if link == nil {
				took, _, err := Floor(box)
				if err != nil {
					return nil, fmt.Errorf("the floor: %w", err)
				}
				if run > 0 {
					floor.Took = append(floor.Took, took)
				}
			}
			for i, p := range programs {
				o := &openings[i]
				o.Program, o.Messages = p.Name, size
				if o.Err != nil {
					continue
				}
				took, passed, err := openOnce(l, p, near, link)
				if err != nil {
					o.Err = err
				} else if run > 0 {
					o.Took = append(o.Took, took)
					o.Passed = append(o.Passed, passed)
				}
			}
			if link != nil {
				link.Close()
			}
		}
		if len(floor.Took) > 0 {
			all = append(all, floor)
		}
		all = append(all, openings...)
	}
	return all, nil
}

// openOnce opens, ends the program, and lets the machine come to rest. Octets
// are counted until half a second of silence after the subjects showed, round
// trips until they showed.
func openOnce(l *Lab, p Program, box Mailbox, link *testserver.Link) (time.Duration, Count, error) {
	var before, after Count
	if link != nil {
		before = counted(link)
	}
	rest := calm
	if link != nil {
		rest = 0 // what passes the link until then counts, and no longer
	}
	t, took, err := open(l.Host, p, box, rest)
	if err != nil {
		return 0, Count{}, err
	}
	if link != nil {
		shown := counted(link)
		Settled(link, 500*time.Millisecond)
		after = counted(link)
		after.RoundTrips = shown.RoundTrips
	}
	t.Kill()
	time.Sleep(100 * time.Millisecond)
	return took, Count{after.Down - before.Down, after.Up - before.Up,
		after.Connections - before.Connections, after.RoundTrips - before.RoundTrips}, nil
}
