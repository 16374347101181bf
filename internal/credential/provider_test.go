package credential

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tidings/imapsession"
)

// fakeProvider answers requests in memory, so that virtual time holds and every
// kind of nonsense can be answered.
type fakeProvider struct {
	mu     sync.Mutex
	asked  []url.Values // the forms, in order
	times  []time.Time
	answer func(n int, path string, form url.Values) reply // n: from 1
}

type reply struct {
	status int // 0: 200
	kind   string
	body   string
	header map[string]string
	err    error
}

func (p *fakeProvider) RoundTrip(req *http.Request) (*http.Response, error) {
	form := url.Values{}
	if req.Body != nil {
		body, _ := io.ReadAll(req.Body)
		form, _ = url.ParseQuery(string(body))
	}
	p.mu.Lock()
	p.asked = append(p.asked, form)
	p.times = append(p.times, time.Now())
	r := p.answer(len(p.asked), req.URL.Path, form)
	p.mu.Unlock()
	if r.err != nil {
		return nil, r.err
	}
	if r.status == 0 {
		r.status = 200
	}
	if r.kind == "" {
		r.kind = "application/json"
	}
	h := http.Header{"Content-Type": {r.kind}}
	for k, v := range r.header {
		h.Set(k, v)
	}
	return &http.Response{StatusCode: r.status, Status: fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)), Header: h,
		Body: io.NopCloser(strings.NewReader(r.body)), Request: req}, nil
}

// planted are the secrets of these tests; none may show anywhere.
var planted = []string{"refresh-planted-1", "refresh-planted-2", "access-planted-1", "access-planted-2", "client-secret-planted", "device-planted", "code-planted"}

// leaks fails the test if a secret stands in a text.
func leaks(t *testing.T, where, text string) {
	t.Helper()
	for _, s := range planted {
		if strings.Contains(text, s) {
			t.Errorf("%s shows %s: %s", where, s, text)
		}
	}
}

// account is a Source at a fake provider, signed in or not.
func account(t *testing.T, p *fakeProvider, o OAuth2, kept string, change func(*Settings)) (*Source, *memoryVault, *strings.Builder) {
	t.Helper()
	vault := newMemoryVault()
	if kept != "" {
		vault.values[RefreshTokenName("work")] = kept
	}
	log := &strings.Builder{}
	s := Settings{Account: "work", User: "alice", OAuth2: &o, Vault: vault, StateDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&s)
	}
	source := New(s)
	source.tokens.clock.base = p
	t.Cleanup(func() { leaks(t, "the log", log.String()) })
	return source, vault, log
}

func fakeCustom(flow Flow) OAuth2 {
	return OAuth2{Provider: ProviderCustom, Flow: flow, ClientID: "tidings", Scopes: []string{"mail"},
		TokenURL: "https://login.example.org/token", AuthURL: "https://login.example.org/auth", DeviceURL: "https://login.example.org/device"}
}

const goodGrant = `{"refresh_token":"refresh-planted-1","client_id":"tidings","token_url":"https://login.example.org/token"}`

