package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// onlooker is a Prompter that keeps what it is shown.
type onlooker struct {
	mu    sync.Mutex
	page  chan BrowserPage
	codes []DeviceCode
	notes []string
}

func (s *onlooker) ShowDevice(c DeviceCode)   { s.codes = append(s.codes, c) }
func (s *onlooker) ShowBrowser(b BrowserPage) { s.page <- b }
func (s *onlooker) Paste(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}
func (s *onlooker) Note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
}

// TestPolling: as often as the provider allows, less often when told so, on
// through a network that comes and goes, and not beyond the code's end.
func TestPolling(t *testing.T) {
	const code = `{"device_code":"device-planted","user_code":"ABCD-EFGH","verification_uri":"https://example.org/device","expires_in":900,"interval":5}`
	pending := reply{status: 400, body: `{"error":"authorization_pending"}`}
	for _, test := range []struct {
		name  string
		polls []reply // the last one again and again
		gaps  []time.Duration
		err   string
	}{
		{name: "slow down", polls: []reply{pending, {status: 400, body: `{"error":"slow_down"}`}, pending, tokenReply("access-planted-1", "refresh-planted-1")},
			gaps: []time.Duration{5, 5, 10, 10}},
		{name: "the network goes", polls: []reply{pending, {err: errors.New("network is unreachable")}, tokenReply("access-planted-1", "refresh-planted-1")},
			gaps: []time.Duration{5, 5, 10}},
		{name: "refused", polls: []reply{{status: 400, body: `{"error":"access_denied"}`}}, err: "refused, by you"},
		{name: "the code ends", polls: []reply{{status: 400, body: `{"error":"expired_token"}`}}, err: "time was over"},
		{name: "the code ends by the clock", polls: []reply{pending}, err: "time was over"},
		{name: "no refresh token", polls: []reply{tokenReply("access-planted-1", "")}, err: "no refresh token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &fakeProvider{}
				p.answer = func(n int, path string, form url.Values) reply {
					if path == "/device" {
						return reply{body: code}
					}
					if form.Get("device_code") != "device-planted" {
						t.Errorf("polled with %v", form)
					}
					return test.polls[min(n-2, len(test.polls)-1)]
				}
				source, vault, _ := account(t, p, fakeCustom(FlowDevice), "", nil)
				s := &onlooker{}
				err := source.SignIn(t.Context(), s)
				switch {
				case test.err == "" && err != nil:
					t.Fatal(err)
				case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
					t.Fatalf("want %q: %v", test.err, err)
				}
				if err != nil {
					leaks(t, "the error", err.Error())
				}
				leaks(t, "what was shown", fmt.Sprint(s.codes, s.notes))
				if (err == nil) != (len(vault.values) == 1) {
					t.Errorf("%d secrets are kept after %v", len(vault.values), err)
				}
				for i, gap := range test.gaps {
					if got := p.times[i+1].Sub(p.times[i]); got < gap*time.Second || got > (gap+1)*time.Second {
						t.Errorf("poll %d came after %v, want %v", i+1, got, gap*time.Second)
					}
				}
			})
		})
	}
}

