package bench

import (
	"fmt"
	"strings"
	"time"

	"tidings/internal/testserver"
)

// FrameRate is what a frame rate costs and brings, measured on the bare Bubble
// Tea program: any program pays at least this.
type FrameRate struct {
	FPS      int
	Share    float64 // of one core, idle
	Switches float64 // context switches a second, idle
	Moves    Moves
}

// Bare builds the bare Bubble Tea program into dir.
func Bare(dir string) (string, error) {
	path := dir + "/bare"
	return path, Build(path, "./internal/bench/testdata/bare")
}

// FrameRates measures the bare program at these rates: idle for a while, then
// n cursor moves.
func FrameRates(h *Host, rates []int, idle time.Duration, n int) ([]FrameRate, error) {
	bare, err := Bare(h.TempDir())
	if err != nil {
		return nil, err
	}
	var all []FrameRate
	for _, fps := range rates {
		f := FrameRate{FPS: fps}
		t, err := Start(Columns, Lines, []string{fmt.Sprintf("FPS=%d", fps)}, bare)
		if err != nil {
			return nil, err
		}
		if _, err := t.WaitText(5*time.Second, "row 1 "); err != nil {
			return nil, err
		}
		used, err := Idle(t, idle)
		if err == nil {
			f.Share, f.Switches = used.Share, used.Switches
			f.Moves, err = Cursor(t, "j", "k", n, 20)
		}
		t.Kill()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// Rest is what a program uses while nothing happens.
type Rest struct {
	Share    float64 // of one core
	Switches float64 // context switches a second
	Octets   int64   // to the terminal, in the whole time
}

// Idle lets a program rest for two seconds and then measures it.
func Idle(t *Terminal, while time.Duration) (Rest, error) {
	time.Sleep(2 * time.Second)
	before, err := ReadUsage(t.Cmd.Process.Pid)
	if err != nil {
		return Rest{}, err
	}
	written, start := t.Output(), time.Now()
	time.Sleep(while)
	after, err := ReadUsage(t.Cmd.Process.Pid)
	if err != nil {
		return Rest{}, err
	}
	took, used := time.Since(start), after.Sub(before)
	return Rest{
		Share:    float64(used.CPU) / float64(took),
		Switches: float64(used.Switches) / took.Seconds(),
		Octets:   t.Output() - written,
	}, nil
}

// Watched is what watching a mailbox costs while nothing happens in it.
type Watched struct {
	Rest
	Down, Up int64 // octets from and to the server
}

// Watching has a program rest on a mailbox.
func Watching(h *Host, p Program, box Mailbox, while time.Duration) (Watched, error) {
	var w Watched
	link := testserver.NewLink(h, box.Addr)
	defer link.Close()
	box.Addr = link.Addr()
	t, err := Opened(h, p, box)
	if err != nil {
		return w, err
	}
	defer t.Kill()
	Settled(link, time.Second)
	before := counted(link)
	w.Rest, err = Idle(t, while)
	after := counted(link)
	w.Down, w.Up = after.Down-before.Down, after.Up-before.Up
	return w, err
}

// FirstFrames measures, in turns, from start to the first thing on screen: the
// bare program's rows, and the demo's first frame and first message.
func FirstFrames(h *Host, binary string, runs int) (bare, frame, rows Sample, err error) {
	path, err := Bare(h.TempDir())
	if err != nil {
		return nil, nil, nil, err
	}
	anything := func(s string) bool { return strings.TrimSpace(s) != "" }
	for run := range runs + 1 {
		b, err := firstFrame(nil, anything, path)
		if err != nil {
			return nil, nil, nil, err
		}
		t, err := Start(Columns, Lines, homeEnv(h.TempDir()), binary, "demo", "--seed", "1", "--rate", "0")
		if err != nil {
			return nil, nil, nil, err
		}
		t.Calm = calm
		first, err := t.Wait(10*time.Second, "first frame", anything)
		if err != nil {
			return nil, nil, nil, err
		}
		list, err := t.Wait(10*time.Second, "rows", func(s string) bool { return filledRows(s) > Lines/2 })
		t.Kill()
		if err != nil {
			return nil, nil, nil, err
		}
		if run > 0 {
			bare, frame, rows = append(bare, b), append(frame, first.Sub(t.Started)), append(rows, list.Sub(t.Started))
		}
	}
	return bare, frame, rows, nil
}

func firstFrame(env []string, shown func(string) bool, name string, args ...string) (time.Duration, error) {
	t, err := Start(Columns, Lines, env, name, args...)
	if err != nil {
		return 0, err
	}
	defer t.Kill()
	t.Calm = calm
	at, err := t.Wait(10*time.Second, "first frame", shown)
	return at.Sub(t.Started), err
}

func filledRows(screen string) int {
	n := 0
	for line := range strings.SplitSeq(screen, "\n") {
		if len(strings.TrimSpace(line)) > 20 {
			n++
		}
	}
	return n
}
