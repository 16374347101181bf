//go:build unix

package tty

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// glass is a terminal to write to. While it is stuck it reads nothing.
type glass struct {
	stuck   chan struct{} // closed: not stuck
	limits  chan time.Duration
	written []string
	at      []time.Time
	forgot  int
	err     error
}

func newGlass() *glass {
	g := &glass{stuck: make(chan struct{}), limits: make(chan time.Duration, 8)}
	close(g.stuck)
	return g
}

func (g *glass) Write(b []byte) (int, error) {
	s := string(b)
	var deadline <-chan time.Time
	for {
		select {
		case <-g.stuck:
			g.written, g.at = append(g.written, s), append(g.at, time.Now())
			return len(b), g.err
		case d := <-g.limits:
			deadline = time.After(d)
		case <-deadline:
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (g *glass) limit(d time.Duration) { g.limits <- d }

// forgetOutput makes room.
func (g *glass) forgetOutput() {
	g.forgot++
	select {
	case <-g.stuck:
	default:
		close(g.stuck)
	}
}

// painting runs f beside a painter on a glass.
func painting(t *testing.T, f func(i *inbox, g *glass, p *painter)) {
	synctest.Test(t, func(t *testing.T) {
		i, g := newInbox(), newGlass()
		p := newPainter(i, g, newCanvas([]string{"TERM=xterm-256color"}), "<enter>", func() {})
		go p.run()
		synctest.Wait()
		if len(g.written) != 1 || g.written[0] != "<enter>" {
			t.Fatalf("at first %q is written", g.written)
		}
		g.written, g.at = nil, nil
		f(i, g, p)
		if !closed(p.ending) {
			p.end()
		}
	})
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func counted(n int) Frame {
	return Frame{Width: 8, Height: 1, Content: fmt.Sprintf("%-8d", n)}
}

func TestPainterIsPrompt(t *testing.T) {
	painting(t, func(i *inbox, g *glass, p *painter) {
		begin := time.Now()
		paint := func(after time.Duration, n int) {
			time.Sleep(time.Until(begin.Add(after)))
			i.paint(counted(n))
			synctest.Wait()
		}
		const ms = time.Millisecond
		paint(0, 11111111) // the first at once
		paint(9*ms, 2222)  // and again
		paint(10*ms, 3333) // the burst
		paint(11*ms, 44444444)
		paint(12*ms, 5555) // the newer wins
		i.write("\a")      // and goes with it
		paint(time.Second, 5555)
		paint(time.Second, 6666) // nothing new was nothing to write
		want := []time.Duration{0, 9 * ms, 10 * ms, 17 * ms, time.Second}
		var at []time.Duration
		for _, w := range g.at {
			at = append(at, w.Sub(begin))
		}
		if !slices.Equal(at, want) {
			t.Errorf("frames are painted at %v, want %v: %q", at, want, g.written)
		}
		for n, s := range []string{"1", "2", "3", "\a", "6"} {
			if !strings.Contains(g.written[n], s) {
				t.Errorf("paint %d is %q, without %q", n, g.written[n], s)
			}
		}
		if s := strings.Join(g.written, ""); strings.Contains(s, "4") {
			t.Errorf("an old frame is painted: %q", s)
		}
		// A storm is held to the gap.
		g.written, begin = nil, time.Now()
		for n := range 1000 {
			paint(time.Duration(n)*ms, n)
		}
		if n := len(g.written); n < 1000/8 || n > 1000/8+frameBurst {
			t.Errorf("a second's storm is %d frames", n)
		}
	})
}

// TestPainterWaitsForTheTerminal: while the terminal does not read, nobody but
// the painter waits; when it does, it gets the newest frame.
func TestPainterWaitsForTheTerminal(t *testing.T) {
	painting(t, func(i *inbox, g *glass, p *painter) {
		g.stuck = make(chan struct{})
		for n := range 100_000 {
			i.paint(counted(n))
			i.write("\a")
			if n%10_000 == 0 {
				time.Sleep(time.Minute)
			}
		}
		synctest.Wait()
		if len(g.written) != 0 {
			t.Fatalf("%q is written to a terminal that does not read", g.written)
		}
		close(g.stuck)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(g.written); n != 2 {
			t.Fatalf("%d writes, want the one that waited and the newest", n)
		}
		last := g.written[1]
		if !strings.Contains(last, "99999") || strings.Count(last, "\a") != maxBeside {
			t.Errorf("the newest is %q", last)
		}
	})
}

// TestPainterEnds: whatever the terminal does, the painter's end is near, and
// the modes are put back.
func TestPainterEnds(t *testing.T) {
	for name, stuck := range map[string]bool{"reading": false, "stuck": true} {
		t.Run(name, func(t *testing.T) {
			painting(t, func(i *inbox, g *glass, p *painter) {
				if stuck {
					g.stuck = make(chan struct{})
				}
				i.paint(counted(1))
				synctest.Wait()
				began := time.Now()
				p.end()
				if took := time.Since(began); took > 2*patience || !stuck && took > 0 {
					t.Errorf("ending takes %v", took)
				}
				last := g.written[len(g.written)-1]
				if !strings.HasSuffix(last, leaving) || !p.left {
					t.Errorf("at last %q is written", last)
				}
				if stuck != (g.forgot > 0) || stuck != strings.HasPrefix(last, cut) {
					t.Errorf("what was not read was thrown away %d times, and %q written", g.forgot, last)
				}
			})
		})
	}
}

// TestPainterPanics: after a panic in run, end leaves in its place.
func TestPainterPanics(t *testing.T) {
	painting(t, func(i *inbox, g *glass, p *painter) {
		p.end()
		other := newPainter(i, g, newCanvas(nil), "", nil)
		func() {
			defer func() { _ = recover() }()
			g.err = errors.New("some error")
			other.run() // gone is nil
		}()
		g.err, g.written = nil, nil
		other.end()
		if len(g.written) != 1 || !strings.HasSuffix(g.written[0], leaving) {
			t.Errorf("%q is written", g.written)
		}
	})
}

// TestPainterSaysWhatWasShown: what is to be called after a frame is called when
// it is written, and not before: not while the terminal does not read, and not
// for a frame of no size.
func TestPainterSaysWhatWasShown(t *testing.T) {
	painting(t, func(i *inbox, g *glass, p *painter) {
		var said []string
		after := func(what string) { i.afterwards(func() { said = append(said, what) }) }
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if !slices.Equal(said, want) {
				t.Errorf("%s, %q is said; want %q", when, said, want)
			}
		}
		after("one")
		expect("without a frame")
		i.paint(counted(1))
		expect("with one", "one")
		after("two")
		expect("with nothing to write", "one", "two")

		time.Sleep(time.Second)
		g.stuck = make(chan struct{})
		i.paint(counted(2))
		after("three")
		synctest.Wait()
		after("four")
		expect("while the terminal does not read", "one", "two")
		close(g.stuck)
		time.Sleep(time.Second)
		expect("when it does", "one", "two", "three", "four")

		time.Sleep(time.Second)
		g.stuck = make(chan struct{})
		i.paint(counted(3))
		after("never")
		synctest.Wait()
		p.end() // the frame was given up
		expect("at the end", "one", "two", "three", "four")
	})
}
