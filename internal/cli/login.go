package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/credential"
	"tidings/internal/safetext"
)

type loginOptions struct {
	config string
	stdin  bool // the password comes on standard input
}

func (p Program) loginCommand() *cobra.Command {
	var o loginOptions
	c := &cobra.Command{
		Use:   "login [ACCOUNT]",
		Short: "Sign in once, and keep what that needs",
		Long: `Sign in to an account of the config once, so that tidings does it by itself from
then on. With [account.oauth2] you sign in at the provider, by a code or in a
browser, and the grant is kept; else the password is asked for, tried, and kept.
[secrets] in the config says where: the system's keyring, a program of yours, or
a file that only you can read.`,
		Args: atMostOneAccount,
		RunE: func(c *cobra.Command, args []string) error { return p.login(c.Context(), o, args) },
	}
	takesConfig(c, &o.config)
	completesAccounts(c, &o.config)
	c.Flags().BoolVar(&o.stdin, "password-stdin", false, "read the password from standard input instead of asking for it")
	return c
}

func (p Program) logoutCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "logout [ACCOUNT]",
		Short: "Take back what login did, and erase what it kept",
		Long: `Have the provider revoke the grant of "tidings login", where it can, and erase
the grant and the password that were kept for the account, wherever that was.`,
		Args: atMostOneAccount,
		RunE: func(c *cobra.Command, args []string) error { return p.logout(c.Context(), file, args) },
	}
	takesConfig(c, &file)
	completesAccounts(c, &file)
	return c
}

// atMostOneAccount takes an account's name or nothing.
func atMostOneAccount(c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes one account, but was given %d", c.CommandPath(), len(args))
	}
	return nil
}

func completesAccounts(c *cobra.Command, file *string) {
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return accountNames(*file)
	}
}

// oneAccount is the account that the arguments name, or the only one.
func (p Program) oneAccount(file string, args []string) (*config.Config, config.Account, error) {
	cfg, err := p.load(file, nil)
	if err != nil {
		return nil, config.Account{}, err
	}
	var names []string
	for _, a := range cfg.Accounts {
		names = append(names, a.Name)
	}
	name := names[0]
	switch {
	case len(args) == 1:
		name = args[0]
	case len(names) > 1:
		return nil, config.Account{}, usagef("which account? The config has %s", strings.Join(names, ", "))
	}
	i := slices.Index(names, name)
	if i < 0 {
		return nil, config.Account{}, usagef("there is no account %q in the config; it has %s", name, strings.Join(names, ", "))
	}
	return cfg, cfg.Accounts[i], nil
}

// login is `tidings login`.
func (p Program) login(ctx context.Context, o loginOptions, args []string) error {
	cfg, a, err := p.oneAccount(o.config, args)
	if err != nil {
		return err
	}
	k, err := newKeys(cfg, p.toStderr)
	if err != nil {
		return err
	}
	k.vault.OwnsTerminal(true)
	if a.OAuth2 != nil {
		var d *dialog
		if interactive(a) {
			if d, err = p.newDialog(ctx); err != nil {
				return err
			}
			defer d.close()
		}
		return p.loginOAuth2(ctx, k, a, d)
	}
	if from := passwordFrom(a); from != "" {
		return fmt.Errorf("%s says how account %q signs in; there is nothing to keep (tidings check tries it)", from, a.Name)
	}
	return p.loginPassword(ctx, k, a, o.stdin)
}

// passwordFrom is the option by which the account signs in without anything that
// we would keep; "" where there is none.
func passwordFrom(a config.Account) string {
	switch {
	case a.Auth == config.AuthExternal:
		return "tls_certificate"
	case a.PasswordCommand != nil:
		return "password_command"
	case a.PasswordEnv != "":
		return "password_env"
	case a.PasswordFile != "":
		return "password_file"
	}
	return ""
}

// loginPassword asks for a password, proves it and keeps it.
func (p Program) loginPassword(ctx context.Context, k *keys, a config.Account, stdin bool) error {
	if err := k.vault.Ready(); err != nil {
		return fmt.Errorf("the password could not be kept: %w", err)
	}
	var password string
	var err error
	if stdin {
		password, err = readPassword(p.Stdin)
	} else {
		var d *dialog
		if d, err = p.newDialog(ctx); err != nil {
			return fmt.Errorf("%w (or pipe the password in, with --password-stdin)", err)
		}
		password, err = d.unseen(ctx, fmt.Sprintf("Password of %s (account %s): ", safetext.Clean(a.User), safetext.Clean(a.Name)))
		d.close()
	}
	if err != nil {
		return err
	}
	if password == "" {
		return errors.New("an empty password was typed; nothing was kept")
	}
	report, err := prove(ctx, a, typed{User: a.User, Password: password, Mechanism: k.settings(a).Mechanism})
	if err != nil {
		return fmt.Errorf("%s (nothing was kept)", finding{account: a, err: err}.problem())
	}
	if err := k.vault.Set(ctx, credential.PasswordName(a.Name), password); err != nil {
		return fmt.Errorf("it is the right password, but %w", err)
	}
	p.proven(a, report)
	return nil
}

// proven says that an account has signed in.
func (p Program) proven(a config.Account, r imapsession.Report) {
	fmt.Fprintf(p.Stdout, "Signed in to %s as %s: %s has %d messages.\n", safetext.Clean(a.Host), safetext.Clean(a.User), r.Mailbox, r.Messages)
}

// readPassword reads a line.
func readPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("standard input cannot be read: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// prove signs in once.
func prove(ctx context.Context, a config.Account, c imapsession.Credentials) (imapsession.Report, error) {
	session, err := sessionConfig(a, c)
	if err != nil {
		return imapsession.Report{}, err
	}
	return imapsession.Check(ctx, session)
}

// logout is `tidings logout`.
func (p Program) logout(ctx context.Context, file string, args []string) error {
	cfg, a, err := p.oneAccount(file, args)
	if err != nil {
		return err
	}
	k, err := newKeys(cfg, p.toStderr)
	if err != nil {
		return err
	}
	k.vault.OwnsTerminal(true)
	var kept, remains []string
	for _, s := range []struct{ name, what string }{
		{credential.RefreshTokenName(a.Name), "the grant"},
		{credential.PasswordName(a.Name), "the password"},
	} {
		value, err := k.vault.Get(ctx, s.name)
		start, _ := k.vault.Start(s.name)
		if start != "" {
			remains = append(remains, s.what)
		}
		if !errors.Is(err, credential.ErrNoSecret) && (start == "" || value != start) {
			kept = append(kept, s.what)
		}
	}
	note, err := k.source(a, nil).SignOut(ctx)
	// An account that has a password now may have had a grant before.
	if grant := k.vault.Delete(ctx, credential.RefreshTokenName(a.Name)); err == nil {
		err = grant // what is wrong with the one is wrong with the other
	}
	if err != nil {
		return err
	}
	if len(remains) > 0 {
		defer fmt.Fprintf(p.Stdout, "A variable of the environment still has %s: unset it.\n", strings.Join(remains, " and "))
	}
	if len(kept) == 0 {
		fmt.Fprintf(p.Stdout, "Nothing was kept for account %s.\n", safetext.Clean(a.Name))
		return nil
	}
	fmt.Fprintf(p.Stdout, "Erased %s of account %s.\n", strings.Join(kept, " and "), safetext.Clean(a.Name))
	if note != "" {
		fmt.Fprintf(p.Stdout, "But %s.\n", safetext.Clean(note))
	}
	return nil
}
