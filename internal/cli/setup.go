package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tidings/internal/config"
	"tidings/internal/safetext"
	"tidings/internal/setup"
)

// setupOptions are the flags of `tidings setup`; what is not said is found out,
// or asked for.
type setupOptions struct {
	config  string
	address string
	name    string
	host    string
	port    int
	tls     string
	caFile  string
	user    string

	passwordCommand string
	passwordEnv     string
	passwordFile    string
	passwordStdin   bool
	ask             bool

	oauth2              string
	flow                string
	clientID            string
	clientSecretCommand string
	clientSecretEnv     string
	clientSecretFile    string
	tenant              string
	issuer              string
	scopes              string
	tokenCommand        string

	readOnly bool
	batch    bool
	noLogin  bool
	replace  bool
	print    bool
}

func (p Program) setupCommand() *cobra.Command {
	var o setupOptions
	c := &cobra.Command{
		Use:   "setup [ADDRESS]",
		Short: "Add an account to the config: find its server, sign in, write it down",
		Long: `Add an account to the config. From the mail address the server is found (what
Tidings knows of large providers, the domain's DNS and autoconfig, the usual
names), a way to sign in is chosen and tried, and the account is written to the
config, behind what stands there already. What flags do not say is asked for;
with --batch, or without a terminal, it has to be found or said.`,
		Example: `  tidings setup
  tidings setup alice@example.org --batch --password-command "pass show mail/work"
  tidings setup alice@example.com --oauth2 microsoft --client-id 00000000-...`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one address, but was given %d", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.address = args[0]
			}
			return p.setup(c.Context(), o)
		},
	}
	takesConfig(c, &o.config)
	f := c.Flags()
	f.StringVar(&o.name, "name", "", "call the account `NAME` (default: after the address's domain)")
	f.StringVar(&o.host, "host", "", "the server's `NAME`, instead of finding it")
	f.IntVar(&o.port, "port", 0, "its port (default: 993, or 143 with --tls starttls)")
	f.StringVar(&o.tls, "tls", "", "implicit, starttls, or none (to this machine only)")
	f.StringVar(&o.caFile, "ca-file", "", "a PEM `FILE` with an authority to trust beside the system's")
	f.StringVar(&o.user, "user", "", "the `NAME` to sign in with (default: the address)")
	f.StringVar(&o.passwordCommand, "password-command", "", "a `COMMAND` that prints the password: words, or a JSON array")
	f.StringVar(&o.passwordEnv, "password-env", "", "the environment `VARIABLE` with the password")
	f.StringVar(&o.passwordFile, "password-file", "", "a `FILE` with the password that only you can read")
	f.BoolVar(&o.passwordStdin, "password-stdin", false, "read the password from standard input and keep it where [secrets] says")
	f.BoolVar(&o.ask, "ask", false, "keep no password: ask for it whenever Tidings starts")
	f.StringVar(&o.oauth2, "oauth2", "", "sign in with OAuth2 at google, microsoft or a custom `PROVIDER`")
	f.StringVar(&o.flow, "flow", "", "device, browser, client_credentials or command")
	f.StringVar(&o.clientID, "client-id", "", "the client's `ID` at the provider")
	f.StringVar(&o.clientSecretCommand, "client-secret-command", "", "a `COMMAND` that prints the client's secret")
	f.StringVar(&o.clientSecretEnv, "client-secret-env", "", "the environment `VARIABLE` with it")
	f.StringVar(&o.clientSecretFile, "client-secret-file", "", "a `FILE` with it that only you can read")
	f.StringVar(&o.tenant, "tenant", "", "Microsoft's tenant")
	f.StringVar(&o.issuer, "issuer", "", "a custom provider's issuer `URL`")
	f.StringVar(&o.scopes, "scopes", "", "the `SCOPES` to ask a provider for, with spaces between them")
	f.StringVar(&o.tokenCommand, "token-command", "", "a `COMMAND` that prints an access token")
	f.BoolVar(&o.readOnly, "read-only", false, "write read_only = true: nothing on the server is ever changed")
	f.BoolVar(&o.batch, "batch", false, "ask nothing")
	f.BoolVar(&o.noLogin, "no-login", false, "do not try to sign in")
	f.BoolVar(&o.replace, "replace", false, "replace an account of the same name")
	f.BoolVar(&o.print, "print", false, "print the account instead of writing it")
	return c
}

// setting is one run of `tidings setup`.
type setting struct {
	Program
	setupOptions
	ctx  context.Context
	d    *dialog // nil: nobody can be asked
	path string
	cfg  *config.Config // what stands there already; nil: nothing

	address  setup.Address
	server   setup.Server
	about    string // how the server was found, for the config
	account  config.Account
	password string // typed, and to be kept where keep is set
	keep     bool
	made     string // the file of a client's secret, which goes if nothing is written
	written  bool
}

