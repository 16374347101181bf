package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/credential"
	"tidings/internal/safetext"
	"tidings/internal/save"
	"tidings/internal/setup"
	"tidings/internal/xdg"
)

// how decides how the account signs in.
func (s *setting) how() error {
	a := &s.account
	s.at()
	a.Auth, a.Mailbox, a.ReadOnly = config.AuthAuto, "INBOX", s.readOnly
	var err error
	if a.PasswordCommand, err = argvOf(s.passwordCommand); err != nil {
		return err
	}
	a.PasswordEnv, a.PasswordFile = s.passwordEnv, s.passwordFile
	switch {
	case s.oauth2 != "" || s.tokenCommand != "":
		return s.byOAuth2()
	case passwordFrom(*a) != "" || s.ask:
		return nil
	case s.passwordStdin:
		s.password, err = readPassword(s.Stdin)
		s.keep = true
		if err == nil && s.password == "" {
			err = errors.New("--password-stdin is given, but standard input is empty")
		}
		return err
	}
	if s.d == nil {
		if p := s.server.Provider; p != nil && p.OnlyOAuth2 {
			return s.missing(p.Name+" takes no password any more; how to sign in", fmt.Sprintf("--oauth2 %s --client-id ID", p.OAuth2))
		}
		return s.missing("how to sign in", "--password-command, --password-env, --password-file, --password-stdin, --ask, or --oauth2")
	}
	token, err := s.byToken()
	if err != nil {
		return err
	}
	if token {
		return s.byOAuth2()
	}
	return s.byPassword()
}

// at has the account be at the server that was found or named.
func (s *setting) at() {
	a := &s.account
	a.Host, a.Port, a.CAFile, a.User = s.server.Host, s.server.Port, s.caFile, s.server.User
	if a.TLS == "" {
		a.TLS = config.TLS(s.server.Security.String())
	}
	if s.user != "" {
		a.User = s.user
	}
}

// byToken offers OAuth2 where the server or its provider has it.
func (s *setting) byToken() (bool, error) {
	p := s.server.Provider
	known := len(s.server.Mechanisms) > 0 || s.server.LoginDisabled
	switch {
	case p != nil && p.OnlyOAuth2, known && !s.server.TakesPassword() && s.server.TakesToken():
		s.d.say(safetext.Const("This server takes no passwords; you sign in with OAuth2, for which you need a client id (the README says how to get one)."))
		return true, nil
	case p != nil && p.OAuth2 != "", s.server.TakesToken():
		n, err := s.d.choose("How do you want to sign in?", "With a password (or an app password)", "With OAuth2, for which you need a client id (the README says how to get one)")
		return n == 1, err
	}
	return false, nil
}

// byPassword asks where the password comes from.
func (s *setting) byPassword() error {
	if p := s.server.Provider; p != nil && p.Hint != "" {
		s.d.say(safetext.Format("%s: %s.", safetext.Clean(p.Name), safetext.Clean(p.Hint)))
	}
	n, err := s.d.choose("Where does the password come from?",
		"I type it now, and Tidings keeps it (in the keyring, else in a file that only you can read)",
		"A command prints it, such as: pass show mail/"+s.account.Name,
		"I type it whenever Tidings starts")
	if err != nil {
		return err
	}
	if n == 1 {
		for {
			text, err := s.d.line("Command", "pass show mail/"+s.account.Name)
			if err != nil {
				return err
			}
			if s.account.PasswordCommand, err = argvOf(text); err == nil {
				return nil
			}
			s.d.say(safetext.Clean(err.Error()))
		}
	}
	s.keep = n == 0
	return s.typePassword()
}

func (s *setting) typePassword() error {
	for {
		text, err := s.d.unseen(s.ctx, fmt.Sprintf("Password of %s (not shown): ", safetext.Clean(s.account.User)))
		if err != nil {
			return err
		}
		if text != "" {
			s.password = text
			return nil
		}
	}
}

