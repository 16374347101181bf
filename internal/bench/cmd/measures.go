package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tidings/internal/bench"
)

// table prints the head of a table.
func table(columns ...string) {
	row(columns...)
	for range columns {
		fmt.Print("|---")
	}
	fmt.Println("|")
}

func row[T any](cells ...T) {
	for _, c := range cells {
		fmt.Printf("| %v ", c)
	}
	fmt.Println("|")
}

// unmeasured says why a program has no figure.
func unmeasured(program string, err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n") // the screen that follows is for tests
	fmt.Fprintf(os.Stderr, "%s: %s\n", program, first)
	return "not measured"
}

func openings(l *bench.Lab, o options) error {
	found, err := bench.Open(l, programs(o, bench.Tidings), o.sizes, o.runs)
	if err != nil {
		return err
	}
	table("messages", "program", "min / median / max")
	for _, f := range found {
		cell := f.Took.String()
		if f.Err != nil {
			cell = unmeasured(f.Program, f.Err)
		}
		row[any](f.Messages, f.Program, cell)
	}
	return nil
}

func warm(l *bench.Lab, o options) error {
	found, err := bench.WarmStarts(l.Host, o.binary, o.work, o.sizes, o.runs)
	if err != nil {
		return err
	}
	table("messages", "min / median / max", "runs with a frame without rows before", "resident")
	for _, w := range found {
		row[any](w.Messages, w.Took, w.Blank, fmt.Sprintf("%d MB", w.RSS>>20))
	}
	return nil
}

func scroll(l *bench.Lab, o options) error {
	found, err := bench.Scroll(l.Host, o.binary, o.work, o.sizes)
	if err != nil {
		return err
	}
	table("messages", "resident, index loaded", "scrolled to the end", "at most", "it took", "of a core")
	for _, s := range found {
		cpu := s.Usage.Sub(s.Loaded).CPU
		row[any](s.Messages, megabytes(s.Loaded.RSS), megabytes(s.Usage.RSS), megabytes(s.Usage.PeakRSS), s.Took.Round(time.Second/10), cpu.Round(time.Second/10))
	}
	return nil
}

func far(l *bench.Lab, o options) error {
	found, err := bench.OpenFar(l, programs(o, bench.Tidings), []int{10_000}, o.runs, 50*time.Millisecond)
	if err != nil {
		return err
	}
	table("program", "min / median / max", "round trips after TCP")
	for _, f := range found {
		if f.Err != nil {
			row(f.Program, unmeasured(f.Program, f.Err), "")
			continue
		}
		row[any](f.Program, f.Took, f.Passed[0].RoundTrips)
	}
	return nil
}

func octets(l *bench.Lab, o options) error {
	found, err := bench.OpenFar(l, programs(o, bench.TidingsAsked, bench.Tidings), o.sizes, 1, 0)
	if err != nil {
		return err
	}
	table("messages", "program", "server octets", "connections")
	for _, f := range found {
		if f.Err != nil {
			row[any](f.Messages, f.Program, unmeasured(f.Program, f.Err), "")
			continue
		}
		row[any](f.Messages, f.Program, f.Passed[0].Down, f.Passed[0].Connections)
	}
	return nil
}

