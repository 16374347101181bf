package credential

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// askTimeout is how long one request to a provider may take.
const askTimeout = 30 * time.Second

// maxSkew is by how much this machine's clock may differ from the provider's
// before it is named as what may be wrong.
const maxSkew = time.Minute

// newHTTPClient talks to a provider. It follows no redirect: what is posted
// there is secret, and a token endpoint has no reason to send it elsewhere.
func newHTTPClient(clock *clockWatch) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // requests are an hour apart
	clock.base = transport
	return &http.Client{
		Transport:     clock,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// maxAnswer bounds what a provider answers, in octets.
const maxAnswer = 1 << 20

// clockWatch is a RoundTripper that notes by how much this machine's clock
// differs from the provider's. A request has askTimeout, and its answer is read
// here: x/oauth2 does not close every one that it gets.
type clockWatch struct {
	base http.RoundTripper
	wall func() time.Time

	mu   sync.Mutex
	skew time.Duration // ours minus theirs, as of the last answer
}

func (c *clockWatch) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), askTimeout)
	defer cancel()
	resp, err := c.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if theirs, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.skew = c.wall().Sub(theirs)
		c.mu.Unlock()
	}
	return resp, nil
}

// wrong returns by how much the clock is wrong, or 0.
func (c *clockWatch) wrong() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.skew.Abs() <= maxSkew {
		return 0
	}
	return c.skew.Round(time.Second)
}

// config is what x/oauth2 needs to know.
func (t *tokens) config(ctx context.Context, ends endpoints, terminal bool) (*oauth2.Config, error) {
	secret := ""
	if !t.o.ClientSecret.IsZero() {
		var err error
		if secret, err = t.o.ClientSecret.get(ctx, aClientSecret, terminal); err != nil {
			return nil, permanent("the client secret could not be had: %v", err)
		}
		t.secretive.add(secret)
	}
	return &oauth2.Config{
		ClientID:     t.o.ClientID,
		ClientSecret: secret,
		Endpoint:     ends.Endpoint,
		Scopes:       t.o.Scopes,
	}, nil
}

// get gets the secret from where it comes from.
func (o Origin) get(ctx context.Context, what sort, terminal bool) (string, error) {
	switch {
	case len(o.Command) > 0:
		return fromCommand(ctx, what, o.Command, terminal)
	case o.Env != "":
		return fromEnv(o.Env)
	}
	return fromFile(what, o.File)
}

// through makes x/oauth2 use our client.
func (t *tokens) through(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, t.http)
}
