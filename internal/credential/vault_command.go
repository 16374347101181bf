package credential

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"tidings/internal/run"
)

// commandVault has other programs keep the secrets: pass, age, gpg and what wraps
// them. A value goes in by stdin and comes out by stdout, never by argv.
type commandVault struct {
	get, set, erase []string
	// terminal: the terminal is the shell's still, so that the command may ask
	// for a PIN there.
	terminal atomic.Bool
}

func (v *commandVault) String() string { return "the program " + v.set[0] }

func (v *commandVault) Get(ctx context.Context, name string) (string, error) {
	out, err := v.run(ctx, "get_command", v.get, name, "")
	defer clear(out.Stdout)
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(out.Stdout), "\r\n")
	if value == "" || value == erased {
		return "", ErrNoSecret
	}
	return value, nil
}

func (v *commandVault) Set(ctx context.Context, name, value string) error {
	out, err := v.run(ctx, "set_command", v.set, name, value)
	clear(out.Stdout)
	return err
}

func (v *commandVault) Delete(ctx context.Context, name string) error {
	// Programs call it a failure to delete what is not there, and each in its
	// own words.
	_, err := v.Get(ctx, name)
	switch {
	case errors.Is(err, ErrNoSecret):
		return nil
	case err != nil:
		return err
	case len(v.erase) == 0:
		return v.Set(ctx, name, erased)
	}
	out, err := v.run(ctx, "delete_command", v.erase, name, "")
	clear(out.Stdout)
	return err
}

// erased is what stands for a secret that was erased where nothing can be
// deleted. No token and no password that a person would have is it.
const erased = "(erased by tidings logout)"

func (v *commandVault) run(ctx context.Context, key string, argv []string, name, stdin string) (run.Result, error) {
	p := run.Program{
		Argv:     withName(argv, name),
		Env:      []string{"TIDINGS_SECRET=" + commandName(name)},
		Stdin:    strings.NewReader(stdin),
		Timeout:  commandTime,
		Output:   maxSecret,
		Terminal: v.terminal.Load(),
	}
	if !p.Terminal {
		p.Env = append(p.Env, withoutTerminal...)
	}
	out, err := p.Run(ctx)
	if err == nil && out.StdoutTruncated {
		return out, fmt.Errorf("%s printed more than %d KiB; it has to print the secret alone", key, maxSecret>>10)
	}
	if err == nil {
		return out, nil
	}
	if errors.Is(err, run.ErrNotFound) {
		return out, fmt.Errorf("%s: there is no program %q; install it or correct the config", key, argv[0])
	}
	words := run.LastLine(out.Stderr)
	for _, private := range []string{stdin, firstLine(out.Stdout)} {
		if private = strings.TrimSpace(private); private != "" && strings.Contains(words, private) {
			words = "" // it quotes the secret
		}
	}
	if key == "get_command" && saysNone(words, out, err) {
		return out, ErrNoSecret
	}
	if words = brief(withoutTokens(words)); words != "" {
		return out, fmt.Errorf("%s failed: %s (%w)", key, words, err)
	}
	return out, fmt.Errorf("%s failed: %w", key, err)
}

// withName puts the secret's name in the place of "{name}".
func withName(argv []string, name string) []string {
	out := make([]string, len(argv))
	for i, a := range argv {
		out[i] = strings.ReplaceAll(a, "{name}", commandName(name))
	}
	return out
}

// saysNone tells whether a get_command that failed has said that there is no such
// secret: in the words of pass, gopass, cat and security, or as secret-tool does,
// with status 1 and no word.
func saysNone(words string, out run.Result, err error) bool {
	for _, w := range []string{"not in the password store", "No such file", "not found", "could not be found"} {
		if strings.Contains(words, w) {
			return true
		}
	}
	var failed *run.Error
	return errors.As(err, &failed) && failed.Exit == 1 && words == "" && len(out.Stdout) == 0 && len(out.Stderr) == 0
}

// commandName is the name as a program gets it: "work/refresh-token". What could
// leave its directory, be taken for an option, or mean something to a shell, is
// escaped; the slash between account and kind stays.
func commandName(name string) string {
	account, kind := "", name
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		account, kind = name[:i], name[i:]
	}
	var b strings.Builder
	for i := range len(account) {
		switch c := account[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_',
			i > 0 && strings.IndexByte("-.@+", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String() + kind
}