// byOAuth2 fills in [account.oauth2].
func (s *setting) byOAuth2() error {
	o := &config.OAuth2{Provider: config.Provider(s.oauth2), Flow: config.Flow(s.flow), ClientID: s.clientID, Tenant: s.tenant, Issuer: s.issuer,
		ClientSecretEnv: s.clientSecretEnv, Mechanism: config.MechanismAuto}
	s.account.OAuth2 = o
	var err error
	if o.TokenCommand, err = argvOf(s.tokenCommand); err != nil {
		return err
	}
	if o.TokenCommand != nil {
		o.Flow = config.FlowCommand
		return nil
	}
	if o.ClientSecretCommand, err = argvOf(s.clientSecretCommand); err != nil {
		return err
	}
	o.ClientSecretFile = s.clientSecretFile
	if s.scopes != "" {
		o.Scopes = strings.Fields(s.scopes)
	}
	if o.Provider == "" {
		o.Provider = config.Custom
		if p := s.server.Provider; p != nil && p.OAuth2 != "" {
			o.Provider = config.Provider(p.OAuth2)
		}
	}
	if o.Provider == config.Custom && o.Issuer == "" {
		if s.d == nil {
			return s.missing("the provider's issuer", "--issuer")
		}
		if o.Issuer, err = s.askOAuth2("The provider's issuer (an address that begins with https://)", "", "issuer", func(o *config.OAuth2, text string) { o.Issuer = text }); err != nil {
			return err
		}
	}
	if o.Provider == config.Custom && s.d != nil && o.Scopes == nil {
		text, err := s.askOAuth2("Scopes to ask it for, with spaces between them", "openid offline_access", "scopes", func(o *config.OAuth2, text string) { o.Scopes = strings.Fields(text) })
		if err != nil {
			return err
		}
		o.Scopes = strings.Fields(text)
	}
	if o.Flow == "" {
		if err := s.chooseFlow(o); err != nil {
			return err
		}
	}
	if o.ClientID == "" {
		if s.d == nil {
			return s.missing("the client id", "--client-id")
		}
		if o.ClientID, err = s.askOAuth2("Client id (the README says how to get one)", "", "client_id", func(o *config.OAuth2, text string) { o.ClientID = text }); err != nil {
			return err
		}
	}
	if s.d != nil && o.ClientSecretCommand == nil && o.ClientSecretEnv == "" && o.ClientSecretFile == "" && o.Provider != config.Microsoft {
		return s.keepClientSecret(o)
	}
	return nil
}

// askOAuth2 is askFor for an option of [account.oauth2].
func (s *setting) askOAuth2(question, offered, key string, put func(o *config.OAuth2, text string)) (string, error) {
	return s.askFor(question, offered, key, func(a *config.Account, text string) error {
		a.OAuth2 = &config.OAuth2{Provider: config.Custom, Flow: config.FlowDevice, Issuer: "https://login.example.org", ClientID: "tidings", Mechanism: config.MechanismAuto}
		put(a.OAuth2, text)
		return nil
	})
}

func (s *setting) chooseFlow(o *config.OAuth2) error {
	o.Flow = config.FlowDevice
	if o.Provider == config.Google {
		o.Flow = config.FlowBrowser // the only one that Google has for mail
		return nil
	}
	if s.d == nil {
		return nil
	}
	n, err := s.d.choose("Where is the browser in which you sign in?", "Anywhere: I type a short code into it (right over ssh and in tmux)", "On this computer")
	if n == 1 {
		o.Flow = config.FlowBrowser
	}
	return err
}

// keepClientSecret asks for the client's secret, which goes into a file beside
// the config.
func (s *setting) keepClientSecret(o *config.OAuth2) error {
	text, err := s.d.unseen(s.ctx, "Client secret (not shown; Enter if the provider gave you none): ")
	if text = strings.TrimSpace(text); err != nil || text == "" {
		return err
	}
	base := filepath.Join(filepath.Dir(s.path), fileSafe(s.account.Name))
	if err := xdg.MakeDir(filepath.Dir(base)); err != nil {
		return err
	}
	path := base + ".client-secret"
	for n := 2; ; n++ {
		err := save.Create(path, []byte(text+"\n"))
		if errors.Is(err, fs.ErrExist) {
			path = fmt.Sprintf("%s-%d.client-secret", base, n) // that one is another account's, or an older one's
			continue
		}
		if err != nil {
			return fmt.Errorf("the client's secret cannot be kept: %w", err)
		}
		o.ClientSecretFile, s.made = path, path
		return nil
	}
}

