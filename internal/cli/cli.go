// Package cli is Tidings' command line, and the one room that knows all others:
// it reads the config, makes the sessions, starts the screen, and turns what
// goes wrong into a sentence and an exit status.
//
// Exit status: 0 it was done (or the person quit), 1 it could not be done, 2 the
// command line makes no sense, crash.ExitStatus (70) Tidings itself is broken.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/crash"
	"tidings/internal/credential"
	"tidings/internal/safetext"
	"tidings/internal/setup"
)

// Exit statuses; a panic's is crash.ExitStatus.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Program is what the command line needs of the world around it.
type Program struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Environ []string
	Example string // the text of config.toml.example

	finder     setup.Finder // asks the real network, but in tests
	interrupts *interrupts  // nil in tests
}

// Main runs the command that the arguments name and returns the exit status.
// SIGINT, SIGTERM and SIGHUP end it cleanly, with status 0 where that is how
// the command ends.
func (p Program) Main() int {
	crash.SetVersion(versionLine())
	p.interrupts = &interrupts{}
	ctx, stop := p.interrupts.context()
	defer stop()
	return p.run(ctx)
}

// settling is how long the end of the program waits for a refresh token that is
// on its way: one that is lost costs a sign-in. Nothing is waited for where none
// is.
const settling = 2 * time.Second

func (p Program) run(ctx context.Context) int {
	understood := false
	root := p.root()
	root.PersistentPreRun = func(*cobra.Command, []string) { understood = true }
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	root.SetContext(ctx)
	err := root.ExecuteContext(ctx)
	credential.Settle(settling)
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errSaid):
		return exitFailed
	case !understood, errors.As(err, &usage):
		p.complain(err)
		fmt.Fprintln(p.Stderr, "Try: tidings --help")
		return exitUsage
	}
	p.complain(err)
	return exitFailed
}

// complain prints an error, which may quote outside text.
func (p Program) complain(err error) {
	lines := strings.Split(strings.TrimSpace(offScreen(err.Error())), "\n")
	for i, line := range lines {
		if i == 0 {
			line = "tidings: " + line
		}
		fmt.Fprintln(p.Stderr, safetext.Clean(line))
	}
}

// errSaid: the command failed and has said why.
var errSaid = errors.New("it failed, and has said why")

// usageError is a command line that makes no sense.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func (p Program) root() *cobra.Command {
	var o monitorOptions
	root := &cobra.Command{
		Use:   "tidings",
		Short: "A live IMAP mail monitor for the terminal",
		Long: `Tidings holds IMAP inboxes on screen, in step with their servers.

Without a command it watches the accounts of the config, which tidings setup
writes. To try it without a config: tidings demo. Keys are explained on screen by
"?"; Q quits.`,
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			if p.unwritten(o) {
				return p.welcome(c.Context(), o)
			}
			return p.monitor(c.Context(), o)
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // the standard library's words are for programmers
		return errors.New(text)
	})
	takesAccounts(root, &o.config, &o.accounts, "watch only the account with this `NAME` (repeatable)")
	root.Flags().BoolVar(&o.readOnly, "read-only", false, "change nothing on any server")
	root.Flags().StringVar(&o.log, "log", "", "append what the sessions do to `FILE` (no mail, no passwords)")
	root.Flags().BoolVar(&o.noCache, "no-cache", false, "keep nothing on disk, and read nothing that is kept there")
	root.AddCommand(
		p.setupCommand(),
		p.loginCommand(),
		p.logoutCommand(),
		p.demoCommand(),
		p.checkCommand(),
		p.showCommand(),
		p.appendCommand(),
		p.cacheCommand(),
		p.configCommand(),
		p.versionCommand(),
		p.manCommand(root),
	)
	root.AddCommand(p.headlessCommands()...)
	return root
}

// noArguments refuses arguments, which on the root command are mostly misspelt
// commands.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !c.HasParent() {
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			return usagef("there is no command %q; did you mean %s?", args[0], near[0])
		}
		return usagef("there is no command %q", args[0])
	}
	return usagef("%s takes no argument, but was given %q", c.CommandPath(), args[0])
}