func tokenReply(access, refresh string) reply {
	return reply{body: fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600,"refresh_token":%q}`, access, refresh)}
}

// TestWhatProvidersAnswer: each kind of failure is a sentence that says what to
// do, and is tried again or not.
func TestWhatProvidersAnswer(t *testing.T) {
	refuse := func(code, description string) reply {
		return reply{status: 400, body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description)}
	}
	day := map[string]string{"Date": time.Now().Add(-24 * time.Hour).UTC().Format(http.TimeFormat)}
	withClock := func(r reply) reply { r.header = day; return r }
	for _, test := range []struct {
		name   string
		answer reply
		want   string
		passes bool
		signIn bool
		google bool
	}{
		{name: "revoked", answer: refuse("invalid_grant", "Token has been expired or revoked."), want: "Token has been expired or revoked", signIn: true},
		{name: "quotes what it was told", answer: refuse("invalid_grant", "refresh-planted-1 is not good"), want: "[redacted] is not good", signIn: true},
		{name: "a project in Testing", google: true, answer: refuse("invalid_grant", "Token has been expired or revoked."), want: "every 7 days, its project is still in Testing", signIn: true},
		{name: "unused for 90 days", answer: refuse("invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1 Correlation ID: 2"), want: "90 days without use", signIn: true},
		{name: "password changed", answer: refuse("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked"), want: "the password was changed", signIn: true},
		{name: "MFA", answer: refuse("interaction_required", "AADSTS50076: Due to a configuration change"), want: "multi-factor", signIn: true},
		{name: "no consent", answer: refuse("invalid_grant", "AADSTS65001: The user or administrator has not consented"), want: "have an administrator consent", signIn: true},
		{name: "conditional access", answer: refuse("access_denied", "AADSTS53003: Access has been blocked by Conditional Access policies"), want: "Conditional Access"},
		{name: "public client off", answer: refuse("invalid_client", "AADSTS7000218: The request body must contain client_assertion or client_secret"), want: "Allow public client flows"},
		{name: "no such tenant", answer: refuse("invalid_request", "AADSTS90002: Tenant not found"), want: "correct tenant"},
		{name: "no such application", answer: refuse("unauthorized_client", "AADSTS700016: Application not found"), want: "correct client_id or tenant"},
		{name: "wrong scope", answer: refuse("invalid_scope", "no"), want: "correct scopes"},
		{name: "unknown client", answer: reply{status: 401, body: `{"error":"invalid_client"}`}, want: "its secret is wrong"},
		{name: "flow not allowed", answer: refuse("unauthorized_client", "no"), want: "not registered for this flow"},
		{name: "clock a day off", answer: withClock(refuse("invalid_grant", "AADSTS700024: Client assertion is not within its valid time range")), want: "clock is 24 hours ahead", signIn: true},
		{name: "HTML", answer: reply{kind: "text/html", body: "<html>Welcome to the hotel's network"}, want: "no answer (not JSON", passes: true},
		{name: "nothing", answer: reply{}, want: "no answer (not JSON", passes: true},
		{name: "JSON without a token", answer: reply{body: `{}`}, want: "no answer (not JSON with a token in it), from the provider's token endpoint https://login.example.org/token", passes: true},
		{name: "HTML for a 404", answer: reply{status: 404, kind: "text/html", body: "<h1>Not found"}, want: "see whether the addresses"},
		{name: "a redirect", answer: reply{status: 302, header: map[string]string{"Location": "https://elsewhere.example.org/token"}}, want: "302 Found"},
		{name: "busy", answer: reply{status: 503, kind: "text/html", body: "<h1>busy"}, want: "at present", passes: true},
		{name: "too often", answer: reply{status: 429, header: map[string]string{"Retry-After": "120"}}, want: "at present", passes: true},
		{name: "says itself that it is busy", answer: refuse("temporarily_unavailable", "later"), want: "at present", passes: true},
		{name: "no network", answer: reply{err: &net.DNSError{Err: "no such host", Name: "login.example.org", IsNotFound: true}}, want: "there is no host login.example.org: see whether this machine is online", passes: true},
		{name: "no name server", answer: reply{err: &net.DNSError{Err: "i/o timeout", IsTimeout: true}}, want: "the name server does not answer", passes: true},
		{name: "hangs up", answer: reply{err: io.EOF}, want: "login.example.org hung up instead of answering", passes: true},
		{name: "nobody there", answer: reply{err: syscall.ECONNREFUSED}, want: "nobody listens at login.example.org", passes: true},
		{name: "somebody else's certificate", answer: reply{err: x509.UnknownAuthorityError{}}, want: "the certificate of login.example.org is not to be trusted", passes: true},
		{name: "escape sequences", answer: reply{status: 400, body: `{"error":"weird\u001b[2J","error_description":"\u001b]0;x\u0007"}`}, want: "weird"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &fakeProvider{answer: func(int, string, url.Values) reply { return test.answer }}
			o, kept := fakeCustom(FlowDevice), goodGrant
			if test.google {
				o, kept = OAuth2{Provider: ProviderGoogle, Flow: FlowBrowser, ClientID: "tidings"}, "refresh-planted-1"
			}
			source, vault, _ := account(t, p, o, kept, nil)
			_, err := source.Secret(t.Context())
			var e *imapsession.SecretError
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			if !strings.Contains(e.Text, test.want) || e.Transient != test.passes || e.SignIn != test.signIn {
				t.Errorf("passes %v, sign in %v, want %q: %s", e.Transient, e.SignIn, test.want, e.Text)
			}
			if strings.ContainsAny(e.Text, "\x1b\a\n\r") {
				t.Errorf("not fit to be shown: %q", e.Text)
			}
			leaks(t, "the error", fmt.Sprintf("%v %+v", err, errors.Unwrap(err)))
			if vault.values[RefreshTokenName("work")] != kept {
				t.Error("what was kept is lost")
			}
			if test.name == "too often" && e.After != 2*time.Minute {
				t.Errorf("to be left alone for %v", e.After)
			}
			// One that is over for good is not asked again.
			_, _ = source.Secret(t.Context())
			if n := len(p.asked); test.signIn && n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestWhatIsKept: a grant that is half written, somebody else's, or bare.
func TestWhatIsKept(t *testing.T) {
	for _, test := range []struct {
		name, kept, want string
		sent             bool
	}{
		{name: "half", kept: goodGrant[:30], want: "incomplete"},
		{name: "empty object", kept: "{}", want: "incomplete"},
		{name: "lines", kept: "one\ntwo", want: "incomplete"},
		{name: "another client's", kept: strings.Replace(goodGrant, `"tidings"`, `"other"`, 1), want: "another client_id"},
		{name: "another provider's", kept: strings.Replace(goodGrant, "login.example", "evil.example", 1), want: "another provider"},
		{name: "bare", kept: "refresh-planted-1", sent: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &fakeProvider{answer: func(int, string, url.Values) reply { return tokenReply("access-planted-1", "") }}
			source, vault, _ := account(t, p, fakeCustom(FlowBrowser), test.kept, nil)
			_, err := source.Secret(t.Context())
			if test.sent != (err == nil) || test.sent != (len(p.asked) == 1) {
				t.Errorf("asked %d times, %v", len(p.asked), err)
			}
			if err != nil {
				leaks(t, "the error", err.Error())
				if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "tidings login work") {
					t.Errorf("want %q: %v", test.want, err)
				}
			}
			if vault.values[RefreshTokenName("work")] != test.kept {
				t.Error("what was kept is changed")
			}
		})
	}
}

// TestRotation: a new refresh token is kept before the access token that came
// with it is given out; if it cannot be kept, it is still the one that is used,
// and kept as soon as that works.
func TestRotation(t *testing.T) {
	p := &fakeProvider{answer: func(n int, _ string, _ url.Values) reply {
		return tokenReply(fmt.Sprintf("access-planted-%d", n), fmt.Sprintf("refresh-planted-%d", n+1))
	}}
	source, vault, log := account(t, p, fakeCustom(FlowDevice), goodGrant, nil)
	if _, err := source.Secret(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(vault.sets) != 1 || !strings.Contains(vault.sets[0], "refresh-planted-2") {
		t.Fatalf("%d writes before the token was given out", len(vault.sets))
	}
	vault.fail = errors.New("the disk is full")
	source.Rejected()
	if _, err := source.Secret(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "the disk is full") {
		t.Errorf("nobody is told: %s", log)
	}
	vault.fail = nil
	source.Rejected()
	if _, err := source.Secret(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, form := range p.asked {
		if want := fmt.Sprintf("refresh-planted-%d", i+1); form.Get("refresh_token") != want {
			t.Errorf("request %d showed another refresh token than %s", i+1, want)
		}
	}
	if got := vault.values[RefreshTokenName("work")]; !strings.Contains(got, "refresh-planted-4") {
		t.Error("the last one is not kept")
	}
}

// TestEndOfTheProgram: a refresh token that is on its way is waited for and kept,
// and none is shown to the provider once the program is ending.
func TestEndOfTheProgram(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers time.Duration // so long after it was asked
		settled bool
	}{
		{"the provider answers in time", time.Second, true},
		{"the provider does not", time.Minute, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &fakeProvider{answer: func(int, string, url.Values) reply {
					time.Sleep(test.answers)
					return tokenReply("access-planted-1", "refresh-planted-2")
				}}
				source, vault, _ := account(t, p, fakeCustom(FlowDevice), goodGrant, nil)
				ctx, end := context.WithCancel(t.Context())
				time.AfterFunc(test.answers/2, end)
				if _, err := source.Secret(ctx); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				began := time.Now()
				if got := Settle(2 * time.Second); got != test.settled || time.Since(began) > 2*time.Second {
					t.Errorf("settled: %v, after %v", got, time.Since(began))
				}
				if kept, _ := vault.Get(t.Context(), RefreshTokenName("work")); strings.Contains(kept, "refresh-planted-2") != test.settled {
					t.Errorf("the new one is kept: %v", !test.settled)
				}
				time.Sleep(test.answers) // the bubble's end
				synctest.Wait()
			})
		})
	}
	t.Run("while another process refreshes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &fakeProvider{answer: func(int, string, url.Values) reply { return tokenReply("access-planted-1", "refresh-planted-2") }}
			source, _, _ := account(t, p, fakeCustom(FlowDevice), goodGrant, nil)
			unlock, err := source.tokens.lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, end := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, end)
			_, _ = source.Secret(ctx)
			unlock()
			if !Settle(0) {
				t.Error("an exchange is under way")
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(p.asked) != 0 {
				t.Error("the provider was shown the refresh token for nobody")
			}
		})
	})
}

// TestVariableAndRotation: a grant in a variable is where what is kept starts
// from. Before the other places or behind them, it never takes the place of what
// the provider gave for it; before them, a new one counts.
func TestVariableAndRotation(t *testing.T) {
	for _, order := range [][]string{{PlaceEnv, PlaceFile}, {PlaceFile, PlaceEnv}} {
		t.Run(strings.Join(order, " "), func(t *testing.T) {
			p := &fakeProvider{answer: func(n int, _ string, _ url.Values) reply {
				return tokenReply(fmt.Sprintf("access-planted-%d", n), fmt.Sprintf("refresh-rotated-%d", n))
			}}
			places := NewPlaces(VaultSettings{Order: order, Dir: t.TempDir() + "/s"})
			restarted := func() {
				t.Helper()
				source, _, _ := account(t, p, fakeCustom(FlowDevice), "", func(s *Settings) { s.Vault = places })
				if err := source.Prepare(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := source.Secret(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("TIDINGS_WORK_REFRESH_TOKEN", "refresh-planted-1")
			restarted()
			restarted()
			restarted()
			t.Setenv("TIDINGS_WORK_REFRESH_TOKEN", "refresh-planted-2")
			restarted()
			restarted()
			want := []string{"refresh-planted-1", "refresh-rotated-1", "refresh-rotated-2", "refresh-planted-2", "refresh-rotated-4"}
			if order[0] == PlaceFile {
				want[3] = "refresh-rotated-3"
			}
			for i, form := range p.asked {
				if got := form.Get("refresh_token"); got != want[i] {
					t.Errorf("request %d showed %s, want %s", i+1, got, want[i])
				}
			}
			if len(p.asked) != len(want) {
				t.Errorf("asked %d times", len(p.asked))
			}
		})
	}
}

// TestDaemonRenewsInTime: a token that was got by client credentials is not used
// beyond its time.
func TestDaemonRenewsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{answer: func(n int, _ string, _ url.Values) reply { return tokenReply(fmt.Sprint("access-", n, "-token"), "") }}
		t.Setenv("TEST_CLIENT_SECRET", "client-secret-planted")
		o := fakeCustom(FlowClientCredentials)
		o.ClientSecret = Origin{Env: "TEST_CLIENT_SECRET"}
		source, _, _ := account(t, p, o, "", nil)
		for i, step := range []struct {
			after time.Duration
			asked int
		}{{0, 1}, {50 * time.Minute, 1}, {6 * time.Minute, 2}, {time.Hour, 3}} {
			time.Sleep(step.after)
			if _, err := source.Secret(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(p.asked) != step.asked {
				t.Errorf("step %d: asked %d times, want %d", i, len(p.asked), step.asked)
			}
		}
	})
}

// TestWallClock: a machine that slept, and a clock that was set.
func TestWallClock(t *testing.T) {
	now := time.Now().Round(0)
	p := &fakeProvider{answer: func(n int, _ string, _ url.Values) reply { return tokenReply(fmt.Sprint("access-", n, "-token"), "") }}
	source, _, _ := account(t, p, fakeCustom(FlowDevice), goodGrant, func(s *Settings) { s.Wall = func() time.Time { return now } })
	for i, step := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {30 * time.Minute, 1}, {24 * time.Minute, 1}, {2 * time.Minute, 2}, {3 * time.Hour, 3}, {-26 * time.Hour, 4}, {time.Minute, 4}} {
		now = now.Add(step.after)
		if _, err := source.Secret(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(p.asked) != step.asked {
			t.Errorf("step %d: asked %d times, want %d", i, len(p.asked), step.asked)
		}
	}
}
