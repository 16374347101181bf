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
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/bench"
)

// options are what the command line says.
type options struct {
	work, binary string
	server       string
	runs         int
	sizes        []int
	idle         time.Duration
	peers        []string
	format       string
}

// measure is one word of the command line.
type measure struct {
	name, about string
	run         func(l *bench.Lab, o options) error
}

var measures = []measure{
	{"open", "start to newest subjects on screen, beside peers and floor", openings},
	{"warm", "start to newest subjects from the cache, before the server says a word; -sizes up to 1000000", warm},
	{"scroll", "resident after every row was shown, page by page, from the cache; -sizes up to 1000000", scroll},
	{"far", "the same over a line of 50 ms round trip, 10k messages", far},
	{"octets", "what the server sends for opening", octets},
	{"arrive", "another client's APPEND to the painted row, on the demo's server", arrivals},
	{"cursor", "one cursor move", moves},
	{"expunge", "1,000 messages of the largest mailbox expunged by another client", expunged},
	{"outage", "mail that arrives while the link is broken (some minutes)", outages},
	{"quit", "from the key to the end of the program", quits},
	{"idle", "a quiet mailbox, watched (-idle 60s)", idle},
	{"memory", "resident with the largest mailbox open", memory},
	{"start", "start to first frame of the demo, beside a bare Bubble Tea program", starts},
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
	flag.StringVar(&o.server, "server", "", "for arrive: a plain `HOST:PORT` with an account \"bench\" (password in BENCH_PASSWORD) instead of the demo's server")
	flag.StringVar(&o.format, "format", "maildir", "how the Dovecot stores mail: maildir, sdbox, mdbox")
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
		l, err := bench.NewLab(h, o.work, o.binary, o.format)
		if err != nil {
			return err
		}
		fmt.Printf("%s, %d cores, load %s\n\n", time.Now().Format("2 January 2006, 15:04"), runtime.NumCPU(), load())
		defer func() { fmt.Printf("load at the end %s\n", load()) }()
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

// load is the machine's load averages: others' work makes figures worthless.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	if err != nil || len(f) < 3 {
		return "unknown"
	}
	return strings.Join(f[:3], " ")
}

func usage() {
	fmt.Fprintf(os.Stderr, "usage: go run ./internal/bench/cmd [flags] MEASURE...\n\nmeasures:\n")
	for _, m := range measures {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", m.name, m.about)
	}
	fmt.Fprintln(os.Stderr, "\nflags:")
	flag.PrintDefaults()
}

// programs are the program under test, in this or these ways, and the peers that
// were asked for.
func programs(o options, ways ...func(path string) bench.Program) []bench.Program {
	all := []bench.Program{}
	if info, err := os.Stat(o.binary); err == nil && info.Mode().IsRegular() {
		for _, way := range ways {
			all = append(all, way(o.binary))
		}
	}
	for _, p := range bench.Peers() {
		if slices.Contains(o.peers, p.Name) {
			all = append(all, p)
		}
	}
	return all
}
