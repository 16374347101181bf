package credential

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"tidings/internal/crash"
)

// byBrowser signs in by authorization code with PKCE. The browser comes back to
// a loopback address that is listened at (RFC 8252 §7.3); where it runs on
// another machine, the person pastes the address that it could not open.
func (t *tokens) byBrowser(ctx context.Context, cfg *oauth2.Config, ends endpoints, p Prompter) (*oauth2.Token, error) {
	if cfg.Endpoint.AuthURL == "" {
		return nil, permanent("the provider's discovery document names no authorization endpoint; set auth_url in [account.oauth2]")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &callback{state: rand.Text(), issuer: ends.issuer, answers: make(chan redirected, 1), secretive: t.secretive}
	redirect, heard, closeAll := c.listen(t.o.RedirectURL)
	defer closeAll()
	cfg.RedirectURL = redirect
	verifier := oauth2.GenerateVerifier()
	t.secretive.add(c.state, verifier)
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	for name, value := range t.o.params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	p.ShowBrowser(BrowserPage{Address: cfg.AuthCodeURL(c.state, options...), Redirect: redirect, Heard: heard})
	crash.Go("pasted address", func() { c.paste(ctx, p) })
	var r redirected
	select {
	case r = <-c.answers:
	case <-ctx.Done():
		return nil, errors.New("the sign-in was given up; nothing was changed")
	}
	if r.err != nil {
		return nil, r.err
	}
	t.secretive.add(r.code)
	ask, done := context.WithTimeout(ctx, askTimeout)
	defer done()
	token, err := cfg.Exchange(t.through(ask), r.code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, t.problem(asking{"the sign-in did not come about", tokenEndpoint(ends), true}, err)
	}
	return token, nil
}

// discarded takes what net/http logs of broken connections.
var discarded = log.New(io.Discard, "", 0)

// redirected is what the browser came back with.
type redirected struct {
	code string
	err  error
}

// callback waits for the browser to come back.
type callback struct {
	state     string
	issuer    string // "" where not known
	path      string
	answers   chan redirected // capacity 1; the first counts
	secretive *redactor
}

// listen opens the loopback address of a redirect URL, on both families where it
// is called localhost. redirect is the address with its port; heard is false
// where it could not be opened.
func (c *callback) listen(address string) (redirect string, heard bool, closeAll func()) {
	u, err := url.Parse(address)
	if err != nil {
		return address, false, func() {}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	c.path = u.Path
	port := u.Port()
	if port == "" {
		port = "0"
	}
	hosts := []string{u.Hostname()}
	if strings.EqualFold(u.Hostname(), "localhost") {
		hosts = []string{"127.0.0.1", "::1"}
	}
	server := &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: discarded}
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			continue
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		heard = true
		crash.Go("redirect", func() { _ = server.Serve(l) })
	}
	if port == "0" {
		port = "1" // nothing listens; the address is pasted
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String(), heard, func() {
		// The browser still has to get its page.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			server.Close()
		}
	}
}

// ServeHTTP is where the browser ends.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'")
	if r.Method != http.MethodGet || r.URL.Path != c.path {
		http.NotFound(w, r)
		return
	}
	answer, problem := c.read(r.URL.Query())
	if problem != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, page(problem))
		return
	}
	text := "Tidings has what it needs. Look at the terminal; this page can be closed."
	if answer.err != nil {
		text = "The sign-in was refused. The terminal says more; this page can be closed."
	}
	_, _ = io.WriteString(w, page(text))
	c.give(answer)
}

func page(text string) string {
	return "<!doctype html><meta charset=utf-8><title>Tidings</title><p>" + text + "\n"
}

// give hands over the first answer.
func (c *callback) give(r redirected) {
	select {
	case c.answers <- r:
	default:
	}
}

// read judges what came back (RFC 6749 §4.1.2, RFC 9207). problem is a sentence
// where it is not the answer that is waited for.
func (c *callback) read(q url.Values) (answer redirected, problem string) {
	if q.Get("code") == "" && q.Get("error") == "" {
		return answer, "That address has no answer in it."
	}
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(c.state)) != 1 {
		return answer, "That is the answer to another sign-in than the one that Tidings waits for: use the newest page."
	}
	if issuer := q.Get("iss"); issuer != "" && c.issuer != "" && issuer != c.issuer {
		return answer, "That answer comes from another provider than the one that was asked."
	}
	switch code := q.Get("error"); code {
	case "":
		return redirected{code: q.Get("code")}, ""
	case "access_denied":
		return redirected{err: permanent("the sign-in was refused, by you or by who administers the account%s", c.details(q))}, ""
	default:
		return redirected{err: permanent("the provider refused the sign-in: it said %s%s; try again, or show that to who runs it", brief(code), c.details(q))}, ""
	}
}

// details are a provider's words in the address, in brackets.
func (c *callback) details(q url.Values) string {
	d := q.Get("error_description")
	if e, ok := entraErrors[entraCode(d)]; ok {
		return " (" + e.says + ")"
	}
	d, _, _ = strings.Cut(d, " Trace ID:")
	if d == "" {
		return ""
	}
	return " (" + brief(c.secretive.clean(d)) + ")"
}

// paste takes addresses from the person until one is it.
func (c *callback) paste(ctx context.Context, p Prompter) {
	for ctx.Err() == nil {
		line, err := p.Paste(ctx)
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		u, err := url.Parse(line)
		if err != nil || u.RawQuery == "" {
			p.Note("That is not the address that the browser ended at: it begins with http:// and has code= in it. Paste all of it.")
			continue
		}
		answer, problem := c.read(u.Query())
		if problem != "" {
			p.Note(problem)
			continue
		}
		c.give(answer)
		return
	}
}
