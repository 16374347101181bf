package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/run"
	"tidings/internal/xdg"
)

// tokens gives an account's access tokens, and gets new ones before they end.
//
// The refresh token lives in the Vault. A process that needs a new access token
// takes the account's file lock and reads the refresh token again before it
// shows it to the provider: providers that rotate refresh tokens take one that is
// shown twice for stolen, and end the whole sign-in. A rotated one is stored
// before the access token that came with it is used.
//
// How long an access token lasts is judged by the wall clock: the monotonic one
// stands still while a machine sleeps.
type tokens struct {
	account   string
	login     string // the command line that signs in
	o         OAuth2
	vault     Vault
	dir       string // of the lock
	log       *slog.Logger
	wall      func() time.Time
	http      *http.Client
	clock     *clockWatch
	secretive *redactor

	// turn is held by whoever uses what follows, the network included.
	turn   chan struct{}
	access string
	// prepared: the access token was printed by token_command before the screen
	// started, and not used yet.
	prepared bool
	got      time.Time     // when the access token was asked for
	lasts    time.Duration // 0: the provider did not say
	refused  string        // the access token that the server refused last
	kept     string        // what the vault held when it was read last
	// unsaved is a grant that the vault did not take, over what it held then.
	unsaved     *grant
	unsavedOver string
	dead        string // the refresh token that the provider took back
	stopped     time.Time
	found       *endpoints
}

func newTokens(s Settings) *tokens {
	t := &tokens{
		account: s.Account, login: s.login(), o: s.OAuth2.Preset(), vault: s.Vault, dir: s.StateDir, log: s.Log, wall: s.Wall,
		turn: make(chan struct{}, 1), secretive: &redactor{},
	}
	if t.vault == nil {
		t.vault = NewPlaces(VaultSettings{}) // holds nothing and takes nothing
	}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.wall == nil {
		t.wall = func() time.Time { return time.Now().Round(0) }
	}
	if env := t.o.ClientSecret.Env; env != "" {
		run.Withhold(env)
	}
	t.clock = &clockWatch{wall: t.wall}
	t.http = newHTTPClient(t.clock)
	return t
}

// enter takes the turn.
func (t *tokens) enter(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.dir == "" {
		dir, err := xdg.StateDir()
		if err != nil {
			t.leave()
			return permanent("%v", err)
		}
		t.dir = dir
	}
	return nil
}

func (t *tokens) leave() { <-t.turn }