func arrivals(l *bench.Lab, o options) error {
	table("messages", "program", "min / median / max", "p95", "server octets", "terminal octets")
	for _, size := range o.sizes {
		err := bench.Do(func(h *bench.Host) error {
			box, err := liveMailbox(h, o, size)
			if err != nil {
				return err
			}
			told, err := bench.Told(box, o.runs)
			row[any](size, "floor: a bare client is told", told, bench.Milliseconds(told.P95())+" ms", "", "")
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range programs(o, bench.TidingsAsked, bench.Tidings) {
			// Each has a server to itself: one program's mail is not another's.
			err := bench.Do(func(h *bench.Host) error {
				box, err := liveMailbox(h, o, size)
				if err != nil {
					return err
				}
				a, err := bench.Arrive(h, p, box, o.server != "", o.runs)
				if err != nil {
					row[any](size, p.Name, unmeasured(p.Name, err), "", "", "")
					return nil
				}
				row[any](size, p.Name, a.Painted, bench.Milliseconds(a.Painted.P95())+" ms", a.MedianDown(), a.MedianDrawn())
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// liveMailbox is on the demo's server, or on the one that the command line names.
func liveMailbox(h *bench.Host, o options, size int) (bench.Mailbox, error) {
	if o.server == "" {
		return bench.DemoMailbox(h, size)
	}
	return bench.FilledMailbox(o.server, "bench", os.Getenv("BENCH_PASSWORD"), size)
}

func moves(l *bench.Lab, o options) error {
	table("messages", "octets, median / max", "key to first octet, p50 / p95")
	for _, size := range o.sizes {
		box, err := l.Mailbox(size)
		if err != nil {
			return err
		}
		t, err := bench.Opened(l.Host, bench.Tidings(o.binary), box)
		if err != nil {
			return err
		}
		m, err := bench.Cursor(t, "j", "k", 200, 20)
		t.Kill()
		if err != nil {
			return err
		}
		row[any](size, fmt.Sprintf("%d / %d", m.MedianOctets(), m.MaxOctets()), latency(m.First))
	}
	return nil
}

func latency(s bench.Sample) string {
	return fmt.Sprintf("%s / %s ms", bench.Milliseconds(s.Median()), bench.Milliseconds(s.P95()))
}

func expunged(l *bench.Lab, o options) error {
	size := slices.Max(o.sizes)
	table("run", "from EXPUNGE sent", "from its OK", "our CPU", "terminal octets")
	for run := range 3 {
		box, err := l.Scratch(size)
		if err != nil {
			return err
		}
		// The server's first open makes its index.
		if _, _, err := bench.Floor(box); err != nil {
			return err
		}
		e, err := bench.Expunge(l, bench.Tidings(o.binary), box, min(1000, size/10))
		if err != nil {
			return err
		}
		row[any](run+1, bench.Milliseconds(e.FromCommand)+" ms", bench.Milliseconds(e.FromReply)+" ms",
			bench.Milliseconds(e.CPU)+" ms", e.Octets)
	}
	return nil
}

func outages(l *bench.Lab, o options) error {
	table("what broke", "noticed after", "mail shown after")
	for _, c := range []struct {
		name  string
		how   bench.Break
		runs  int
		limit time.Duration
	}{
		{"link reset", bench.Reset, o.runs, 30 * time.Second},
		{"far end gone, RST at the probe", bench.Vanish, 1, 2 * time.Minute},
		{"line swallows everything", bench.Swallow, 1, 3 * time.Minute},
	} {
		var noticed, shown bench.Sample
		for range c.runs {
			err := bench.Do(func(h *bench.Host) error {
				box, err := bench.DemoMailbox(h, 1000)
				if err != nil {
					return err
				}
				out, err := bench.Breaking(h, bench.Tidings(o.binary), box, c.how, c.limit)
				noticed, shown = append(noticed, out.Noticed), append(shown, out.Shown)
				return err
			})
			if err != nil {
				return err
			}
		}
		if c.how == bench.Reset {
			row[any](c.name, "at once", shown)
			continue
		}
		row[any](c.name, noticed.Median().Round(100*time.Millisecond), shown.Median().Round(100*time.Millisecond))
	}
	return nil
}

func quits(l *bench.Lab, o options) error {
	table("link", "min / median / max")
	box, err := l.Mailbox(1000)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name    string
		swallow bool
	}{{"alive", false}, {"swallows everything", true}} {
		var took bench.Sample
		for range o.runs {
			d, err := bench.Quitting(l.Host, bench.Tidings(o.binary), box, c.swallow)
			if err != nil {
				return err
			}
			took = append(took, d)
		}
		row[any](c.name, took)
	}
	return nil
}

func idle(l *bench.Lab, o options) error {
	box, err := l.Mailbox(1000)
	if err != nil {
		return err
	}
	table("program", "of one core", "context switches a second", "terminal octets", "server octets", "octets to the server")
	path, err := bench.Bare(l.TempDir())
	if err != nil {
		return err
	}
	bare, err := bench.Start(bench.Columns, bench.Lines, nil, path)
	if err != nil {
		return err
	}
	rest, err := bench.Idle(bare, o.idle)
	bare.Kill()
	if err != nil {
		return err
	}
	row[any]("bare", percent(rest.Share), fmt.Sprintf("%.0f", rest.Switches), rest.Octets, "", "")
	r, err := bench.Watching(l.Host, bench.Tidings(o.binary), box, o.idle)
	if err != nil {
		return err
	}
	row[any]("tidings", percent(r.Share), fmt.Sprintf("%.0f", r.Switches), r.Octets, r.Down, r.Up)
	return nil
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

func memory(l *bench.Lab, o options) error {
	table("messages", "resident", "at most")
	for _, size := range o.sizes {
		box, err := l.Mailbox(size)
		if err != nil {
			return err
		}
		t, err := bench.Opened(l.Host, bench.Tidings(o.binary), box)
		if err != nil {
			return err
		}
		time.Sleep(3 * time.Second)
		u, err := bench.ReadUsage(t.Cmd.Process.Pid)
		t.Kill()
		if err != nil {
			return err
		}
		row[any](size, megabytes(u.RSS), megabytes(u.PeakRSS))
	}
	return nil
}

func megabytes(octets int64) string { return fmt.Sprintf("%.1f MB", float64(octets)/1e6) }

func starts(l *bench.Lab, o options) error {
	bare, frame, rows, err := bench.FirstFrames(l.Host, o.binary, o.runs)
	if err != nil {
		return err
	}
	table("what", "min / median / max")
	row[any]("bare program, first frame", bare)
	row[any]("demo, first frame", frame)
	row[any]("demo, screen full of messages", rows)
	return nil
}

func frames(l *bench.Lab, o options) error {
	rates, err := bench.FrameRates(l.Host, []int{15, 30, 60, 120}, o.idle, 100)
	if err != nil {
		return err
	}
	table("frames a second", "idle, of one core", "context switches a second", "key to first octet, p50 / p95", "octets a move")
	for _, r := range rates {
		row[any](r.FPS, percent(r.Share), fmt.Sprintf("%.0f", r.Switches),
			latency(r.Moves.First), r.Moves.MedianOctets())
	}
	return nil
}
