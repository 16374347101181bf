package credential

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/oauth2"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// permanent is a problem that waiting does not mend.
func permanent(format string, args ...any) *imapsession.SecretError {
	return &imapsession.SecretError{Text: safetext.Clean(fmt.Sprintf(format, args...)).String()}
}

// passing is one that may be over the next time.
func passing(format string, args ...any) *imapsession.SecretError {
	e := permanent(format, args...)
	e.Transient = true
	return e
}

// signInAgain is the one state of a sign-in that is no more. The caller has the
// turn.
func (t *tokens) signInAgain(why string) *imapsession.SecretError {
	t.stopped = t.announced()
	if t.stopped.IsZero() {
		t.stopped = time.Unix(0, 0)
	}
	// What to do comes first: a status line may be too short for why.
	e := permanent("sign in again: press R, or run %s (%s)", t.login, why)
	e.SignIn = true
	return e
}

// asking is a request to a provider, for the sentence about what became of it.
type asking struct {
	what string // begins the sentence
	at   string // the endpoint, with its address
	// signing: the person is signing in with it, and need not be told to.
	signing bool
}

func tokenEndpoint(ends endpoints) string { return "token endpoint " + ends.TokenURL }

// problem puts what a provider answered, or did not, into words. The error is a
// *imapsession.SecretError.
func (t *tokens) problem(a asking, err error) error {
	var known *imapsession.SecretError
	if errors.As(err, &known) {
		return known
	}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return t.networkProblem(a, err)
	}
	status := 0
	var after time.Duration
	if answer.Response != nil {
		status = answer.Response.StatusCode
		after = retryAfter(answer.Response)
	}
	said := t.said(answer)
	code := entraCode(answer.ErrorDescription)
	// A person who signs in need not be told to, and for a program nobody can.
	over := func(why string) error {
		if a.signing || !t.o.Flow.Interactive() {
			return permanent("%s: %s%s", a.what, why, t.clockNote())
		}
		if clock := t.clockNote(); clock != "" {
			why = strings.TrimPrefix(clock, "; ") + "; " + why // first, for a status line may be too short
		}
		return t.signInAgain(why)
	}
	switch {
	case answer.ErrorCode == "" && isPassing(status), answer.ErrorCode == "temporarily_unavailable", answer.ErrorCode == "server_error":
		e := passing("%s: the provider cannot at present (%s)", a.what, said)
		e.After = after
		return e
	case answer.ErrorCode == "":
		return permanent("%s: what came is no answer (%s), from the provider's %s: see whether the addresses in [account.oauth2] are right%s", a.what, said, brief(a.at), t.clockNote())
	}
	if e, ok := entraErrors[code]; ok {
		if e.signIn {
			return over(fmt.Sprintf("%s, AADSTS%d", e.says, code))
		}
		return permanent("%s: %s (AADSTS%d)%s", a.what, e.says, code, t.clockNote())
	}
	switch answer.ErrorCode {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		if a.signing {
			return permanent("%s: the provider takes the answer to its own page no more, or wants more than it (%s); try again%s", a.what, said, t.clockNote())
		}
		return over(fmt.Sprintf("the provider has ended the sign-in: %s%s", said, t.testingNote()))
	case "invalid_client":
		return permanent("%s: the provider does not know the client, or its secret is wrong (%s): correct client_id and client_secret_... in [account.oauth2]%s", a.what, said, t.clockNote())
	case "unauthorized_client", "unsupported_grant_type":
		return permanent("%s: the client is not registered for this flow (%s): register it for flow = %q, or take another flow", a.what, said, string(t.o.Flow))
	case "invalid_scope":
		return permanent("%s: the provider does not give the scopes that are asked for (%s): correct scopes in [account.oauth2]", a.what, said)
	case "access_denied":
		return permanent("the sign-in was refused, by you or by who administers the account (%s)", said)
	case "expired_token":
		return permanent("the code's time was over before it was typed: try again")
	}
	return permanent("%s: the provider said %s: try again, or show that to who runs it%s", a.what, said, t.clockNote())
}