// token returns an access token that is good for a while. terminal: the
// programs that are run may use it. Errors are *imapsession.SecretError or
// ctx's.
func (t *tokens) token(ctx context.Context, terminal bool) (string, error) {
	if err := t.enter(ctx); err != nil {
		return "", err
	}
	if t.good() {
		defer t.leave()
		t.prepared = terminal
		return t.access, nil
	}
	// What is asked for may be given only once: it is waited for and stored even
	// if whoever wanted it has gone meanwhile (Settle).
	type answer struct {
		token string
		err   error
	}
	answers := make(chan answer, 1)
	crash.Go("token "+t.account, func() {
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*askTimeout)
		defer cancel()
		err := t.renew(detached, ctx, terminal)
		a := answer{t.access, err}
		t.leave() // before the answer: whoever gets it may have it Rejected at once
		answers <- a
	})
	select {
	case a := <-answers:
		if a.err != nil {
			return "", a.err
		}
		return a.token, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// prepare looks whether tokens can be had, while the terminal is the shell's.
func (t *tokens) prepare(ctx context.Context) error {
	if !t.o.Flow.Interactive() {
		_, err := t.token(ctx, true)
		var known *imapsession.SecretError
		if errors.As(err, &known) && known.Transient {
			return nil // the session tries again, and says so
		}
		return err
	}
	value, err := t.vault.Get(ctx, RefreshTokenName(t.account))
	if errors.Is(err, ErrNoSecret) {
		return fmt.Errorf("nobody has signed in yet; run: %s", t.login)
	}
	if err == nil {
		_, err = parseGrant(value)
	}
	if errors.Is(err, errHalf) {
		return fmt.Errorf("%w; run: %s", errHalf, t.login)
	}
	if errors.Is(err, errRefused) {
		return fmt.Errorf("the refresh token could not be had: %w", err)
	}
	return nil // what else may be wrong with the vault may be over by the time it matters
}

// mechanism is the SASL mechanism that the config asks for, or "".
func (t *tokens) mechanism() string {
	if t.o.Mechanism == MechanismAuto {
		return ""
	}
	return strings.ToUpper(t.o.Mechanism)
}

// good tells whether the access token in hand can be used. The caller has the
// turn.
func (t *tokens) good() bool {
	if t.access == "" || t.access == t.refused {
		return false
	}
	if t.o.Flow == FlowCommand {
		return t.prepared
	}
	if t.lasts == 0 {
		return true
	}
	age := t.wall().Sub(t.got)
	// A clock that was set back says nothing about the token's age.
	return age >= -maxSkew && age < t.lasts-early(t.lasts)
}

// early is how long before its end a token is renewed.
func early(lasts time.Duration) time.Duration {
	return min(max(lasts/10, 10*time.Second), 5*time.Minute, lasts/2)
}

// renew gets a new access token, unless wanted has ended before the provider was
// shown anything. The caller has the turn.
func (t *tokens) renew(ctx, wanted context.Context, terminal bool) error {
	switch t.o.Flow {
	case FlowCommand:
		return t.fromProgram(ctx, terminal)
	case FlowClientCredentials:
		return t.asItself(ctx, terminal)
	}
	return t.refresh(ctx, wanted, terminal)
}

// fromProgram runs token_command.
func (t *tokens) fromProgram(ctx context.Context, terminal bool) error {
	token, err := fromCommand(ctx, aToken, t.o.TokenCommand, terminal)
	switch {
	case err != nil:
		return permanent("the access token could not be had: %v; mend that and press r", err)
	case token == t.refused:
		return permanent("token_command still prints the token that the server refused; have it get a new one, then press r")
	}
	// The program knows when its token ends; it is asked with every log-in.
	t.use(&oauth2.Token{AccessToken: token}, t.wall())
	t.prepared = terminal
	return nil
}

// asItself gets a token by client credentials (RFC 6749 §4.4).
func (t *tokens) asItself(ctx context.Context, terminal bool) error {
	ends, err := t.resolve(ctx)
	if err != nil {
		return err
	}
	base, err := t.config(ctx, ends, terminal)
	if err != nil {
		return err
	}
	cfg := clientcredentials.Config{
		ClientID: base.ClientID, ClientSecret: base.ClientSecret, Scopes: base.Scopes,
		TokenURL: ends.TokenURL, AuthStyle: ends.AuthStyle,
	}
	asked := t.wall()
	token, err := cfg.Token(t.through(ctx))
	if err != nil {
		return t.problem(asking{"the provider gives no token", tokenEndpoint(ends), false}, err)
	}
	t.use(token, asked)
	return nil
}

// refresh shows the refresh token to the provider, under the account's lock.
func (t *tokens) refresh(ctx, wanted context.Context, terminal bool) error {
	ends, err := t.resolve(ctx)
	if err != nil {
		return err
	}
	cfg, err := t.config(ctx, ends, terminal)
	if err != nil {
		return err
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return passing("%v", err)
	}
	defer unlock()
	g, err := t.readGrant(ctx, ends.TokenURL)
	if err != nil {
		return err
	}
	if g.RefreshToken == t.dead {
		return t.signInAgain("the provider has ended the sign-in")
	}
	t.secretive.add(g.RefreshToken)
	underWay.begin()
	defer underWay.end()
	if err := wanted.Err(); err != nil {
		return err // the program may be ending
	}
	asked := t.wall()
	token, err := cfg.TokenSource(t.through(ctx), &oauth2.Token{RefreshToken: g.RefreshToken}).Token()
	if err != nil {
		err = t.problem(asking{"the provider gives no new token", tokenEndpoint(ends), false}, err)
		var known *imapsession.SecretError
		if errors.As(err, &known) && known.SignIn {
			t.dead = g.RefreshToken // it is not asked again with this one
		}
		return err
	}
	t.secretive.add(token.RefreshToken, token.AccessToken)
	if token.RefreshToken != g.RefreshToken || t.unsaved != nil {
		next := grant{RefreshToken: token.RefreshToken, ClientID: t.o.ClientID, TokenURL: ends.TokenURL, At: asked, From: g.From}
		if err := t.keepGrant(ctx, next); err != nil {
			// It is in memory, and worth more than the one that is kept.
			t.log.Warn("a refresh token is not kept: the next start may ask to sign in again", "reason", err)
		}
	}
	t.use(token, asked)
	return nil
}

// use takes an access token. Its time counts from when it was asked for.
func (t *tokens) use(token *oauth2.Token, asked time.Time) {
	t.secretive.add(token.AccessToken)
	t.access, t.got = token.AccessToken, asked
	t.lasts = time.Duration(token.ExpiresIn) * time.Second
	if t.lasts == 0 && !token.Expiry.IsZero() {
		t.lasts = time.Until(token.Expiry).Round(time.Second) // all that clientcredentials passes on
	}
	t.lasts = max(t.lasts, 0)
	t.stopped = time.Time{} // no sign-in is waited for
	t.log.Info("new access token", "lasts", t.lasts)
}

// rejected is told that the mail server refused the token in hand.
func (t *tokens) rejected() {
	select {
	case t.turn <- struct{}{}:
		t.refused, t.prepared = t.access, false
		t.leave()
	default: // a new one is being got
	}
}

// signedIn tells whether any process signed in since a token was last refused
// for want of it.
func (t *tokens) signedIn(ctx context.Context) bool {
	if t.enter(ctx) != nil {
		return false
	}
	defer t.leave()
	return !t.stopped.IsZero() && t.announced().After(t.stopped)
}
