package credential

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
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
	e := permanent("sign in again: press R, or run tidings login %s (%s)", quote(t.account), why)
	e.SignIn = true
	return e
}

// problem puts what a provider answered, or did not, into words. what begins the
// sentence. The error is a *imapsession.SecretError.
func (t *tokens) problem(what string, err error) error {
	var known *imapsession.SecretError
	if errors.As(err, &known) {
		return known
	}
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return t.networkProblem(what, err)
	}
	status := 0
	var after time.Duration
	if answer.Response != nil {
		status = answer.Response.StatusCode
		after = retryAfter(answer.Response)
	}
	said := t.said(answer)
	code := entraCode(answer.ErrorDescription)
	switch {
	case answer.ErrorCode == "" && isPassing(status), answer.ErrorCode == "temporarily_unavailable", answer.ErrorCode == "server_error":
		e := passing("%s: it cannot at present (%s)", what, said)
		e.After = after
		return e
	case answer.ErrorCode == "":
		return permanent("%s: what its token endpoint answered is no answer (%s): see whether its addresses in [account.oauth2] are right%s", what, said, t.clockNote())
	}
	if e, ok := entraErrors[code]; ok {
		if e.signIn {
			return t.signInAgain(fmt.Sprintf("%s, AADSTS%d%s", e.says, code, t.clockNote()))
		}
		return permanent("%s: %s (AADSTS%d)%s", what, e.says, code, t.clockNote())
	}
	switch answer.ErrorCode {
	case "invalid_grant", "interaction_required", "login_required", "consent_required":
		return t.signInAgain(fmt.Sprintf("the provider has ended the sign-in: %s%s%s", said, t.testingNote(), t.clockNote()))
	case "invalid_client":
		return permanent("%s: it does not know the client, or its secret is wrong (%s): correct client_id and client_secret_... in [account.oauth2]%s", what, said, t.clockNote())
	case "unauthorized_client", "unsupported_grant_type":
		return permanent("%s: the client is not registered for this flow (%s): register it for flow = %q, or take another flow", what, said, string(t.o.Flow))
	case "invalid_scope":
		return permanent("%s: it does not give the scopes that are asked for (%s): correct scopes in [account.oauth2]", what, said)
	case "access_denied":
		return permanent("the sign-in was refused, by you or by who administers the account (%s)", said)
	case "expired_token":
		return permanent("the code's time was over before it was typed: try again")
	}
	return permanent("%s: it said %s%s", what, said, t.clockNote())
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
func (t *tokens) networkProblem(what string, err error) *imapsession.SecretError {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return permanent("%s: its certificate has expired or is not valid yet: is this machine's clock right (%s)?", what, t.wall().Format("2 January 2006 15:04"))
	case errors.Is(err, context.DeadlineExceeded):
		return passing("%s: it does not answer", what)
	case strings.Contains(err.Error(), "cannot parse json"), strings.Contains(err.Error(), "missing access_token"):
		// A page of a hotel's network, for one.
		return passing("%s: what its token endpoint answered is no answer (not JSON with a token in it)", what)
	}
	return passing("%s: %s", what, brief(t.secretive.clean(err.Error())))
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

// entraWords find Microsoft's number for what is wrong.
var entraWords = regexp.MustCompile(`AADSTS(\d{4,8})`)

func entraCode(description string) int {
	m := entraWords.FindStringSubmatch(description)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// entraErrors say what can be done about Microsoft's errors, by the number that
// its descriptions begin with (learn.microsoft.com, "Microsoft Entra
// authentication and authorization error codes").
var entraErrors = map[int]struct {
	says   string
	signIn bool
}{
	50020:   {says: "the account is not of this directory: set tenant to the account's own, or to \"common\""},
	50034:   {says: "there is no such account in this directory: see that user and tenant in the config are right"},
	50053:   {says: "the account is locked for a while, after too many attempts to sign in"},
	50057:   {says: "the account is disabled: ask who administers it"},
	50055:   {says: "the account's password has expired: change it, then sign in again", signIn: true},
	50059:   {says: "it cannot tell the directory: set tenant to your directory's id or domain"},
	50072:   {says: "the account has to be set up for multi-factor authentication first", signIn: true},
	50074:   {says: "multi-factor authentication is due", signIn: true},
	50076:   {says: "multi-factor authentication is due, after a change of its rules or of where you are", signIn: true},
	50078:   {says: "the multi-factor authentication has expired", signIn: true},
	50079:   {says: "the account has to be set up for multi-factor authentication first", signIn: true},
	50097:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	50105:   {says: "the account is not assigned to the application: ask who administers it"},
	50126:   {says: "wrong user name or password"},
	50129:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	50133:   {says: "the sign-in has ended, for the password was changed", signIn: true},
	50158:   {says: "another check of the organization's is due", signIn: true},
	50173:   {says: "the sign-in has ended, for the password was changed or an administrator ended it", signIn: true},
	50194:   {says: "the application is registered for one directory only: set tenant to that directory's id or domain instead of \"common\""},
	53000:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	53003:   {says: "a rule of the organization (Conditional Access) forbids this sign-in: ask who administers it"},
	65001:   {says: "nobody has consented to the application's access to mail: sign in again and consent, or have an administrator consent", signIn: true},
	65004:   {says: "you have not consented to the application's access to mail", signIn: true},
	70000:   {says: "the sign-in has ended", signIn: true},
	70008:   {says: "the sign-in has expired, after a time without use", signIn: true},
	70011:   {says: "it does not give the scopes that are asked for: correct scopes in [account.oauth2]"},
	70016:   {says: "the code has not been typed yet: try again"},
	70020:   {says: "the code's time was over before it was typed: try again"},
	70043:   {says: "the organization ends every sign-in after some time, and that is over", signIn: true},
	90002:   {says: "there is no such directory: correct tenant in [account.oauth2]"},
	90094:   {says: "an administrator has to consent to the application's access to mail"},
	90095:   {says: "an administrator has to consent to the application's access to mail"},
	500011:  {says: "the directory has no Exchange Online, or nobody has consented to the application's access to it"},
	530003:  {says: "the organization lets in only devices that it manages: ask who administers it"},
	700016:  {says: "there is no such application in this directory: correct client_id or tenant in [account.oauth2]"},
	700082:  {says: "the sign-in has expired, after 90 days without use", signIn: true},
	700084:  {says: "the sign-in has expired: that of a single page application lasts a day; register Tidings under \"Mobile and desktop applications\" instead", signIn: true},
	7000112: {says: "the application is disabled: ask who administers it"},
	7000215: {says: "the client secret is wrong: client_secret_... wants its value, not its id"},
	7000218: {says: "it wants a client secret: switch on \"Allow public client flows\" under Authentication in the application's registration"},
	7000222: {says: "the client secret has expired: make a new one in the application's registration"},
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
