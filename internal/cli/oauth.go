package cli

import (
	"context"
	"fmt"

	"tidings/internal/config"
	"tidings/internal/credential"
	"tidings/internal/safetext"
)

// oauth2Settings are [account.oauth2] as package credential takes them.
func oauth2Settings(o config.OAuth2) credential.OAuth2 {
	return credential.OAuth2{
		Provider:     string(o.Provider),
		Flow:         credential.Flow(o.Flow),
		ClientID:     o.ClientID,
		ClientSecret: credential.Origin{Command: o.ClientSecretCommand, Env: o.ClientSecretEnv, File: o.ClientSecretFile},
		Tenant:       o.Tenant,
		Issuer:       o.Issuer,
		AuthURL:      o.AuthURL,
		TokenURL:     o.TokenURL,
		DeviceURL:    o.DeviceURL,
		RevokeURL:    o.RevokeURL,
		RedirectURL:  o.RedirectURL,
		Scopes:       o.Scopes,
		TokenCommand: o.TokenCommand,
		Mechanism:    string(o.Mechanism),
	}
}

// interactive tells whether a person has to sign in.
func interactive(a config.Account) bool {
	return a.OAuth2 != nil && credential.Flow(a.OAuth2.Flow).Interactive()
}

// loginOAuth2 has the person sign in at the provider, where that takes a person,
// and proves that the server takes what comes of it.
func (p Program) loginOAuth2(ctx context.Context, k *keys, a config.Account, d *dialog) error {
	source := k.source(a, nil)
	if interactive(a) {
		if err := source.SignIn(ctx, newTerminalPrompter(d, p.Environ)); err != nil {
			return err
		}
		fmt.Fprintln(p.Stdout, "The provider has signed you in.")
	} else if err := source.Prepare(ctx); err != nil {
		return err
	}
	report, err := prove(ctx, a, source)
	if err != nil {
		return notTaken{finding{account: a, err: err}}
	}
	p.proven(a, report)
	return nil
}

// notTaken says that the provider has signed somebody in whom the mail server does
// not let in.
type notTaken struct{ finding }

func (n notTaken) Error() string {
	return "you are signed in, but the mail server does not take it: " + n.problem()
}
func (n notTaken) Unwrap() error { return n.err }

// maySignIn lets an account be signed in to from the screen. That somebody signed
// in elsewhere its session notices by itself.
func (p Program) maySignIn(w *watched, a config.Account, k *keys, source *credential.Source) {
	if len(a.PasswordCommand) > 0 && a.OAuth2 == nil {
		w.account.SignIn = source.Prepare // it asks on the terminal, if it has to
		return
	}
	if k.asked(a) {
		w.account.SignIn = func(ctx context.Context) error { return p.askBeside(ctx, a, source) }
		return
	}
	if !interactive(a) {
		return
	}
	w.account.SignIn = func(ctx context.Context) error { return p.signInBeside(ctx, a, source) }
}

// beside has f ask the person something while the screen has lent its terminal, on
// a screen of its own, so that nothing of an earlier time stands there. ctrl+c ends
// here, and not the monitor behind it.
func (p Program) beside(ctx context.Context, f func(here context.Context, d *dialog) error) error {
	d, err := p.newDialog(ctx)
	if err != nil {
		return err
	}
	defer d.close()
	fmt.Fprint(p.Stdout, "\x1b[?1049h\x1b[H\x1b[2J")
	defer fmt.Fprint(p.Stdout, "\x1b[?1049l")
	here, leave := context.WithCancel(ctx)
	defer leave()
	defer p.interrupts.until(leave)()
	return f(here, d)
}

// askBeside asks for the account's password. With nothing typed nothing is changed.
func (p Program) askBeside(ctx context.Context, a config.Account, source *credential.Source) error {
	return p.beside(ctx, func(here context.Context, d *dialog) error {
		password, err := d.unseen(here, fmt.Sprintf("Password of %s (account %s; it is not shown, Enter alone goes back): ", safetext.Clean(a.User), safetext.Clean(a.Name)))
		if err != nil {
			return err
		}
		if password == "" {
			return errNoAnswer
		}
		source.Typed(password)
		return nil
	})
}

// signInBeside signs in, and waits for the person to have read what came of it.
func (p Program) signInBeside(ctx context.Context, a config.Account, source *credential.Source) error {
	return p.beside(ctx, func(here context.Context, d *dialog) error {
		fmt.Fprintf(p.Stdout, "Signing in to account %s.\n", safetext.Clean(a.Name))
		signing, giveUp := context.WithCancel(here)
		defer giveUp()
		prompter := newTerminalPrompter(d, p.Environ)
		prompter.giveUp, prompter.signing = giveUp, signing
		err := source.SignIn(signing, prompter)
		givenUp := signing.Err() != nil
		giveUp()
		prompter.watching.Wait()
		switch {
		case err == nil:
			fmt.Fprintln(p.Stdout, "You are signed in.")
			return nil
		case givenUp:
			return errNoAnswer
		}
		d.readBy(here, err)
		return err
	})
}
