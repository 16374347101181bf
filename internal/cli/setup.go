package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

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

// where finds the server, or asks for it.
func (s *setting) where() error {
	if s.host != "" {
		if err := s.byHand(s.host, s.port); err != nil {
			return usageError{err}
		}
		return nil
	}
	if why := setup.Without(s.address); why != "" {
		if s.d == nil {
			return errors.New(why)
		}
		s.d.say(safetext.Clean(why + "."))
		return s.askHost(setup.Server{})
	}
	s.tell("Looking for the server of %s ...", s.address.Domain)
	finder := s.finder
	found := finder.Find(s.ctx, s.address)
	if s.ctx.Err() != nil {
		return errNoAnswer
	}
	switch likely := found.Likely; {
	case found.Server != nil:
	case s.d == nil && likely != nil && (s.noLogin || s.print):
		found.Server = likely
	case s.d == nil && likely != nil:
		return fmt.Errorf("%s: see whether this machine is online, or write the account all the same with --no-login", found.Why)
	case s.d == nil:
		return fmt.Errorf("%s; name the server with --host (and --port, --tls)", found.Why)
	case likely != nil:
		s.d.say(safetext.Format("%s: is this machine online?", sentence(found.Why.String())))
		return s.askHost(*likely)
	default:
		s.d.say(safetext.Format("%s. Please name it yourself:", sentence(found.Why.String())))
		return s.askHost(setup.Server{})
	}
	s.server = *found.Server
	s.about = fmt.Sprintf("%s was %s.", s.server.Host, s.server.Source)
	if found.Likely != nil {
		return nil
	}
	s.tell("Found %s, port %d, TLS (%s; its certificate is valid).", s.server.Host, s.server.Port, string(s.server.Source))
	if s.server.Foreign {
		if s.d == nil {
			return fmt.Errorf("%s is not below %s, and DNS alone, which can be forged, names it; if it is the right one, say --host %s", s.server.Host, s.address.Domain, s.server.Host)
		}
		s.tell("It is not below %s, and only DNS names it, which can be forged on the way.", s.address.Domain)
	}
	if s.d != nil {
		right, err := s.d.yes("Is that the right server?", !s.server.Foreign)
		if err != nil {
			return err
		}
		if !right {
			return s.askHost(setup.Server{})
		}
	}
	return nil
}

// askHost asks for host, port and user; likely is what is offered, where it has a
// host.
func (s *setting) askHost(likely setup.Server) error {
	if likely.Host == "" {
		likely = setup.Server{Host: "imap." + s.address.Domain, Port: 993}
	}
	for {
		host, err := s.askFor("Server (IMAP)", likely.Host, "host", func(a *config.Account, text string) error { a.Host = text; return nil })
		if err != nil {
			return err
		}
		port := s.port
		if port == 0 {
			text, err := s.askFor("Port (993: TLS; 143: STARTTLS)", strconv.Itoa(likely.Port), "port", func(a *config.Account, text string) (err error) {
				if a.Port, err = strconv.Atoi(text); err != nil {
					return fmt.Errorf("port is %.20q; expected a whole number from 1 to 65535", text)
				}
				return nil
			})
			if err != nil {
				return err
			}
			port, _ = strconv.Atoi(text)
		}
		if err := s.byHand(host, port); err != nil {
			s.d.say(sentence(err.Error()))
			continue
		}
		if s.user != "" {
			return nil
		}
		if likely.User != "" {
			s.server.User = likely.User
		}
		s.server.User, err = s.askFor("User name", s.server.User, "user", func(a *config.Account, text string) error { a.User = text; return nil })
		return err
	}
}

// askFor asks for what will be an option of the account until a config would take it.
func (s *setting) askFor(question, offered, key string, put func(a *config.Account, text string) error) (string, error) {
	for {
		text, err := s.d.line(question, offered)
		if err != nil {
			return "", err
		}
		a := likelyAccount()
		if err = put(&a, text); err == nil {
			_, err = setup.Read(s.path, a, key)
		}
		if err == nil {
			return text, nil
		}
		s.d.say(sentence(err.Error()))
	}
}

// likelyAccount is one that a config takes.
func likelyAccount() config.Account {
	return config.Account{Name: "mail", Host: "imap.example.org", Port: 993, TLS: config.TLSImplicit, User: "alice"}
}

// byHand takes a server that the person has named, and looks at it. A port of 0 is
// the usual one.
func (s *setting) byHand(host string, port int) error {
	a := likelyAccount()
	a.Host, a.Port, a.TLS, a.CAFile = host, port, config.TLS(s.tls), s.caFile
	switch {
	case a.TLS == "" && a.Port == 143:
		a.TLS = config.TLSStart
	case a.TLS == "":
		a.TLS = config.TLSImplicit
	}
	if a.Port == 0 {
		a.Port = 993
		if a.TLS != config.TLSImplicit {
			a.Port = 143
		}
	}
	if _, err := setup.Read(s.path, a, "host", "port", "tls", "ca_file"); err != nil {
		return err
	}
	s.server = setup.Server{Host: host, Port: a.Port, User: s.address.Full, Provider: setup.ProviderByHost(host)}
	s.about = ""
	s.account.TLS = a.TLS
	if a.TLS == config.TLSStart {
		s.server.Security = setup.StartTLS
	}
	if a.TLS != config.TLSNone && !s.noLogin && !s.print {
		s.look(a)
	}
	return nil
}

// lookTime is how long a look at a server that the person has named may take.
const lookTime = 4 * time.Second

// look finds out how the server lets people in. That it cannot be reached, or is
// not trusted, is said when signing in is tried.
func (s *setting) look(a config.Account) {
	trust, err := a.TLSConfig()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookTime)
	defer cancel()
	finder := s.finder
	if finder.TLS == nil {
		finder.TLS = trust
	}
	_ = finder.Probe(ctx, &s.server)
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
