// Package credential says where an account's secret comes from: a command, an
// environment variable, a file, or the person, asked before the screen starts.
//
// A Source implements imapsession.Credentials. The session asks it at every
// log-in, so that a password that was changed is picked up by the next one. A
// command runs without the terminal then, which the screen owns; Prepare, called
// before the screen starts, runs it with the terminal, so that it may ask for a
// PIN. If it fails later (the agent has locked itself), the last password that
// it gave is used again.
//
// A slow command need not keep the screen waiting: Begin runs it beside, without
// the terminal, and Secret waits for it.
//
// Secrets stand in memory only, and in no error: errors name the command's
// program, the variable or the file.
package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"

	"tidings/imapsession"
	"tidings/internal/run"
	"tidings/internal/safetext"
)

// commandTime is how long a password command may take, a PIN being typed
// included.
const commandTime = 60 * time.Second

// maxSecret bounds a secret, in bytes: OAuth tokens have a few thousand.
const maxSecret = 64 << 10

// Settings say where one account's secret comes from: the first of Command, Env
// and File that is set, else what Vault keeps, else the person is asked.
type Settings struct {
	Account string // for the prompt
	User    string
	// Mechanism is the SASL mechanism that has to be used, upper-case, "" for the
	// best; EXTERNAL needs no password, and none is looked for.
	Mechanism string
	Command   []string
	Env       string
	File      string // absolute
	// Vault keeps the password where `tidings login` was told to; nil: nothing
	// is kept.
	Vault Vault
	// Login is the command line that keeps it, or signs in, as the person would type
	// it; "": tidings login with the account.
	Login string
	// OAuth2, where set, is how access tokens are come by; no password is used.
	OAuth2 *OAuth2
	// StateDir is where the lock of the account's tokens is; "": the XDG state
	// directory.
	StateDir string
	// Log gets what happens to tokens, never the tokens; nil: discarded.
	Log *slog.Logger
	// Wall is the wall clock; nil: time.Now().Round(0).
	Wall func() time.Time
	// NeverAsk: the person is not asked, whatever happens.
	NeverAsk bool

	// Ask asks the person for the password, on the terminal. Called by Prepare
	// only. nil: AskTerminal.
	Ask func(ctx context.Context, prompt string) (string, error)
}

// login is Login, or what stands for it.
func (s Settings) login() string {
	if s.Login != "" {
		return s.Login
	}
	return "tidings login " + run.Quote(s.Account)
}

// Source gets the secret of one account. Its methods may be called from any
// goroutine.
type Source struct {
	settings Settings
	tokens   *tokens // nil: there are none

	mu    sync.Mutex
	last  string // the last password that was got; never shown
	have  bool
	fresh bool   // got by Prepare and not used yet
	typed bool   // given to Typed: used until the server refuses it
	wrong bool   // the server has refused the last one
	early *begun // the command that Begin has started; nil: none, or its outcome was used
}

// New makes a Source; nothing is read or run before Prepare or Secret. A
// variable that holds the secret is handed to no program from now on.
func New(s Settings) *Source {
	if s.Env != "" {
		run.Withhold(s.Env)
	}
	source := &Source{settings: s}
	if s.OAuth2 != nil {
		source.tokens = newTokens(s)
	}
	return source
}

var _ imapsession.Credentials = (*Source)(nil)

// Format keeps what the Source holds out of every formatted output.
func (s *Source) Format(w fmt.State, _ rune) {
	fmt.Fprintf(w, "credential.Source(%s)", s.settings.Account)
}

// Prepare gets the secret while the terminal is still the shell's, asking for
// it or letting the command ask. For a variable or a file, which need no
// terminal, it only looks whether they can be read.
//
// Of tokens it looks whether there is a way to them at all: that somebody has
// signed in, or that the programs which give them do.
func (s *Source) Prepare(ctx context.Context) error {
	if s.tokens != nil {
		return s.tokens.prepare(ctx)
	}
	secret, err := s.get(ctx, true)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("the password could not be had: %w", err)
	}
	s.keep(secret, true)
	return nil
}

