package credential

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// endpoints are a provider's addresses, known or discovered.
type endpoints struct {
	oauth2.Endpoint
	revoke string
	issuer string // "" where it was not discovered
}

// discovery is what we read of a discovery document (OpenID Connect Discovery
// 1.0 §3, RFC 8414 §2).
type discovery struct {
	Issuer  string   `json:"issuer"`
	Auth    string   `json:"authorization_endpoint"`
	Token   string   `json:"token_endpoint"`
	Device  string   `json:"device_authorization_endpoint"`
	Revoke  string   `json:"revocation_endpoint"`
	Methods []string `json:"token_endpoint_auth_methods_supported"`
}

// resolve returns the provider's addresses; what was discovered is kept for as
// long as the program runs. An error is a *imapsession.SecretError.
func (t *tokens) resolve(ctx context.Context) (endpoints, error) {
	if t.found != nil {
		return *t.found, nil
	}
	o := t.o
	ends := endpoints{Endpoint: oauth2.Endpoint{
		AuthURL: o.AuthURL, TokenURL: o.TokenURL, DeviceAuthURL: o.DeviceURL,
		// Never left to x/oauth2 to find out: it tries twice, and a refresh token
		// that is shown twice is taken for stolen by providers that rotate them.
		AuthStyle: oauth2.AuthStyleInParams,
	}, revoke: o.RevokeURL}
	if o.Provider == ProviderCustom && !o.ClientSecret.IsZero() {
		ends.AuthStyle = oauth2.AuthStyleInHeader // RFC 6749 §2.3.1: every provider can
	}
	if o.Issuer != "" {
		d, err := t.discover(ctx, o.Issuer)
		if err != nil {
			return endpoints{}, err
		}
		fill(&ends.AuthURL, d.Auth)
		fill(&ends.TokenURL, d.Token)
		fill(&ends.DeviceAuthURL, d.Device)
		fill(&ends.revoke, d.Revoke)
		ends.issuer = d.Issuer
		if !slices.Contains(d.Methods, "client_secret_basic") && slices.Contains(d.Methods, "client_secret_post") {
			ends.AuthStyle = oauth2.AuthStyleInParams
		}
	}
	for _, a := range []struct{ name, key, address string }{
		{"authorization endpoint", "auth_url", ends.AuthURL}, {"token endpoint", "token_url", ends.TokenURL},
		{"device authorization endpoint", "device_url", ends.DeviceAuthURL}, {"revocation endpoint", "revoke_url", ends.revoke},
	} {
		if a.address == "" {
			continue
		}
		if why := badAddress(a.address); why != "" {
			return endpoints{}, permanent("the provider's %s %s, in its discovery document or as %s in [account.oauth2]", a.name, why, a.key)
		}
	}
	if ends.TokenURL == "" {
		return endpoints{}, permanent("the provider's discovery document names no token endpoint; set token_url in [account.oauth2]")
	}
	t.found = &ends
	return ends, nil
}

// discover reads the provider's description of itself. The issuer that it names
// has to be the one that was asked for, or whoever can answer for one address
// could have our secrets sent to another (RFC 8414 §3.3).
func (t *tokens) discover(ctx context.Context, issuer string) (discovery, error) {
	base := strings.TrimSuffix(issuer, "/")
	addresses := []string{base + "/.well-known/openid-configuration"}
	if u, err := url.Parse(base); err == nil {
		path := u.EscapedPath()
		u.Path, u.RawPath = "/.well-known/oauth-authorization-server", ""
		addresses = append(addresses, u.String()+path) // RFC 8414 §3.1
	}
	var last error
	for _, address := range addresses {
		d, err := t.document(ctx, address)
		if err != nil {
			if last == nil {
				last = err
			}
			continue
		}
		if d.Issuer != issuer && strings.TrimSuffix(d.Issuer, "/") != base {
			return discovery{}, permanent("the discovery document of %s says that it is that of %s: it is not used, since somebody may want your tokens; correct issuer in [account.oauth2]", brief(issuer), brief(d.Issuer))
		}
		return d, nil
	}
	return discovery{}, last
}

func (t *tokens) document(ctx context.Context, address string) (discovery, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return discovery{}, permanent("the provider's discovery document cannot be asked for: %v", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := t.http.Do(req)
	if err != nil {
		return discovery{}, t.networkProblem(asking{what: "the provider's discovery document could not be had"}, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return discovery{}, t.networkProblem(asking{what: "the provider's discovery document could not be had"}, err)
	}
	if resp.StatusCode != http.StatusOK {
		if isPassing(resp.StatusCode) {
			return discovery{}, passing("the provider's discovery document, %s, cannot be had at present (the answer was %s)", brief(address), brief(resp.Status))
		}
		return discovery{}, permanent("there is no discovery document at %s (the answer was %s); correct issuer in [account.oauth2]", brief(address), brief(resp.Status))
	}
	var d discovery
	if err := json.Unmarshal(body, &d); err != nil || d.Issuer == "" {
		return discovery{}, permanent("what is at %s is no discovery document; correct issuer in [account.oauth2]", brief(address))
	}
	return d, nil
}

// isPassing tells whether an HTTP status says that it may be different later.
func isPassing(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}