// said is a provider's error in its own words, as far as they are fit to show.
func (t *tokens) said(e *oauth2.RetrieveError) string {
	var parts []string
	if e.ErrorCode != "" {
		parts = append(parts, brief(e.ErrorCode))
	}
	if d := e.ErrorDescription; d != "" {
		d, _, _ = strings.Cut(d, " Trace ID:")
		d, _, _ = strings.Cut(d, "\r\n")
		parts = append(parts, brief(t.secretive.clean(d)))
	}
	if len(parts) == 0 && e.Response != nil {
		parts = append(parts, "HTTP status "+brief(e.Response.Status))
	}
	return strings.Join(parts, ": ")
}

// networkProblem is a request that came to nothing.
func (t *tokens) networkProblem(a asking, err error) *imapsession.SecretError {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return permanent("%s: the provider's certificate has expired or is not valid yet: is this machine's clock right (%s)?", a.what, t.wall().Format("2 January 2006 15:04"))
	}
	if text := err.Error(); strings.Contains(text, "cannot parse") || strings.Contains(text, "missing access_token") {
		return noAnswer(a, "not JSON with a token in it")
	}
	return passing("%s: %s", a.what, t.silence(err))
}

// noAnswer is something else than an answer, and often that of a network which
// puts a page of its own before every other.
func noAnswer(a asking, expected string) *imapsession.SecretError {
	return passing("%s: what came is no answer (%s), from the provider's %s: see whether this network wants you to sign in to it first, and whether the addresses in [account.oauth2] are right", a.what, expected, brief(a.at))
}

// silence says why there is no answer, and from whom.
func (t *tokens) silence(err error) string {
	host := "the provider"
	var request *url.Error
	if errors.As(err, &request) {
		if u, bad := url.Parse(request.URL); bad == nil && u.Host != "" {
			host = brief(u.Host)
		}
		err = request.Err
	}
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var mismatch x509.HostnameError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return host + " does not answer"
	case errors.As(err, &name) && name.IsNotFound:
		return "there is no host " + host + ": see whether this machine is online"
	case errors.As(err, &name):
		return "the name server does not answer when asked for " + host + ": see whether this machine is online"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens at " + host
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return host + " hung up instead of answering"
	case errors.As(err, &authority), errors.As(err, &mismatch):
		return "the certificate of " + host + " is not to be trusted (" + brief(err.Error()) + "): see whether this network wants you to sign in to it first"
	}
	return host + " cannot be reached: " + brief(t.secretive.clean(err.Error()))
}

// testingNote names the usual reason of Google's, which says none itself.
func (t *tokens) testingNote() string {
	if t.o.Provider != ProviderGoogle {
		return ""
	}
	return "; if that is so every 7 days, its project is still in Testing: publish the app (the README says how)"
}

// clockNote names a clock that is wrong, or is "".
func (t *tokens) clockNote() string {
	skew := t.clock.wrong()
	switch {
	case skew > 0:
		return fmt.Sprintf("; this machine's clock is %s ahead of the provider's, which alone may be why: set it right", about(skew))
	case skew < 0:
		return fmt.Sprintf("; this machine's clock is %s behind the provider's, which alone may be why: set it right", about(-skew))
	}
	return ""
}

// about says a time as a person would.
func about(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", (d+12*time.Hour)/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", (d+30*time.Minute)/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", (d+30*time.Second)/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// retryAfter reads how long a provider wants to be left alone.
func retryAfter(r *http.Response) time.Duration {
	seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

// redactor takes secrets out of what others say.
type redactor struct {
	mu      sync.Mutex
	secrets []string
}

// shortSecret is how short a text may be to be looked for: a shorter one would
// be found everywhere.
const shortSecret = 6

// add remembers secrets; of many the last hundred.
func (r *redactor) add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s) >= shortSecret {
			r.secrets = append(r.secrets, s)
		}
	}
	if n := len(r.secrets); n > 100 {
		r.secrets = r.secrets[n-100:]
	}
}

func (r *redactor) clean(text string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}
