package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tidings/internal/config"
	"tidings/internal/safetext"
	"tidings/internal/xdg"
	"tidings/store/cache"
)

// cacheOptions are the flags of `tidings cache`.
type cacheOptions struct {
	config   string
	accounts []string
	json     bool
	mailbox  string
}

func (p Program) cacheCommand() *cobra.Command {
	var o cacheOptions
	c := &cobra.Command{
		Use:   "cache",
		Short: "Show what is kept on disk of each mailbox, or clear it",
		Long: `Show what is kept on disk of each account's mailboxes, and how large it is. The
server has all of it; "tidings cache clear" loses nothing but the time to fetch
it again. Both may be used while Tidings runs.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.showCaches(c.Context(), o) },
	}
	takesAccounts(c, &o.config, &o.accounts, "only the account with this `NAME` (repeatable)")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON instead of text")

	clear := &cobra.Command{
		Use:   "clear",
		Short: "Clear the cache: all of it, or that of an account or a mailbox",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return p.clearCaches(c.Context(), o) },
	}
	takesAccounts(clear, &o.config, &o.accounts, "only the account with this `NAME` (repeatable)")
	clear.Flags().StringVar(&o.mailbox, "mailbox", "", "only the folder with this `NAME`, as tidings cache prints it")
	c.AddCommand(clear)
	return c
}

// cacheFile is one account's cache.
type cacheFile struct {
	account string // "" where no account of the config has it
	path    string
}

// cacheFiles are those of the named accounts; where none is named, of all
// accounts of the config and then those that no account has any more. A config
// that cannot be read hides nothing.
func (p Program) cacheFiles(o cacheOptions) ([]cacheFile, error) {
	var files []cacheFile
	cfg, err := p.configFor(o)
	if err != nil && (o.config != "" || len(o.accounts) > 0) {
		return nil, err
	}
	if err == nil {
		for _, a := range cfg.Accounts {
			path, err := cachePath(a)
			if err != nil {
				return nil, err
			}
			files = append(files, cacheFile{a.Name, path})
		}
	}
	if len(o.accounts) > 0 {
		return files, nil
	}
	dir, err := xdg.CacheDir()
	if err != nil {
		return nil, err
	}
	all, err := cache.Files(dir)
	if err != nil {
		return nil, err
	}
	for _, path := range all {
		if !slices.ContainsFunc(files, func(f cacheFile) bool { return f.path == path }) {
			files = append(files, cacheFile{"", path})
		}
	}
	return files, nil
}

// configFor is the config that o names; a missing default one is an error that
// nothing is printed about.
func (p Program) configFor(o cacheOptions) (*config.Config, error) {
	if o.config == "" && len(o.accounts) == 0 {
		path, err := config.DefaultPath()
		if err != nil {
			return nil, err
		}
		return config.Load(path)
	}
	return p.load(o.config, o.accounts)
}

// cacheShown is a cache as --json prints it.
type cacheShown struct {
	Account   string         `json:"account,omitempty"`
	Path      string         `json:"path"`
	Octets    int64          `json:"octets"`
	Mailboxes []mailboxShown `json:"mailboxes"`
}

type mailboxShown struct {
	Name       string     `json:"name"`
	Messages   int64      `json:"messages"`
	Headers    int64      `json:"headers"`
	Bodies     int64      `json:"bodies"`
	BodyOctets int64      `json:"body_octets"`
	AsOf       *time.Time `json:"as_of,omitempty"`
}

func (p Program) showCaches(ctx context.Context, o cacheOptions) error {
	files, err := p.cacheFiles(o)
	if err != nil {
		return err
	}
	shown := []cacheShown{}
	var failed []error
	for _, f := range files {
		c, err := cache.Look(ctx, f.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("the cache %s cannot be read: %w", f.path, err))
			continue
		}
		s := cacheShown{Account: safetext.Clean(f.account).String(), Path: safetext.Clean(f.path).String(), Octets: c.Octets, Mailboxes: []mailboxShown{}}
		for _, m := range c.Mailboxes {
			box := mailboxShown{Name: safetext.Clean(m.Name).String(), Messages: m.Messages, Headers: m.Summaries, Bodies: m.Bodies, BodyOctets: m.Octets}
			if !m.AsOf.IsZero() {
				box.AsOf = &m.AsOf
			}
			s.Mailboxes = append(s.Mailboxes, box)
		}
		shown = append(shown, s)
	}
	if o.json {
		e := json.NewEncoder(p.Stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(shown); err != nil {
			return err
		}
		return errors.Join(failed...)
	}
	if len(shown) == 0 && len(failed) == 0 {
		fmt.Fprintln(p.Stdout, "Nothing is kept on disk.")
	}
	for i, s := range shown {
		if i > 0 {
			fmt.Fprintln(p.Stdout)
		}
		writeCache(p.Stdout, s)
	}
	return errors.Join(failed...)
}

func writeCache(out io.Writer, s cacheShown) {
	who := s.Account
	if who == "" {
		who = "(of no account in the config)"
	}
	fmt.Fprintf(out, "%s  %s  %s\n", who, octets(s.Octets), s.Path)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	for _, m := range s.Mailboxes {
		of := "never confirmed by the server"
		if m.AsOf != nil {
			of = "as of " + m.AsOf.Local().Format("2006-01-02 15:04:05")
		}
		bodies := ""
		if m.Bodies > 0 {
			bodies = fmt.Sprintf(", %d whole (%s)", m.Bodies, octets(m.BodyOctets))
		}
		fmt.Fprintf(w, "  %s\t%d messages\t%d headers%s\t%s\n", strings.ReplaceAll(m.Name, "\t", " "), m.Messages, m.Headers, bodies, of)
	}
}

func (p Program) clearCaches(ctx context.Context, o cacheOptions) error {
	files, err := p.cacheFiles(o)
	if err != nil {
		return err
	}
	cleared := 0
	var failed []error
	for _, f := range files {
		found, err := cache.Clear(ctx, f.path, o.mailbox)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("the cache %s cannot be cleared: %w", f.path, err))
		case found:
			cleared++
			what := filepath.Base(f.path)
			if f.account != "" {
				what = f.account
			}
			if o.mailbox != "" {
				what += ", " + o.mailbox
			}
			fmt.Fprintf(p.Stdout, "Cleared: %s\n", safetext.Clean(what))
		}
	}
	if len(failed) == 0 && cleared == 0 {
		if o.mailbox != "" {
			return fmt.Errorf("nothing is kept of a folder %q; tidings cache prints the names", o.mailbox)
		}
		fmt.Fprintln(p.Stdout, "Nothing was kept.")
	}
	return errors.Join(failed...)
}
