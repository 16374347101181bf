package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tidings/imapsession"
	"tidings/internal/mailfile"
	"tidings/internal/safetext"
)

// appendOptions are the flags of `tidings append`.
type appendOptions struct {
	config   string
	accounts []string
	to       string
	create   bool
	resume   bool
	anew     bool
	oneByOne bool
}

func (p Program) appendCommand() *cobra.Command {
	var o appendOptions
	c := &cobra.Command{
		Use:   "append --to FOLDER FILE...",
		Short: "Put messages from files into a folder on the server",
		Long: `Put messages from files into a folder on the server: single messages (.eml),
mbox files, Maildirs, and - for standard input. Dates and flags are kept as far
as the files tell them.

A message that the server refuses is named, and the rest goes on. If the link
breaks it is made again, and what was under way is looked for, so that nothing
is there twice. After ctrl+c, or if the program was killed, the same command
with --resume goes on where it was.`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("name at least one file, or - for standard input")
			case o.to == "":
				return usagef("say into which folder: --to FOLDER")
			case o.resume && o.anew:
				return usagef("--resume and --anew do not go together")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.append(c.Context(), o, args) },
	}
	takesAccounts(c, &o.config, &o.accounts, "the account with this `NAME`; needed where the config has several")
	c.Flags().StringVar(&o.to, "to", "", "append to this `FOLDER`")
	c.Flags().BoolVar(&o.create, "create", false, "make the folder if there is none")
	c.Flags().BoolVar(&o.resume, "resume", false, "go on with an earlier run of the same command that was interrupted")
	c.Flags().BoolVar(&o.anew, "anew", false, "forget an earlier run that was interrupted, and append everything")
	c.Flags().BoolVar(&o.oneByOne, "one-by-one", false, "use no extension: slow, for servers that get them wrong")
	return c
}

// append is `tidings append`.
func (p Program) append(ctx context.Context, o appendOptions, files []string) error {
	cfg, account, err := p.oneAccount(o.config, o.accounts)
	if err != nil {
		return err
	}
	if account.ReadOnly {
		return fmt.Errorf("account %q is read-only by the config: nothing is appended", account.Name)
	}
	letters, remove, err := p.collect(files)
	if err != nil {
		return err
	}
	defer remove()
	run := appendRun{p: p, letters: letters, to: o.to}
	for _, l := range letters {
		run.total += l.Size
	}
	run.journal, err = openJournal(account, o.to, files, len(letters), run.total)
	if err != nil {
		return err
	}
	defer run.journal.close()
	switch left := run.journal.interrupted(); {
	case left && !o.resume && !o.anew:
		return fmt.Errorf("an earlier run of this was interrupted when %d of %d messages were there: add --resume to go on with it, or --anew to append everything", len(run.journal.done), len(letters))
	case !left && o.resume:
		return errors.New("no interrupted run of this command is known: run it without --resume")
	case o.anew:
		run.journal.forget()
	}
	k, err := newKeys(cfg, p.toStderr)
	if err != nil {
		return err
	}
	source := k.source(account, nil)
	if err := source.Prepare(ctx); err != nil {
		return fmt.Errorf("account %q: %w", account.Name, err)
	}
	session, err := sessionConfig(account, source)
	if err != nil {
		return err
	}
	return run.do(ctx, session, o)
}

// collect finds all letters of the files. One that cannot be read ends it before
// anything is sent: it may be the name that is wrong.
func (p Program) collect(files []string) (letters []mailfile.Letter, remove func(), err error) {
	var spooled []func()
	remove = func() {
		for _, f := range spooled {
			f()
		}
	}
	for _, path := range files {
		name := path
		if path == "-" {
			var done func()
			if path, done, err = mailfile.Spool(p.Stdin); err != nil {
				remove()
				return nil, nil, err
			}
			spooled = append(spooled, done)
			name = "standard input"
		}
		for l, err := range mailfile.Letters(path) {
			if err != nil {
				remove()
				return nil, nil, err
			}
			l.Name = strings.Replace(l.Name, path, name, 1)
			letters = append(letters, l)
		}
	}
	return letters, remove, nil
}

// appendRun is one run.
type appendRun struct {
	p       Program
	letters []mailfile.Letter
	total   int64 // octets
	to      string
	journal *journal

	given     []int // the letters that are given to the session, by its index
	octets    int64 // of those that are dealt with
	counts    map[imapsession.Fate]int
	found     int
	meter     meter
	cancelled bool
}