// Secret is the account's user and password (imapsession.Credentials). It
// never touches the terminal.
func (s *Source) Secret(ctx context.Context) (imapsession.Secret, error) {
	if s.tokens != nil {
		token, err := s.tokens.token(ctx, false)
		if err != nil {
			return imapsession.Secret{}, err
		}
		return imapsession.Secret{User: s.settings.User, Token: token, Mechanism: s.tokens.mechanism()}, nil
	}
	err := s.arrived(ctx)
	if last, ok := s.prepared(); ok {
		return s.secret(last), nil
	}
	var secret string
	if err == nil {
		secret, err = s.get(ctx, false)
	}
	if err != nil {
		last, have := s.lastGot()
		if !have || ctx.Err() != nil {
			return imapsession.Secret{}, err
		}
		secret = last
	}
	s.keep(secret, false)
	return s.secret(secret), nil
}

func (s *Source) secret(password string) imapsession.Secret {
	return imapsession.Secret{User: s.settings.User, Password: password, Mechanism: s.settings.Mechanism}
}

// Rejected is told by the session that the server refused the password: the last
// one that was got is not used again unless it is got again.
func (s *Source) Rejected() {
	if s.tokens != nil {
		s.tokens.rejected()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.have, s.fresh, s.typed, s.wrong = "", false, false, false, true
}

// Typed takes the password that the person has just typed, in place of what is
// kept, for as long as the server takes it.
func (s *Source) Typed(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.have, s.typed, s.wrong = password, true, true, false
}

func (s *Source) keep(secret string, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.have, s.fresh = secret, true, fresh
}

// prepared returns what Prepare got, once, or what was given to Typed.
func (s *Source) prepared() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ready := s.fresh || s.typed
	s.fresh = false
	return s.last, ready
}

func (s *Source) refused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong
}

func (s *Source) lastGot() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.have
}

// errAsk: only the person knows the password, and cannot be asked now.
var errAsk = errors.New("it has to be typed; start Tidings from a terminal, or name a password_command, password_env or password_file in the config")

// errUntyped: the person has typed none, and cannot be asked now.
var errUntyped = &imapsession.SecretError{
	Text:   "the password has to be typed, or come from a password_command, password_env or password_file in the config",
	SignIn: true,
}

// errTyped: the person typed a wrong one, and cannot be asked now.
var errTyped = &imapsession.SecretError{Text: "the password that was typed is wrong", SignIn: true}

func (s *Source) get(ctx context.Context, terminal bool) (string, error) {
	switch {
	case s.settings.Mechanism == "EXTERNAL":
		return "", nil
	case len(s.settings.Command) > 0:
		return fromCommand(ctx, aPassword, s.settings.Command, terminal)
	case s.settings.Env != "":
		return fromEnv(s.settings.Env)
	case s.settings.File != "":
		return fromFile(aPassword, s.settings.File)
	}
	missing := errAsk
	if s.settings.Vault != nil {
		kept, err := s.settings.Vault.Get(ctx, PasswordName(s.settings.Account))
		switch {
		case err == nil:
			return kept, nil
		case ctx.Err() != nil:
			return "", ctx.Err()
		case !errors.Is(err, ErrNoSecret):
			missing = fmt.Errorf("the one that is kept cannot be had: %w", err)
		}
	}
	switch {
	case s.settings.NeverAsk:
		if missing != errAsk {
			return "", missing
		}
		return "", fmt.Errorf("none is kept; run: %s", s.settings.login())
	case !terminal && s.refused():
		return "", errTyped
	case !terminal && missing == errAsk:
		return "", errUntyped
	case !terminal:
		return "", missing
	}
	ask := s.settings.Ask
	if ask == nil {
		ask = AskTerminal
	}
	user := safetext.Clean(s.settings.User)
	account := safetext.Clean(s.settings.Account)
	prompt := fmt.Sprintf("Password of %s (account %s): ", user, account)
	if missing != errAsk {
		prompt = safetext.Clean(missing.Error()).String() + "\n" + prompt
	}
	secret, err := ask(ctx, prompt)
	if errors.Is(err, errAsk) {
		return "", missing
	}
	if err != nil {
		return "", err
	}
	return checked(secret, "an empty password was typed")
}

