package bench

import (
	"fmt"
	"time"
)

// Opening is how long a program took from its start to the newest subjects.
type Opening struct {
	Program  string
	Messages int
	Took     Sample
	Err      error // why a peer could not be measured
}

// Open measures programs from start to the newest subjects of mailboxes of
// these sizes, in turns, after one run each that does not count (the server's
// first open). The first Opening of each size is the floor.
func Open(l *Lab, programs []Program, sizes []int, runs int) ([]Opening, error) {
	var all []Opening
	for _, size := range sizes {
		box, err := l.Mailbox(size)
		if err != nil {
			return nil, err
		}
		openings := []Opening{{Program: "floor", Messages: size}}
		for _, p := range programs {
			openings = append(openings, Opening{Program: p.Name, Messages: size})
		}
		for run := range runs + 1 {
			took, _, err := Floor(box)
			if err != nil {
				return nil, fmt.Errorf("the floor: %w", err)
			}
			if run > 0 {
				openings[0].Took = append(openings[0].Took, took)
			}
			for i, p := range programs {
				o := &openings[i+1]
				if o.Err != nil {
					continue
				}
				took, err := openOnce(l, p, box)
				if err != nil {
					o.Err = err
					continue
				}
				if run > 0 {
					o.Took = append(o.Took, took)
				}
			}
		}
		all = append(all, openings...)
	}
	return all, nil
}

// openOnce opens, ends the program, and lets the machine come to rest.
func openOnce(l *Lab, p Program, box Mailbox) (time.Duration, error) {
	t, took, err := open(l.Host, p, box)
	if err != nil {
		return 0, err
	}
	t.Kill()
	time.Sleep(100 * time.Millisecond)
	return took, nil
}