func (r *appendRun) do(ctx context.Context, cfg imapsession.Config, o appendOptions) error {
	r.counts = map[imapsession.Fate]int{}
	r.meter = newMeter(r.p.Stderr)
	before := len(r.journal.done)
	options := imapsession.AppendOptions{
		Mailbox: o.to, Create: o.create, OneByOne: o.oneByOne,
		Sent:   func(octets int64) { r.show(ctx, octets) },
		Opened: r.journal.opened,
		Resume: r.journal.resume(),
	}
	err := imapsession.Append(ctx, cfg, options, r.each, r.told)
	r.meter.clear()
	r.report(before)
	left := r.counts[imapsession.Refused] + r.counts[imapsession.Uncertain] + len(r.letters) - before - len(r.given) + r.counts[imapsession.Unsent]
	switch {
	case err == nil && left == 0:
		r.journal.forget()
		return nil
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted: run the same command with --resume to go on")
	case err != nil:
		return fmt.Errorf("%w; the same command with --resume goes on where it is", err)
	case r.counts[imapsession.Uncertain] == 0: // what was refused will be refused again
		r.journal.forget()
	}
	return errSaid
}

// each gives the letters that are not known to be there.
func (r *appendRun) each(yield func(imapsession.Letter, error) bool) {
	for i, l := range r.letters {
		if _, done := r.journal.done[i]; done {
			continue
		}
		r.given = append(r.given, i)
		if !yield(imapsession.Letter{Name: l.Name, Size: l.Size, Date: l.Date, Flags: storable(l.Flags), Open: l.Open}, nil) {
			return
		}
	}
}

// storable leaves out the flag that would have a message thrown away.
func storable(flags []string) []string {
	var out []string
	for _, f := range flags {
		if f != `\Deleted` {
			out = append(out, f)
		}
	}
	return out
}

// told takes a letter's fate.
func (r *appendRun) told(ev imapsession.LetterEvent) {
	r.counts[ev.Fate]++
	if ev.Fate != imapsession.Unsent {
		r.octets += ev.Size
	}
	switch ev.Fate {
	case imapsession.Appended:
		if ev.Found {
			r.found++
		}
		r.journal.appended(r.given[ev.Index], ev.UID)
	case imapsession.Refused:
		r.say("not appended: %s: %s", ev.Name, ev.Err)
	case imapsession.Uncertain:
		r.say("not certain: %s: %s", ev.Name, ev.Err)
	}
}

func (r *appendRun) say(format string, args ...any) {
	r.meter.clear()
	fmt.Fprintln(r.p.Stderr, safetext.Clean(fmt.Sprintf(format, args...)))
}

// show draws how far it has come.
func (r *appendRun) show(ctx context.Context, sent int64) {
	if ctx.Err() != nil && !r.cancelled {
		r.cancelled = true
		r.say("stopping: %d messages were sent and not answered yet; finding out what became of them", len(r.given)-r.counted())
	}
	r.meter.draw(r.counted(), len(r.letters)-len(r.journal.done)+r.counts[imapsession.Appended], sent, r.total)
}

func (r *appendRun) counted() int {
	n := 0
	for _, k := range r.counts {
		n += k
	}
	return n
}

// report is the last line.
func (r *appendRun) report(before int) {
	line := fmt.Sprintf("%d appended to %s", r.counts[imapsession.Appended], r.to)
	if lo, hi, ok := r.journal.uids(); ok {
		line += fmt.Sprintf(" (UID %d to %d)", lo, hi)
	}
	if r.found > 0 {
		line += fmt.Sprintf(", %d of them found there", r.found)
	}
	if before > 0 {
		line += fmt.Sprintf(", %d before", before)
	}
	for _, c := range []struct {
		n    int
		what string
	}{
		{r.counts[imapsession.Refused], "refused"},
		{r.counts[imapsession.Uncertain], "not certain"},
		{len(r.letters) - before - len(r.given) + r.counts[imapsession.Unsent], "not tried"},
	} {
		if c.n > 0 {
			line += fmt.Sprintf(", %d %s", c.n, c.what)
		}
	}
	fmt.Fprintln(r.p.Stdout, safetext.Clean(line))
}

// meter is a line that is drawn over and over on a terminal, and not at all
// elsewhere.
type meter struct {
	w     io.Writer
	on    bool
	drawn bool
	began time.Time
}

func newMeter(w io.Writer) meter {
	f, ok := w.(*os.File)
	return meter{w: w, on: ok && term.IsTerminal(int(f.Fd())), began: time.Now()}
}

func (m *meter) draw(n, of int, octets, total int64) {
	if !m.on || total == 0 {
		return
	}
	octets = min(octets, total)
	rate := float64(octets) / max(time.Since(m.began).Seconds(), 0.001)
	left := time.Duration(float64(total-octets) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	const width = 24
	full := int(width * octets / total)
	fmt.Fprintf(m.w, "\r\x1b[K%s%s  %d of %d  %.1f MB of %.1f  %.1f MB/s  %s left",
		strings.Repeat("█", full), strings.Repeat("·", width-full), n, of, mega(octets), mega(total), rate/1e6, left)
	m.drawn = true
}

func mega(octets int64) float64 { return float64(octets) / 1e6 }

func (m *meter) clear() {
	if m.drawn {
		fmt.Fprint(m.w, "\r\x1b[K")
		m.drawn = false
	}
}

// absolute makes the names of files independent of where the command was run.
func absolute(files []string) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f
		if abs, err := filepath.Abs(f); err == nil && f != "-" {
			out[i] = abs
		}
	}
	return out
}
