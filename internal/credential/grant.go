package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// grant is what a sign-in leaves behind: the refresh token, and to whom it may
// be shown. Kept in the Vault as JSON.
type grant struct {
	RefreshToken string    `json:"refresh_token"`
	ClientID     string    `json:"client_id,omitempty"`
	TokenURL     string    `json:"token_url,omitempty"`
	At           time.Time `json:"at,omitzero"`
	// From tells, where the grant grew from one in a variable, from which: the
	// variable still holds that one, which may be worth nothing any more.
	From string `json:"from,omitempty"`
}

// starter is a Vault that has variables, too, with grants to start from. first
// tells that they come before what is kept.
type starter interface {
	Start(name string) (value string, first bool)
}

// start is what the account's variable holds, "" for nothing.
func (t *tokens) start() (value string, first bool) {
	if v, ok := t.vault.(starter); ok {
		return v.Start(RefreshTokenName(t.account))
	}
	return "", false
}

// origin is what a grant has in From that grows from the variable as it is.
func (t *tokens) origin() string {
	value, _ := t.start()
	if value == "" {
		return ""
	}
	return sum(value)[:16]
}

// errHalf: what is kept is no grant, or half of one.
var errHalf = errors.New("what is kept of the last sign-in is incomplete or was edited")

// parseGrant reads what a Vault keeps. A value that is no JSON object is a bare
// refresh token, as a variable or another program may hold it.
func parseGrant(value string) (grant, error) {
	value = strings.TrimSpace(value)
	if !strings.HasPrefix(value, "{") {
		if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return grant{}, errHalf
		}
		return grant{RefreshToken: value}, nil
	}
	var g grant
	// The decoder's error could quote the value.
	if err := json.Unmarshal([]byte(value), &g); err != nil || g.RefreshToken == "" {
		return grant{}, errHalf
	}
	return g, nil
}

// encode is what a Vault keeps.
func (g grant) encode() string {
	out, err := json.Marshal(g)
	if err != nil {
		panic("credential: a grant cannot be written: " + err.Error()) // strings and a time can
	}
	return string(out)
}

// belongs tells whether the grant may be shown to the provider of these
// settings: it was given by that one, to this client.
func (g grant) belongs(clientID, tokenURL string) bool {
	return (g.ClientID == "" || g.ClientID == clientID) && (g.TokenURL == "" || g.TokenURL == tokenURL)
}

// readGrant gets the grant from the vault. A variable that comes before what is
// kept counts as long as nothing has grown from it, and again when it holds
// another grant than the one that what is kept has grown from: so what a provider
// rotates is never lost to it. An error is a *imapsession.SecretError.
func (t *tokens) readGrant(ctx context.Context, tokenURL string) (grant, error) {
	value, err := t.vault.Get(ctx, RefreshTokenName(t.account))
	if t.unsaved != nil && (err != nil || value == t.unsavedOver) {
		return *t.unsaved, nil // newer than what is kept
	}
	t.unsaved, t.unsavedOver = nil, ""
	switch {
	case err != nil && ctx.Err() != nil:
		return grant{}, passing("the refresh token could not be had in time")
	case errors.Is(err, ErrNoSecret):
		return grant{}, t.signInAgain("you are not signed in")
	case errors.Is(err, errHalf):
		return grant{}, t.signInAgain(errHalf.Error())
	case errors.Is(err, errRefused):
		return grant{}, permanent("the refresh token could not be had: %v; then press r", err)
	case err != nil:
		return grant{}, passing("the refresh token could not be had: %v", err)
	}
	g, err := parseGrant(value)
	if start, first := t.start(); start != "" && (value == start || first && g.From != t.origin()) {
		g, err = parseGrant(start)
		g.From = t.origin()
	}
	if err != nil {
		return grant{}, t.signInAgain(err.Error())
	}
	if !g.belongs(t.o.ClientID, tokenURL) {
		return grant{}, t.signInAgain("the last sign-in was to another provider or by another client_id")
	}
	t.kept = value
	return g, nil
}

// keepGrant stores a grant before anything of it is used. If the vault refuses,
// the grant lives on in memory and is stored with the next occasion: the old one
// may be worth nothing any more.
func (t *tokens) keepGrant(ctx context.Context, g grant) error {
	value := g.encode()
	if err := t.vault.Set(ctx, RefreshTokenName(t.account), value); err != nil {
		t.unsaved, t.unsavedOver = &g, t.kept
		return fmt.Errorf("the new refresh token could not be kept: %w", err)
	}
	t.unsaved, t.unsavedOver, t.kept = nil, "", value
	return nil
}
