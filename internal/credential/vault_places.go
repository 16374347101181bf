package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"tidings/internal/run"
)

// The places that VaultSettings.Order can name.
const (
	PlaceKeyring = "keyring" // the operating system's
	PlaceCommand = "command" // other programs
	PlaceFile    = "file"    // in Dir, mode 0600
	PlaceEnv     = "env"     // variables; read only
)

// PasswordName and RefreshTokenName are what a Vault keeps an account's password
// and its refresh token under.
func PasswordName(account string) string     { return account + "/password" }
func RefreshTokenName(account string) string { return account + "/refresh-token" }

// VaultSettings are [secrets].
type VaultSettings struct {
	// Order is where secrets are kept, the best place first; a file, which always
	// serves, is behind the keyring and the command.
	Order []string
	// Get, Set and Delete are the programs of PlaceCommand; Delete may be empty.
	Get, Set, Delete []string
	Dir              string // of PlaceFile; absolute
	// Say tells the person that a place which was asked for does not serve, and
	// which one does instead. It is told when something is written there for the
	// first time, and not again. nil: nobody is told.
	Say func(sentence string)

	keyring keyringCalls // replaced in tests
}

// Places is the Vault of [secrets]: several places, of which the first that
// there is takes what is kept.
//
// A secret is in one place that counts: Set writes to the first place that takes
// it and erases it from those behind, and Get looks at the last place first. So
// what a place further back holds was written because those before it did not
// serve, and is the newer; and a locked keyring holds nobody up whose secrets had
// to go to the file.
type Places struct {
	writable []place // in Order
	env      int     // -1: no; 0: looked at before the others; 1: behind them
	command  *commandVault
	say      func(string)

	mu sync.Mutex // one writer at a time in this process
}

type place struct {
	name string
	Vault
}

var _ Vault = (*Places)(nil)

// NewPlaces makes the vault; nothing is read, written or run before it is used.
func NewPlaces(s VaultSettings) *Places {
	p := &Places{env: -1, say: s.Say}
	for _, name := range s.Order {
		switch name {
		case PlaceKeyring:
			calls := s.keyring
			if calls == nil {
				calls = systemKeyring{}
			}
			p.writable = append(p.writable, place{"the keyring", newKeyringVault(calls)})
		case PlaceCommand:
			p.command = &commandVault{get: s.Get, set: s.Set, erase: s.Delete}
			p.writable = append(p.writable, place{p.command.String(), p.command})
		case PlaceFile:
			v := fileVault{s.Dir}
			p.writable = append(p.writable, place{v.String(), v})
		case PlaceEnv:
			p.env = min(len(p.writable), 1)
			withholdEnv()
		}
	}
	return p
}

// OwnsTerminal says whether commands may use the terminal: before the screen
// starts and after it ended.
func (p *Places) OwnsTerminal(yes bool) {
	if p.command != nil {
		p.command.terminal.Store(yes)
	}
}

// Get returns what is kept under name. Where no place has it, and one could not
// be asked, the error is that place's: it may be there.
func (p *Places) Get(ctx context.Context, name string) (string, error) {
	start, first := p.Start(name)
	if start != "" && first && !isGrant(name) {
		return start, nil
	}
	var failed, absent []error
	for _, at := range slices.Backward(p.writable) {
		value, err := at.Get(ctx, name)
		switch {
		case err == nil:
			return value, nil
		case ctx.Err() != nil:
			return "", err
		case errors.Is(err, errNoKeyring):
			absent = append(absent, err)
		case !errors.Is(err, ErrNoSecret):
			failed = append(failed, err)
		}
	}
	switch {
	case start != "" && (len(failed) == 0 || !isGrant(name)):
		return start, nil
	case len(failed) > 0:
		return "", inOneLine(failed)
	case len(absent) > 0:
		return "", fmt.Errorf("%w; %w", ErrNoSecret, inOneLine(absent))
	}
	return "", ErrNoSecret
}

// Start returns what the variable of a secret holds, "" where there is none or the
// environment is no place of secrets; first tells that it comes before the others.
// A grant in it is where what is kept starts from, so Get looks for grants there
// last, in any order.
func (p *Places) Start(name string) (value string, first bool) {
	if p.env < 0 {
		return "", false
	}
	return os.Getenv(envName(name)), p.env == 0
}

func isGrant(name string) bool { return strings.HasSuffix(name, RefreshTokenName("")) }

// errNowhere: there is no place to write to.
var errNowhere = errors.New("[secrets] names no place where it could be kept; add \"file\" to its order")

// Ready tells, before a person does anything for a secret, why it could be kept
// nowhere, as far as can be known without trying.
func (p *Places) Ready() error {
	failed := []error{errNowhere}
	for i, at := range p.writable {
		dir, ok := at.Vault.(fileVault)
		if !ok {
			return nil
		}
		if i == 0 {
			failed = nil
		}
		err := dir.private()
		if err == nil {
			return nil
		}
		failed = append(failed, err)
	}
	return inOneLine(failed)
}

// Set keeps value in the first place that takes it.
func (p *Places) Set(ctx context.Context, name, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed []error
	for i, at := range p.writable {
		known := false
		if len(failed) > 0 && p.say != nil {
			_, err := at.Get(ctx, name)
			known = err == nil
		}
		if err := at.Set(ctx, name, value); err != nil {
			failed = append(failed, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		if len(failed) > 0 && p.say != nil && !known {
			p.say(fmt.Sprintf("%s; the secret is kept in %s instead", inOneLine(failed), at.name))
		}
		for _, behind := range p.writable[i+1:] {
			if err := behind.Delete(ctx, name); err != nil && !errors.Is(err, errNoKeyring) {
				return fmt.Errorf("the secret is kept in %s, but an older one could not be erased from %s, where it is looked for first: %w", at.name, behind.name, err)
			}
		}
		return nil
	}
	if len(p.writable) == 0 {
		return errNowhere
	}
	return fmt.Errorf("the secret could not be kept anywhere: %w", inOneLine(failed))
}

// Delete erases the secret everywhere. Places that are not there hold nothing;
// for one that does not answer nobody can say, and the error says so.
func (p *Places) Delete(ctx context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed []error
	for _, at := range p.writable {
		if err := at.Delete(ctx, name); err != nil && !errors.Is(err, errNoKeyring) {
			failed = append(failed, fmt.Errorf("%s may still have it: %w", at.name, err))
		}
	}
	if len(failed) > 0 {
		return inOneLine(failed)
	}
	return nil
}

// DescribePlaces tells in which order a secret is written, for a person.
func (p *Places) DescribePlaces() string {
	var names []string
	for _, at := range p.writable {
		names = append(names, at.name)
	}
	return strings.Join(names, ", else ")
}

// inOneLine joins errors into one sentence.
func inOneLine(errs []error) error {
	err := errs[0]
	for _, e := range errs[1:] {
		err = fmt.Errorf("%w; %w", err, e)
	}
	return err
}

// envName is the variable of a secret: "work/refresh-token" is
// TIDINGS_WORK_REFRESH_TOKEN.
func envName(name string) string {
	return envPrefix + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

const envPrefix = "TIDINGS_"

// withholdEnv keeps every variable that may hold a secret from the programs that
// we start.
func withholdEnv() {
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, envPrefix) && (strings.HasSuffix(name, "_PASSWORD") || strings.HasSuffix(name, "_REFRESH_TOKEN")) {
			run.Withhold(name)
		}
	}
}