// TestCallback: what may come to the address that the browser goes back to.
func TestCallback(t *testing.T) {
	p := &fakeProvider{answer: func(_ int, _ string, form url.Values) reply {
		if form.Get("code") != "code-planted" || len(form.Get("code_verifier")) < 43 {
			return reply{status: 400, body: `{"error":"invalid_grant"}`}
		}
		return tokenReply("access-planted-1", "refresh-planted-1")
	}}
	for _, test := range []struct {
		name, query string // STATE is replaced by the right one
		status      int
		err         string // "": goes on waiting
		ends        bool
	}{
		{name: "right", query: "?code=code-planted&state=STATE", status: 200, ends: true},
		{name: "wrong state", query: "?code=code-planted&state=other", status: 400},
		{name: "no state", query: "?code=code-planted", status: 400},
		{name: "an error with a wrong state", query: "?error=access_denied&state=other", status: 400},
		{name: "nothing", query: "", status: 400},
		{name: "refused", query: "?error=access_denied&error_description=the+user+said+no&state=STATE", status: 200, ends: true, err: "the user said no"},
		{name: "no consent", query: "?error=consent_required&error_description=AADSTS65004%3A+User+declined&state=STATE", status: 200, ends: true, err: "not consented"},
		{name: "a used code", query: "?code=another-code&state=STATE", status: 200, ends: true, err: "try again"},
		{name: "escape sequences", query: "?error=%1b%5B2J&state=STATE", status: 200, ends: true, err: "refused the sign-in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			const before = "refresh-planted-2"
			source, vault, _ := account(t, p, fakeCustom(FlowBrowser), before, nil)
			s := &onlooker{page: make(chan BrowserPage, 1)}
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			ended := make(chan error, 1)
			go func() { ended <- source.SignIn(ctx, s) }()
			page := <-s.page
			u, err := url.Parse(page.Address)
			if err != nil || u.Query().Get("code_challenge_method") != "S256" || !page.Heard || u.Query().Get("redirect_uri") != page.Redirect {
				t.Fatalf("the page is %+v", page)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			resp, err := client.Get(page.Redirect + strings.ReplaceAll(test.query, "STATE", u.Query().Get("state")))
			if err != nil {
				t.Fatal(err)
			}
			text := readAll(t, resp)
			resp.Body.Close()
			leaks(t, "the page", text)
			if resp.StatusCode != test.status || strings.Contains(text, "\x1b") {
				t.Errorf("%s: %q", resp.Status, text)
			}
			if !test.ends {
				giveUp()
			}
			err = <-ended
			switch {
			case !test.ends:
				if err == nil || !strings.Contains(err.Error(), "nothing was changed") {
					t.Errorf("it ended with %v", err)
				}
			case test.err == "" && err != nil, test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("want %q: %v", test.err, err)
			}
			if err != nil {
				leaks(t, "the error", err.Error())
				if strings.ContainsAny(err.Error(), "\x1b\n") {
					t.Errorf("not fit to be shown: %q", err)
				}
				if vault.values[RefreshTokenName("work")] != before {
					t.Error("what was kept is lost")
				}
			}
		})
	}
}

// TestWhatASignInIsTold: a sentence about the answer, with what to do, and not to
// sign in; nor is a program told that, to which nobody signs in.
func TestWhatASignInIsTold(t *testing.T) {
	refuse := func(code, description string) reply {
		return reply{status: 400, body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description)}
	}
	const code = `{"device_code":"device-planted","user_code":"ABCD-EFGH","verification_uri":"https://example.org/device","expires_in":900,"interval":5}`
	for _, test := range []struct {
		name          string
		flow          Flow
		device, token reply
		want          []string
	}{
		{name: "HTML for a code", flow: FlowDevice, device: reply{kind: "text/html", body: "<html>"}, want: []string{"no answer (not JSON with a code in it), from the provider's device authorization endpoint https://login.example.org/device", "try again"}},
		{name: "nothing for a code", flow: FlowDevice, want: []string{"what came is no answer", "try again"}},
		{name: "JSON for a code", flow: FlowDevice, device: reply{body: "{}"}, want: []string{"what came is no answer", "try again"}},
		{name: "busy for a code", flow: FlowDevice, device: reply{status: 503}, want: []string{"cannot at present", "try again"}},
		{name: "the grant is refused", flow: FlowDevice, device: reply{body: code}, token: refuse("invalid_grant", "grant request is invalid"), want: []string{"grant request is invalid", "try again"}},
		{name: "no consent", flow: FlowDevice, device: reply{body: code}, token: refuse("invalid_grant", "AADSTS65001: no"), want: []string{"have an administrator consent"}},
		{name: "unheard of", flow: FlowDevice, device: reply{body: code}, token: refuse("weird", "oh"), want: []string{"weird: oh", "try again"}},
		{name: "a program's", flow: FlowClientCredentials, token: refuse("invalid_grant", "AADSTS65001: no"), want: []string{"have an administrator consent"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &fakeProvider{answer: func(_ int, path string, _ url.Values) reply {
					if path == "/device" {
						return test.device
					}
					return test.token
				}}
				source, _, _ := account(t, p, fakeCustom(test.flow), "", nil)
				var err error
				if test.flow.Interactive() {
					err = source.SignIn(t.Context(), &onlooker{})
				} else {
					_, err = source.Secret(t.Context())
				}
				for _, want := range test.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("want %q: %v", want, err)
					}
				}
				for _, never := range []string{"tidings login", "press R", "unmarshal"} {
					if err != nil && strings.Contains(err.Error(), never) {
						t.Errorf("it says %q: %v", never, err)
					}
				}
			})
		})
	}
}
