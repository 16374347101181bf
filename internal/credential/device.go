package credential

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"tidings/imapsession"
)

// byDevice signs in by a code (RFC 8628): the person types it on any device,
// while the provider is polled as often as it allows. A poll that came to nothing
// is not the end: networks come and go while a person looks for a telephone.
func (t *tokens) byDevice(ctx context.Context, cfg *oauth2.Config, ends endpoints, p Prompter) (*oauth2.Token, error) {
	if cfg.Endpoint.DeviceAuthURL == "" {
		return nil, permanent("the provider's discovery document names no device authorization endpoint: it has no sign-in by code; use flow = \"browser\"")
	}
	var proof []oauth2.AuthCodeOption
	if cfg.ClientSecret != "" {
		proof = append(proof, oauth2.SetAuthURLParam("client_secret", cfg.ClientSecret))
	}
	code, err := t.deviceCode(ctx, cfg, proof)
	if err != nil {
		return nil, err
	}
	t.secretive.add(code.DeviceCode)
	p.ShowDevice(DeviceCode{
		Address:  code.VerificationURI,
		Code:     code.UserCode,
		Complete: code.VerificationURIComplete,
		Until:    code.Expiry,
	})
	for {
		token, err := cfg.DeviceAccessToken(t.through(ctx), code)
		if err == nil {
			return token, nil
		}
		switch {
		case ctx.Err() != nil:
			return nil, errors.New("the sign-in was given up; nothing was changed")
		case !code.Expiry.IsZero() && !time.Now().Before(code.Expiry):
			return nil, permanent("the code's time was over before it was typed: try again")
		}
		err = t.problem(asking{"the sign-in did not come about", tokenEndpoint(ends), true}, err)
		var known *imapsession.SecretError
		if !errors.As(err, &known) || !known.Transient {
			return nil, err
		}
		p.Note(known.Text + "; trying again")
		code.Interval = max(code.Interval, 5) + 5 // RFC 8628 §3.5: less often
	}
}

// deviceCode asks for a code. x/oauth2 asks without a context.
func (t *tokens) deviceCode(ctx context.Context, cfg *oauth2.Config, proof []oauth2.AuthCodeOption) (*oauth2.DeviceAuthResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	bound := *t.http
	bound.Transport = boundTo{ctx, t.http.Transport}
	code, err := cfg.DeviceAuth(context.WithValue(ctx, oauth2.HTTPClient, &bound), proof...)
	a := asking{"the provider gives no code", "device authorization endpoint " + cfg.Endpoint.DeviceAuthURL, true}
	switch {
	case err != nil && strings.HasPrefix(err.Error(), "unmarshal "), err == nil && (code.DeviceCode == "" || code.UserCode == "" || code.VerificationURI == ""):
		return nil, noAnswer(a, "not JSON with a code in it")
	case err != nil:
		return nil, t.problem(a, err)
	}
	return code, nil
}

// boundTo ends requests with a context that they were not given.
type boundTo struct {
	ctx  context.Context
	base http.RoundTripper
}

func (b boundTo) RoundTrip(req *http.Request) (*http.Response, error) {
	return b.base.RoundTrip(req.WithContext(b.ctx))
}
