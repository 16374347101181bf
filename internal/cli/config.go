package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/config"
)

func (p Program) configCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print a commented config to start from",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.Stdout, p.Example)
			return err
		},
	}
}

// takesAccounts adds --config and --account to a command; the names of accounts
// are completed from the config.
func takesAccounts(c *cobra.Command, file *string, names *[]string, usage string) {
	takesConfig(c, file)
	c.Flags().StringArrayVar(names, "account", nil, usage)
	err := c.RegisterFlagCompletionFunc("account", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return accountNames(*file)
	})
	if err != nil {
		panic(err) // there is no such flag: a mistake in this file
	}
}

// takesConfig adds --config to a command.
func takesConfig(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", "", "read this config `FILE` (default: config.toml in $XDG_CONFIG_HOME/tidings, or in ~/.config/tidings)")
}

// accountNames are the names that a shell completes.
func accountNames(path string) ([]string, cobra.ShellCompDirective) {
	if path == "" {
		path, _ = config.DefaultPath()
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var known []string
	for _, a := range cfg.Accounts {
		known = append(known, a.Name)
	}
	return known, cobra.ShellCompDirectiveNoFileComp
}

// load reads the config at path ("": the default one) and keeps the named
// accounts (none: all).
func (p Program) load(path string, names []string) (*config.Config, error) {
	named := path != ""
	if !named {
		var err error
		if path, err = config.DefaultPath(); err != nil {
			return nil, err
		}
	}
	cfg, err := config.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named:
		return nil, fmt.Errorf("there is no config %s; to write one: tidings config > %s", path, path)
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(p.Stderr, "There is no config yet; Tidings looks for %s.\n", path)
		fmt.Fprintln(p.Stderr, "To try Tidings without one, on a mailbox of its own:  tidings demo")
		fmt.Fprintf(p.Stderr, "To watch your mail:  tidings setup  (or by hand: mkdir -p %s && tidings config > %s)\n", filepath.Dir(path), path)
		return nil, errSaid
	case err != nil:
		return nil, err
	}
	if named {
		cfg.Named = path
	}
	if len(names) == 0 {
		return cfg, nil
	}
	var known []string
	for _, a := range cfg.Accounts {
		known = append(known, a.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, usagef("--account: there is no account %q in %s; it has %s", name, path, strings.Join(known, ", "))
		}
	}
	cfg.Accounts = slices.DeleteFunc(cfg.Accounts, func(a config.Account) bool { return !slices.Contains(names, a.Name) })
	return cfg, nil
}
