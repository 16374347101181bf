package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/crash"
	"tidings/internal/safetext"
)

func (p Program) checkCommand() *cobra.Command {
	var file string
	var accounts []string
	c := &cobra.Command{
		Use:   "check",
		Short: "Try the config: connect, sign in, and print what each server can do",
		Long: `Try the config: read it, then connect to each account's server and sign in, and
print what was found: how the link is protected, the capabilities that matter,
the folders and their roles, whether IDLE answers. Nothing is changed on any
server.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.check(c.Context(), file, accounts) },
	}
	takesAccounts(c, &file, &accounts, "check only the account with this `NAME` (repeatable)")
	return c
}

// finding is what became of one account's check.
type finding struct {
	account config.Account
	report  imapsession.Report
	err     error
}

// check is `tidings check`. Passwords are asked for one by one, the servers are
// tried side by side, and the reports come in the order of the config.
func (p Program) check(ctx context.Context, file string, names []string) error {
	cfg, err := p.load(file, names)
	if err != nil {
		return err
	}
	k, err := newKeys(cfg, p.toStderr)
	if err != nil {
		return err
	}
	k.vault.OwnsTerminal(true)
	findings := make([]finding, len(cfg.Accounts))
	var running sync.WaitGroup
	for i, a := range cfg.Accounts {
		f := &findings[i]
		f.account = a
		source := k.source(a, nil)
		if f.err = source.Prepare(ctx); f.err != nil {
			continue
		}
		session, err := sessionConfig(a, source)
		if f.err = err; err != nil {
			continue
		}
		running.Add(1)
		crash.Go("check "+a.Name, func() {
			defer running.Done()
			f.report, f.err = imapsession.Check(ctx, session)
			if f.err == nil {
				f.err = f.foldersNamed()
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		// What the servers seemed to do then was our own doing.
		return errors.New("interrupted before every account had been tried")
	}
	failed := false
	for i, f := range findings {
		if i > 0 {
			fmt.Fprintln(p.Stdout)
		}
		f.print(p.Stdout)
		if f.err != nil {
			failed = true
			p.complain(fmt.Errorf("account %q: %s", f.account.Name, f.problem()))
		}
	}
	if failed {
		return errSaid
	}
	return nil
}

// foldersNamed looks whether the server has the folders that the config names.
func (f finding) foldersNamed() error {
	for _, named := range []struct{ key, name string }{{"archive", f.account.Archive}, {"trash", f.account.Trash}, {"junk", f.account.Junk}} {
		has := func(folder imapsession.Folder) bool {
			return (folder.Raw == named.name || folder.Name.String() == named.name) && !folder.NoSelect
		}
		if named.name != "" && !slices.ContainsFunc(f.report.Folders, has) {
			return fmt.Errorf("%s is %q in the config, but the server has no such folder; name one of those above", named.key, named.name)
		}
	}
	return nil
}

// problem is a failed check's sentence, without what can be done only on the
// screen.
func (f finding) problem() string {
	var certificate *config.CertificateError
	if errors.As(f.err, &certificate) {
		return certificate.Sentence
	}
	text := strings.TrimPrefix(f.err.Error(), fmt.Sprintf("account %q: ", f.account.Name))
	text, _, _ = strings.Cut(text, "; press r")
	return offScreen(text)
}

// offScreen takes out of sentences, one a line, what can be done only on the screen.
func offScreen(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, imapsession.Restart)
	}
	text = strings.Join(lines, "\n")
	for _, only := range onScreen {
		text = strings.ReplaceAll(text, only[0], only[1])
	}
	return text
}

var onScreen = [][2]string{
	{", then press r", ""},
	{"; then press r", ""},
	{" and press r", ""},
	{"; press r once the server has a good one", ""},
	{"; press r", ""},
	{"press R, or run tidings login", "run tidings login"},
}

// print writes what was found, as far as it went.
func (f finding) print(w io.Writer) {
	r := f.report
	fmt.Fprintf(w, "%s  (%s at %s, port %d)\n", safetext.Clean(f.account.Name), safetext.Clean(f.account.User), safetext.Clean(f.account.Host), f.account.Port)
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "  %-14s%s\n", label, fmt.Sprintf(format, args...))
	}
	if !r.Transport.IsEmpty() {
		line("link", "%s", r.Transport)
	}
	if c := r.Certificate; c.Fingerprint != "" {
		line("certificate", "%s, issued by %s, until %s", c.Subject, c.Issuer, c.Expires.UTC().Format("2 January 2006"))
		line("", "%s", c.Fingerprint)
	}
	if len(r.Mechanisms) > 0 {
		line("sign-in", "%s", safetext.Join(r.Mechanisms, ", "))
	}
	for i, c := range r.Capabilities {
		label := ""
		if i == 0 {
			label = "capabilities"
		}
		has := "yes"
		if !c.Has {
			has = "no "
		}
		line(label, "%s %-12s %s", has, c.Name, c.Use)
	}
	for i, folder := range r.Folders {
		label := ""
		if i == 0 {
			label = "folders"
		}
		switch {
		case folder.Role != "":
			line(label, "%s  (%s)", folder.Name, folder.Role)
		case folder.NoSelect:
			line(label, "%s  (holds only folders)", folder.Name)
		default:
			line(label, "%s", folder.Name)
		}
	}
	if f.err != nil {
		return
	}
	for _, use := range []struct{ key, role, named, lack string }{
		{"a archives to", "archive", f.account.Archive, "nowhere: there is no such folder; archive = \"...\" names one"},
		{"d deletes to", "trash", f.account.Trash, "nowhere: there is no such folder; trash = \"...\" names one"},
		{"J sends to", "junk", f.account.Junk, "nowhere: there is no such folder; junk = \"...\" names one"},
	} {
		folder, ok := imapsession.FolderFor(r.Folders, use.role, use.named)
		switch {
		case !ok:
			line(use.key, "%s", use.lack)
		case r.Gmail && use.role == "archive" && folder.Role == "all":
			line(use.key, "%s (Gmail: takes the label off)", folder.Name)
		default:
			line(use.key, "%s", folder.Name)
		}
	}
	line("mailbox", "%s, %d messages, UIDVALIDITY %d", r.Mailbox, r.Messages, r.UIDValidity)
	if r.Idle {
		line("IDLE", "answers in %s", short(r.IdleReply))
	} else {
		line("IDLE", "%s", r.IdleProblem)
	}
	line("round trip", "%s", short(r.RoundTrip))
}

// short writes a measured time with two or three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 100*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}
