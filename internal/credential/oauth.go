package credential

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// OAuth2 says how an account gets its access tokens: [account.oauth2]. Preset
// fills in what the provider's name stands for.
type OAuth2 struct {
	Provider string // ProviderGoogle, ProviderMicrosoft or ProviderCustom
	Flow     Flow
	ClientID string
	// ClientSecret is where the client secret comes from, where the provider
	// wants one; zero where it does not.
	ClientSecret Origin
	Tenant       string // Microsoft; "" is common
	// Issuer is the provider's name of itself, under which its discovery document
	// lies (OpenID Connect Discovery 1.0 §4, RFC 8414 §3). The addresses below
	// win over what the document says.
	Issuer    string
	AuthURL   string
	TokenURL  string
	DeviceURL string
	RevokeURL string
	// RedirectURL is where the browser comes back to; a port of 0, or none, is a
	// free one. "" is what the provider's preset has.
	RedirectURL  string
	Scopes       []string
	TokenCommand []string // FlowCommand: prints an access token
	Mechanism    string   // MechanismAuto, MechanismXOAuth2 or MechanismOAuthBearer

	// params go with every authorization request of the provider.
	params map[string]string
}

// Providers that OAuth2.Provider can name.
const (
	ProviderGoogle    = "google"
	ProviderMicrosoft = "microsoft"
	ProviderCustom    = "custom"
)

// SASL mechanisms that OAuth2.Mechanism can name.
const (
	MechanismAuto        = "auto"
	MechanismXOAuth2     = "xoauth2"
	MechanismOAuthBearer = "oauthbearer"
)

// Flow is how tokens are come by.
type Flow string

const (
	// FlowDevice: the person types a code on any device (RFC 8628).
	FlowDevice Flow = "device"
	// FlowBrowser: authorization code with PKCE (RFC 6749 §4.1, RFC 7636), back
	// to a loopback address (RFC 8252 §7.3) or by pasting where it went.
	FlowBrowser Flow = "browser"
	// FlowClientCredentials: the program signs in as itself (RFC 6749 §4.4).
	FlowClientCredentials Flow = "client_credentials"
	// FlowCommand: an external program prints access tokens.
	FlowCommand Flow = "command"
)

// Interactive tells whether a person has to sign in once; SignIn is for such
// flows alone.
func (f Flow) Interactive() bool { return f == FlowDevice || f == FlowBrowser }

// Origin is where a secret that stands in no config comes from: at most one of
// its fields is set.
type Origin struct {
	Command []string
	Env     string
	File    string // absolute
}

// IsZero tells that there is none.
func (o Origin) IsZero() bool { return len(o.Command) == 0 && o.Env == "" && o.File == "" }

// Preset returns the settings with the provider's addresses and scopes filled
// in. That they go together is the config's to see.
func (o OAuth2) Preset() OAuth2 {
	fill(&o.Mechanism, MechanismAuto)
	switch o.Provider {
	case ProviderGoogle:
		return o.google()
	case ProviderMicrosoft:
		return o.microsoft()
	}
	fill(&o.RedirectURL, "http://127.0.0.1:0/")
	if slices.Contains(o.Scopes, "offline_access") {
		o.params = map[string]string{"prompt": "consent"} // OpenID Connect Core 1.0 §11
	}
	return o
}

func (o OAuth2) google() OAuth2 {
	fill(&o.AuthURL, "https://accounts.google.com/o/oauth2/v2/auth")
	fill(&o.TokenURL, "https://oauth2.googleapis.com/token")
	fill(&o.RevokeURL, "https://oauth2.googleapis.com/revoke")
	fill(&o.RedirectURL, "http://127.0.0.1:0/")
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"https://mail.google.com/"}
	}
	// Without these Google gives a refresh token only the first time.
	o.params = map[string]string{"access_type": "offline", "prompt": "consent"}
	return o
}

func (o OAuth2) microsoft() OAuth2 {
	fill(&o.Tenant, "common")
	base := "https://login.microsoftonline.com/" + o.Tenant + "/oauth2/v2.0/"
	fill(&o.AuthURL, base+"authorize")
	fill(&o.TokenURL, base+"token")
	fill(&o.DeviceURL, base+"devicecode")
	// Registered as http://localhost, any port does; 127.0.0.1 would need an
	// edit of the application's manifest.
	fill(&o.RedirectURL, "http://localhost:0/")
	switch {
	case len(o.Scopes) > 0:
	case o.Flow == FlowClientCredentials:
		o.Scopes = []string{"https://outlook.office365.com/.default"}
	default:
		o.Scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}
	}
	return o
}

// badAddress says why an address is not fit for secrets, or "".
func badAddress(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Sprintf("is %.80q; expected an address such as \"https://login.example.org/token\"", address)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return fmt.Sprintf("is %.80q, which would send secrets readable over the network; expected an address that begins with https://", address)
}

// loopback tells whether a host can only be this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func fill(s *string, value string) {
	if *s == "" {
		*s = value
	}
}
