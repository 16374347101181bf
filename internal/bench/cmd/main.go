// Command cmd measures Tidings and its peers from outside. It prints tables as
// docs/PERFORMANCE.md has them.
//
//	go run ./internal/bench/cmd [flags] MEASURE...
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/bench"
)

// options are what the command line says.
type options struct {
	work, binary string
	runs         int
	sizes        []int
	idle         time.Duration
	peers        []string
}

// measure is one word of the command line.
type measure struct {
	name, about string
	run         func(l *bench.Lab, o options) error
}

var measures = []measure{
	{"open", "start to newest subjects on screen, beside peers and floor", openings},
	{"far", "the same over a line of 50 ms round trip, 10k messages", far},
	{"octets", "what the server sends for opening", octets},
	{"frames", "what a frame rate costs and brings, by a bare Bubble Tea program", frames},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	sizes := flag.String("sizes", "1000,10000,100000", "mailbox sizes")
	peers := flag.String("peers", "neomutt,mutt,aerc,alpine", "peers to measure, as far as installed")
	flag.StringVar(&o.work, "work", filepath.Join(os.TempDir(), "tidings-bench"), "where mailboxes are kept between runs")
	flag.StringVar(&o.binary, "binary", "", "the tidings to measure; built from this tree if not given")
	flag.IntVar(&o.runs, "runs", 9, "runs of each")
	flag.DurationVar(&o.idle, "idle", 10*time.Second, "how long to watch an idle program")
	flag.Usage = usage
	flag.Parse()
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 20 {
			return fmt.Errorf("-sizes: %q is no number from 20 up", s)
		}
		o.sizes = append(o.sizes, n)
	}
	o.peers = strings.Split(*peers, ",")
	if flag.NArg() == 0 {
		usage()
		os.Exit(2)
	}
	return bench.Do(func(h *bench.Host) error {
		if o.binary == "" {
			o.binary = filepath.Join(h.TempDir(), "tidings")
			if err := bench.Build(o.binary, "."); err != nil {
				return err
			}
		}
		l, err := bench.NewLab(h, o.work, o.binary)
		if err != nil {
			return err
		}
		for _, name := range flag.Args() {
			i := slices.IndexFunc(measures, func(m measure) bool { return m.name == name })
			if i < 0 {
				return fmt.Errorf("no measure is called %q", name)
			}
			fmt.Printf("## %s: %s\n\n", name, measures[i].about)
			if err := measures[i].run(l, o); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Println()
		}
		return nil
	})
}

func usage() {
	fmt.Fprintf(os.Stderr, "usage: go run ./internal/bench/cmd [flags] MEASURE...\n\nmeasures:\n")
	for _, m := range measures {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", m.name, m.about)
	}
	fmt.Fprintln(os.Stderr, "\nflags:")
	flag.PrintDefaults()
}

// programs are the program under test and the peers that were asked for.
func programs(o options) []bench.Program {
	all := []bench.Program{}
	if info, err := os.Stat(o.binary); err == nil && info.Mode().IsRegular() {
		all = append(all, bench.Tidings(o.binary))
	}
	for _, p := range bench.Peers() {
		if slices.Contains(o.peers, p.Name) {
			all = append(all, p)
		}
	}
	return all
}

func openings(l *bench.Lab, o options) error {
	found, err := bench.Open(l, programs(o), o.sizes, o.runs)
	if err != nil {
		return err
	}
	fmt.Println("| messages | program | min / median / max |\n|---|---|---|")
	for _, f := range found {
		if f.Err != nil {
			fmt.Printf("| %d | %s | not measured |\n", f.Messages, f.Program)
			fmt.Fprintln(os.Stderr, f.Err)
			continue
		}
		fmt.Printf("| %d | %s | %v |\n", f.Messages, f.Program, f.Took)
	}
	return nil
}

func far(l *bench.Lab, o options) error {
	found, err := bench.OpenFar(l, programs(o), []int{10_000}, o.runs, 50*time.Millisecond)
	if err != nil {
		return err
	}
	fmt.Println("| program | min / median / max | round trips after TCP |\n|---|---|---|")
	for _, f := range found {
		if f.Err != nil {
			fmt.Printf("| %s | not measured | |\n", f.Program)
			fmt.Fprintln(os.Stderr, f.Err)
			continue
		}
		fmt.Printf("| %s | %v | %d |\n", f.Program, f.Took, f.Passed[0].RoundTrips)
	}
	return nil
}

func octets(l *bench.Lab, o options) error {
	found, err := bench.OpenFar(l, programs(o), o.sizes, 1, 0)
	if err != nil {
		return err
	}
	fmt.Println("| messages | program | server octets | connections |\n|---|---|---|---|")
	for _, f := range found {
		if f.Err != nil {
			fmt.Printf("| %d | %s | not measured | |\n", f.Messages, f.Program)
			fmt.Fprintln(os.Stderr, f.Err)
			continue
		}
		fmt.Printf("| %d | %s | %d | %d |\n", f.Messages, f.Program, f.Passed[0].Down, f.Passed[0].Connections)
	}
	return nil
}

func frames(l *bench.Lab, o options) error {
	rates, err := bench.FrameRates(l.Host, []int{15, 30, 60, 120}, o.idle, 100)
	if err != nil {
		return err
	}
	fmt.Println("| frames a second | idle, of one core | context switches a second | key to first octet, p50 / p95 | octets a move |\n|---|---|---|---|---|")
	for _, r := range rates {
		fmt.Printf("| %d | %.2f %% | %.0f | %v / %v ms | %d |\n", r.FPS, 100*r.Share, r.Switches,
			bench.Milliseconds(r.Moves.First.Median()), bench.Milliseconds(r.Moves.First.P95()), r.Moves.MedianOctets())
	}
	return nil
}
