package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"tidings/imapsession"
)

// SignIn has the person sign in at the provider, shows what that needs by p, and
// keeps what comes of it. What was kept before is kept until then. It is for
// accounts whose flow is Interactive; an error is a sentence for the person.
func (s *Source) SignIn(ctx context.Context, p Prompter) error {
	t := s.tokens
	if t == nil || !t.o.Flow.Interactive() {
		return errors.New("this account needs no signing in: its config says where its secret comes from")
	}
	if v, ok := t.vault.(interface{ Ready() error }); ok {
		if err := v.Ready(); err != nil {
			return permanent("what the sign-in gives could not be kept: %v", err)
		}
	}
	ends, err := t.resolveAlone(ctx)
	if err != nil {
		return later(err)
	}
	cfg, err := t.config(ctx, ends, true)
	if err != nil {
		return err
	}
	asked := t.wall()
	var token *oauth2.Token
	if t.o.Flow == FlowDevice {
		token, err = t.byDevice(ctx, cfg, ends, p)
	} else {
		token, err = t.byBrowser(ctx, cfg, ends, p)
	}
	if err != nil {
		return later(err)
	}
	if t.o.Flow == FlowDevice {
		asked = t.wall().Add(-maxPoll) // the answer to the last poll, not the first
	}
	return t.begin(ctx, ends, token, asked)
}

// SignInCommand is the command line by which a person signs in to the account from
// another terminal; "" where its secret is not come by so.
func (s *Source) SignInCommand() string {
	if s.tokens == nil || !s.tokens.o.Flow.Interactive() {
		return ""
	}
	return s.tokens.login
}

// later tells the person to try again what nobody does by itself.
func later(err error) error {
	var known *imapsession.SecretError
	if errors.As(err, &known) && known.Transient {
		return passing("%s; try again in a while", known.Text)
	}
	return err
}

// maxPoll is how long one poll for a token may have taken.
const maxPoll = 5 * time.Second

// resolveAlone resolves within a turn of its own: a session may be at it, too.
func (t *tokens) resolveAlone(ctx context.Context) (endpoints, error) {
	if err := t.enter(ctx); err != nil {
		return endpoints{}, err
	}
	defer t.leave()
	return t.resolve(ctx)
}

// begin keeps a new grant, which takes the place of any before it.
func (t *tokens) begin(ctx context.Context, ends endpoints, token *oauth2.Token, asked time.Time) error {
	t.secretive.add(token.RefreshToken, token.AccessToken)
	if token.RefreshToken == "" {
		return permanent("the provider gave no refresh token, so the sign-in would be over within the hour: it is not kept; see that the client may have one, and that scopes has \"offline_access\" where the provider wants it")
	}
	if granted, _ := token.Extra("scope").(string); t.o.Provider == ProviderGoogle && granted != "" {
		for _, scope := range t.o.Scopes {
			if !slices.Contains(strings.Fields(granted), scope) {
				return permanent("you did not allow access to mail (%s): sign in again and tick its box", scope)
			}
		}
	}
	// From here on the person has done their part: it is not lost to a ctrl+c.
	underWay.begin()
	defer underWay.end()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	g := grant{RefreshToken: token.RefreshToken, ClientID: t.o.ClientID, TokenURL: ends.TokenURL, At: asked, From: t.origin()}
	if err := t.keepGrant(ctx, g); err != nil {
		return err
	}
	t.dead, t.refused, t.stopped = "", "", time.Time{}
	t.use(token, asked)
	t.announce()
	return nil
}

// SignedIn tells whether a sign-in came about, in this process or another, since
// the provider was last found to have ended the one before.
func (s *Source) SignedIn(ctx context.Context) bool {
	return s.tokens != nil && s.tokens.signedIn(ctx)
}

// SignOut takes back what a sign-in gave, where the provider can, and erases what
// is kept of the account in any case: the refresh token, and the password. note
// is a sentence about what could not be taken back, or "".
func (s *Source) SignOut(ctx context.Context) (note string, err error) {
	if s.settings.Vault == nil {
		return "", nil
	}
	if s.tokens != nil {
		note, err = s.tokens.end(ctx)
	}
	s.Rejected()
	return note, errors.Join(err, s.settings.Vault.Delete(ctx, PasswordName(s.settings.Account)))
}

// end revokes and erases.
func (t *tokens) end(ctx context.Context) (note string, err error) {
	if err := t.enter(ctx); err != nil {
		return "", err
	}
	defer t.leave()
	unlock, err := t.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	note = t.revoke(ctx)
	t.access, t.unsaved, t.prepared = "", nil, false
	return note, t.vault.Delete(ctx, RefreshTokenName(t.account))
}

// revoke takes the grant back at the provider (RFC 7009), which ends its access
// tokens, too. It returns what the person has to know if it does not come about.
func (t *tokens) revoke(ctx context.Context) (note string) {
	value, err := t.vault.Get(ctx, RefreshTokenName(t.account))
	if errors.Is(err, ErrNoSecret) {
		return ""
	}
	var g grant
	if err == nil {
		g, err = parseGrant(value)
	}
	switch {
	case errors.Is(err, errHalf):
		return "the provider was not told, since what was kept is incomplete or was edited: remove Tidings in its account settings"
	case err != nil:
		return fmt.Sprintf("the provider was not told, since what was kept could not be had (%v): remove Tidings in its account settings", err)
	}
	t.secretive.add(g.RefreshToken)
	ends, err := t.resolve(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("the provider was not told: %v", err)
	case !g.belongs(t.o.ClientID, ends.TokenURL):
		return "the provider was not told, since the sign-in was to another one or by another client_id"
	case ends.revoke == "" && t.o.Provider == ProviderMicrosoft:
		return "Microsoft has no way to end a sign-in from here: remove the application at https://myapps.microsoft.com or https://account.microsoft.com/privacy/app-access"
	case ends.revoke == "":
		return "the provider names no way to end a sign-in from here: remove Tidings in its account settings"
	}
	cfg, err := t.config(ctx, ends, true)
	if err != nil {
		return fmt.Sprintf("the provider was not told: %v", err)
	}
	form := url.Values{"token": {g.RefreshToken}, "token_type_hint": {"refresh_token"}}
	if ends.AuthStyle == oauth2.AuthStyleInParams {
		form.Set("client_id", cfg.ClientID)
		if cfg.ClientSecret != "" {
			form.Set("client_secret", cfg.ClientSecret)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ends.revoke, strings.NewReader(form.Encode()))
	if err != nil {
		return "the provider was not told: its revocation endpoint makes no sense"
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if ends.AuthStyle == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(cfg.ClientID), url.QueryEscape(cfg.ClientSecret))
	}
	resp, err := t.http.Do(req)
	if err != nil {
		var known *imapsession.SecretError = t.networkProblem(asking{what: "the provider could not be told"}, err)
		return known.Text
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return "the provider did not end the sign-in (HTTP status " + brief(resp.Status) + "): remove Tidings in its account settings"
	}
	return ""
}