// fileSafe makes an account's name one that a file can have.
func fileSafe(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

// try signs in.
func (s *setting) try() error {
	a, err := setup.Read(s.path, s.account)
	if err != nil {
		return usageError{err}
	}
	s.account = a
	if s.noLogin || s.print || a.OAuth2 == nil && s.ask && s.d == nil {
		return nil
	}
	if a.OAuth2 != nil && s.d == nil && (a.OAuth2.Flow == config.FlowDevice || a.OAuth2.Flow == config.FlowBrowser) {
		return nil // it takes a person: tidings login
	}
	for {
		err := s.signIn(s.account)
		if err == nil || s.ctx.Err() != nil {
			return err
		}
		problem := errors.New(finding{account: s.account, err: err}.problem())
		if s.d == nil {
			return fmt.Errorf("%w (nothing was written; --no-login writes it all the same)", problem)
		}
		s.d.say(sentence(strings.ReplaceAll(problem.Error(), " in the config", "")))
		if written, err := s.afterAll(err); written || err != nil {
			return err
		}
	}
}

// afterAll has the person say what comes of a sign-in that failed: it is tried
// again, differently perhaps, or done is true, or the error says that it is given
// up.
func (s *setting) afterAll(why error) (done bool, err error) {
	var options []string
	var then []func() error
	offer := func(text string, f func() error) { options, then = append(options, text), append(then, f) }
	offer("Try again", func() error { return nil })
	if s.password != "" {
		offer("Type the password again", s.typePassword)
	}
	offer("Sign in by another user name", func() (err error) {
		s.account.User, err = s.askFor("User name", s.account.User, "user", func(a *config.Account, text string) error { a.User = text; return nil })
		if err == nil && s.password != "" {
			err = s.typePassword()
		}
		return err
	})
	offer("Take another server", func() error {
		host, security := s.account.Host, s.account.TLS
		s.account.TLS, s.port, s.tls = "", 0, "" // flags said what did not do
		if err := s.askHost(setup.Server{Host: host, Port: s.account.Port, User: s.account.User}); err != nil {
			return err
		}
		s.at()
		if s.account.Host != host || s.account.TLS != security {
			s.account.TLSFingerprint = ""
		}
		return nil
	})
	offer("Write the account to the config all the same", func() error { done = true; return nil })
	offer("Give up", func() error { return s.giveUp(why) })
	var untrusted *config.CertificateError
	if errors.As(why, &untrusted) {
		offer("Trust this certificate from now on: I have compared its fingerprint with the server's", func() error {
			s.account.TLSFingerprint, s.account.CAFile = untrusted.Fingerprint, ""
			return nil
		})
	}
	n, err := s.d.choose("What now?", options...)
	if err != nil {
		return false, err
	}
	err = then[n]()
	return done, err
}

// giveUp ends the setup. A sign-in of which the server would not have is taken
// back, unless an account of that name lives on.
func (s *setting) giveUp(why error) error {
	var signedIn notTaken
	if errors.As(why, &signedIn) && !s.exists(s.account.Name) {
		if k, err := s.keys(); err == nil {
			_, _ = k.source(s.account, nil).SignOut(s.ctx)
		}
	}
	return errors.New("nothing was written")
}

// signIn signs in once, as the monitor would.
func (s *setting) signIn(a config.Account) error {
	k, err := s.keys()
	if err != nil {
		return err
	}
	s.tell("Signing in to %s ...", a.Host)
	if a.OAuth2 != nil {
		return s.loginOAuth2(s.ctx, k, a, s.d)
	}
	var c imapsession.Credentials = typed{User: a.User, Password: s.password, Mechanism: k.settings(a).Mechanism}
	if s.password == "" {
		source := k.source(a, nil)
		if err := source.Prepare(s.ctx); err != nil {
			return err
		}
		c = source
	}
	report, err := prove(s.ctx, a, c)
	if err == nil {
		s.proven(a, report)
	}
	return err
}

// keys is the vault of the config that is there, or of none.
func (s *setting) keys() (*keys, error) {
	cfg := s.cfg
	if cfg == nil {
		cfg = &config.Config{Secrets: config.DefaultSecrets()}
	}
	k, err := newKeys(cfg, s.toStderr)
	if err == nil {
		k.vault.OwnsTerminal(true)
	}
	return k, err
}

// write writes the account, and then keeps its password.
func (s *setting) write() error {
	if s.print {
		s.written = true
		fmt.Fprint(s.Stdout, setup.AccountText(s.account, s.about))
		return nil
	}
	if err := setup.Write(s.path, s.account, s.about, s.replace); err != nil {
		return err
	}
	s.written = true
	s.tell("Wrote account %s to %s.", s.account.Name, s.path)
	if s.keep && s.password != "" {
		k, err := s.keys()
		if err == nil {
			err = k.vault.Set(s.ctx, credential.PasswordName(s.account.Name), s.password)
		}
		if err != nil {
			return fmt.Errorf("the account is written, but its password is not kept, and will be asked for: %w", err)
		}
	}
	if o := s.account.OAuth2; o != nil && s.d == nil && (o.Flow == config.FlowDevice || o.Flow == config.FlowBrowser) {
		s.tell("Now sign in once:  %s", loginCommand(s.config, s.account.Name))
		return nil
	}
	s.tell("Watch it:  %s", withConfig("tidings", s.config))
	return nil
}