// withoutTerminal keeps PIN entry programs away from the terminal that the
// screen owns. An unset GPG_TTY would not do: gpg-agent then asks on the terminal
// that it was started on, which may well be ours. Those with a window of their
// own go on to work.
var withoutTerminal = []string{"GPG_TTY=/dev/null"}

// sort is what a secret is, for those who read errors about it.
type sort struct{ option, name string }

var (
	aPassword     = sort{"password", "the password"}
	aClientSecret = sort{"client_secret", "the client secret"}
	aToken        = sort{"token", "the access token"}
)

func fromCommand(ctx context.Context, what sort, argv []string, terminal bool) (string, error) {
	p := run.Program{Argv: argv, Timeout: commandTime, Output: maxSecret, Terminal: terminal}
	if !terminal {
		p.Env = withoutTerminal
	}
	out, err := p.Run(ctx)
	defer clear(out.Stdout)
	if err != nil {
		return "", commandProblem(what, argv[0], out, err)
	}
	if out.StdoutTruncated {
		return "", fmt.Errorf("%s_command printed more than %d KiB; its first line has to be %s", what.option, maxSecret>>10, what.name)
	}
	return checked(firstLine(out.Stdout), what.option+"_command printed nothing; its first line has to be "+what.name)
}

// commandProblem says why the command failed, in its own words where it has
// any. What it printed on stdout may be the secret and is never shown.
func commandProblem(what sort, program string, out run.Result, err error) error {
	if errors.Is(err, run.ErrNotFound) {
		return fmt.Errorf("%s_command: there is no program %q; install it or correct the config", what.option, program)
	}
	words := run.LastLine(out.Stderr)
	if printed := strings.TrimSpace(firstLine(out.Stdout)); printed != "" && strings.Contains(words, printed) {
		words = "" // it quotes what may be the secret
	}
	why := safetext.Clean(withoutTokens(words))
	if why.Len() > 200 {
		why = safetext.Format("%s…", why.Slice(0, 200))
	}
	if why.IsEmpty() {
		return fmt.Errorf("%s_command failed: %w; run it in a shell to see why", what.option, err)
	}
	return fmt.Errorf("%s_command failed: %s (%w)", what.option, why, err)
}

// tokenLike is what tokens and keys look like: long, without a space, and with
// letters and digits in it. A program that fails may well print one on stderr.
var tokenLike = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z0-9_+~-]{20,}=*`)
})

// withoutTokens takes out of another program's words what may be a token.
func withoutTokens(words string) string {
	return tokenLike().ReplaceAllStringFunc(words, func(s string) string {
		if strings.ContainsAny(s, "0123456789") && strings.ContainsFunc(s, unicode.IsLetter) {
			return "[redacted]"
		}
		return s
	})
}

func firstLine(data []byte) string {
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

func fromEnv(name string) (string, error) {
	value, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set; set and export it before you start Tidings", name)
	}
	return checked(value, "the environment variable "+name+" is empty")
}

// checked takes a line's end off a secret. A NUL or a line break inside cannot
// be sent by any log-in command.
func checked(secret, ifEmpty string) (string, error) {
	secret = strings.TrimRight(secret, "\r\n")
	switch {
	case secret == "":
		return "", errors.New(ifEmpty)
	case strings.ContainsAny(secret, "\x00\r\n"):
		return "", errors.New("it holds a line break or a NUL, which no server takes")
	}
	return secret, nil
}
