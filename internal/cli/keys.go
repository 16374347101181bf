package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/credential"
	"tidings/internal/run"
	"tidings/internal/xdg"
)

// keys are where the secrets of a config's accounts come from and are kept.
type keys struct {
	vault  *credential.Places
	prompt bool   // the person may be asked
	config string // Named of the config
}

// newKeys makes the vault of a config's [secrets]. say tells the person of a place
// that does not serve; nil: nobody is told.
func newKeys(c *config.Config, say func(string)) (*keys, error) {
	dir, err := xdg.StateDir()
	if err != nil {
		return nil, err
	}
	s := c.Secrets
	settings := credential.VaultSettings{
		Get: s.GetCommand, Set: s.SetCommand, Delete: s.DeleteCommand,
		Dir: filepath.Join(dir, "secrets"), Say: say,
	}
	for _, place := range s.Order {
		if place != config.PlacePrompt {
			settings.Order = append(settings.Order, string(place))
		}
	}
	return &keys{vault: credential.NewPlaces(settings), prompt: slices.Contains(s.Order, config.PlacePrompt), config: c.Named}, nil
}

// source is where the account's secret comes from; log gets what happens to
// tokens, nil: nobody does.
func (k *keys) source(a config.Account, log *slog.Logger) *credential.Source {
	s := k.settings(a)
	s.Log = log
	return credential.New(s)
}

// asked tells whether the person is asked for the account's password, where none is
// kept.
func (k *keys) asked(a config.Account) bool {
	return k.prompt && a.OAuth2 == nil && a.Auth != config.AuthExternal &&
		len(a.PasswordCommand) == 0 && a.PasswordEnv == "" && a.PasswordFile == ""
}

func (k *keys) settings(a config.Account) credential.Settings {
	s := credential.Settings{
		Account:  a.Name,
		User:     a.User,
		Command:  a.PasswordCommand,
		Env:      a.PasswordEnv,
		File:     a.PasswordFile,
		Vault:    k.vault,
		Login:    loginCommand(k.config, a.Name),
		NeverAsk: !k.prompt,
	}
	if a.OAuth2 != nil {
		o := oauth2Settings(*a.OAuth2)
		s.OAuth2 = &o
	}
	if a.Auth != config.AuthAuto && a.Auth != "" {
		s.Mechanism = strings.ToUpper(string(a.Auth))
	}
	return s
}

// loginCommand is the command line that signs in to an account of the config, which
// is the default one where file is "".
func loginCommand(file, account string) string {
	return withConfig("tidings login "+run.Quote(account), file)
}

// withConfig has a command line read a config that is not the default one.
func withConfig(command, file string) string {
	if file == "" {
		return command
	}
	return command + " --config " + run.Quote(file)
}

// typed is a password that the person has just typed.
type typed imapsession.Secret

func (t typed) Secret(context.Context) (imapsession.Secret, error) { return imapsession.Secret(t), nil }