// setup is `tidings setup`.
func (p Program) setup(ctx context.Context, o setupOptions) error {
	s := &setting{Program: p, setupOptions: o, ctx: ctx}
	if err := s.begin(); err != nil {
		return err
	}
	if s.d != nil {
		defer s.d.close()
	}
	for _, step := range []func() error{s.oneWay, s.whose, s.where, s.called, s.how, s.try, s.write} {
		if err := step(); err != nil {
			s.forget()
			return err
		}
		if ctx.Err() != nil {
			s.forget()
			return errNoAnswer
		}
	}
	return nil
}

// forget takes away what was made for an account that is not written.
func (s *setting) forget() {
	if s.made != "" && !s.written {
		_ = os.Remove(s.made)
	}
}

// oneWay sees to it that the flags name one way to sign in at most.
func (s *setting) oneWay() error {
	var named []string
	for _, way := range []struct {
		flag string
		set  bool
	}{
		{"--password-command", s.passwordCommand != ""}, {"--password-env", s.passwordEnv != ""}, {"--password-file", s.passwordFile != ""},
		{"--password-stdin", s.passwordStdin}, {"--ask", s.ask}, {"--oauth2", s.oauth2 != ""}, {"--token-command", s.tokenCommand != ""},
	} {
		if way.set {
			named = append(named, way.flag)
		}
	}
	if len(named) > 1 {
		return usagef("%s are ways to sign in; say one of them", strings.Join(named, " and "))
	}
	return nil
}

// begin looks at the config that is there, and whether there is somebody to ask.
func (s *setting) begin() error {
	s.path = s.config
	if s.path == "" {
		var err error
		if s.path, err = config.DefaultPath(); err != nil {
			return err
		}
	}
	for _, file := range []*string{&s.caFile, &s.passwordFile, &s.clientSecretFile} {
		if err := fromHere(file); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("the config cannot be read: %w", err)
	default:
		// One without accounts is fine here, and judged in the end.
		s.cfg, err = config.Parse(s.path, data)
		if err != nil && strings.Contains(string(data), "[[account]]") {
			return fmt.Errorf("the config has to be in order before an account is added:\n%w", err)
		}
	}
	if s.batch || s.needTerminal() != nil {
		return nil
	}
	s.d, err = s.newDialog(s.ctx)
	return err
}

// missing says which flag has to say what nobody can be asked for.
func (s *setting) missing(what, flag string) error {
	return usagef("%s is not said and nobody can be asked; say it with %s", what, flag)
}

// whose asks for the address.
func (s *setting) whose() error {
	for {
		typed := s.setupOptions.address
		if typed == "" {
			if s.d == nil {
				return s.missing("the mail address", "tidings setup ADDRESS")
			}
			var err error
			if typed, err = s.d.line("Your mail address", ""); err != nil {
				return err
			}
		}
		a, err := setup.ParseAddress(typed)
		if err == nil {
			s.address = a
			return nil
		}
		if s.d == nil || s.setupOptions.address != "" {
			return usageError{err}
		}
		s.d.say(safetext.Clean(err.Error()))
	}
}

// called chooses the account's name.
func (s *setting) called() error {
	name := s.name
	if name == "" {
		name, _, _ = strings.Cut(s.address.Domain, ".")
		if s.d != nil {
			var err error
			name, err = s.askFor("Name of the account", name, "name", func(a *config.Account, text string) error { a.Name = text; return nil })
			if err != nil {
				return err
			}
		}
	}
	s.account.Name = name
	if !s.exists(name) || s.replace || s.print {
		return nil
	}
	if s.d == nil {
		return fmt.Errorf("the config has an account %q already; say --replace, or another --name", name)
	}
	yes, err := s.d.yes(fmt.Sprintf("The config has an account %s already. Replace it (it is left there as a comment)?", safetext.Clean(name)), false)
	if err != nil {
		return err
	}
	if !yes {
		s.name = ""
		return s.called()
	}
	s.replace = true
	return nil
}

func (s *setting) exists(name string) bool {
	if s.cfg == nil {
		return false
	}
	for _, a := range s.cfg.Accounts {
		if a.Name == name {
			return true
		}
	}
	return false
}

// tell prints progress, unless the account itself is what is printed.
func (s *setting) tell(format string, args ...any) {
	out := s.Stdout
	if s.print {
		out = s.Stderr
	}
	fmt.Fprintln(out, safetext.Clean(fmt.Sprintf(format, args...)))
}

// sentence begins as a sentence does, unless it does so with a name.
func sentence(text string) safetext.Text {
	word, _, _ := strings.Cut(text, " ")
	if !strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }) && word != "" {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return safetext.Clean(text)
}

// fromHere has a file that is named from here be found from the config, too, which
// knows what "~/" is.
func fromHere(file *string) (err error) {
	if *file != "" && !strings.HasPrefix(*file, "~/") {
		*file, err = filepath.Abs(*file)
	}
	return err
}

// argvOf reads a command: words, or a JSON array where a word has a space in it.
func argvOf(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return strings.Fields(text), nil
	}
	var argv []string
	if err := json.Unmarshal([]byte(text), &argv); err != nil || len(argv) == 0 {
		return nil, usagef("%.80q is not a JSON array of words", text)
	}
	return argv, nil
}
