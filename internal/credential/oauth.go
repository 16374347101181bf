package credential

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// OAuth2 says how an account gets its access tokens: [account.oauth2]. Preset
// fills in what the provider's name stands for and judges the rest.
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

// OptionError says what is wrong with one option of [account.oauth2]. Text goes
// behind the option's name, as the config's own complaints do.
type OptionError struct {
	Key  string
	Text string
}

func (e *OptionError) Error() string { return "oauth2." + e.Key + " " + e.Text }

func badOption(key, format string, args ...any) error {
	return &OptionError{Key: key, Text: fmt.Sprintf(format, args...)}
}

// Preset returns the settings with the provider's addresses and scopes filled
// in and defaults resolved, or an *OptionError.
func (o OAuth2) Preset() (OAuth2, error) {
	if o.Mechanism == "" {
		o.Mechanism = MechanismAuto
	}
	if !slices.Contains([]string{MechanismAuto, MechanismXOAuth2, MechanismOAuthBearer}, o.Mechanism) {
		return o, badOption("mechanism", "is %q; expected \"auto\", \"xoauth2\" or \"oauthbearer\"", o.Mechanism)
	}
	switch o.Flow {
	case FlowCommand:
		if len(o.TokenCommand) == 0 {
			return o, badOption("token_command", "is missing; flow = \"command\" needs the program that prints an access token")
		}
		return o, nil
	case FlowDevice, FlowBrowser, FlowClientCredentials:
	case "":
		return o, badOption("flow", "is missing; expected \"device\", \"browser\", \"client_credentials\" or \"command\"")
	default:
		return o, badOption("flow", "is %q; expected \"device\", \"browser\", \"client_credentials\" or \"command\"", string(o.Flow))
	}
	if len(o.TokenCommand) > 0 {
		return o, badOption("token_command", "is set with flow = %q; expected only with flow = \"command\"", string(o.Flow))
	}
	if o.ClientID == "" {
		return o, badOption("client_id", "is missing; the README says how to get one from Google and Microsoft")
	}
	if o.Flow == FlowClientCredentials && o.ClientSecret.IsZero() {
		return o, badOption("client_secret_command", "is missing; flow = \"client_credentials\" proves itself by a client secret (or client_secret_env, client_secret_file)")
	}
	var err error
	switch o.Provider {
	case ProviderGoogle:
		o, err = o.google()
	case ProviderMicrosoft:
		o, err = o.microsoft()
	case ProviderCustom:
		o, err = o.custom()
	case "":
		err = badOption("provider", "is missing; expected \"google\", \"microsoft\" or \"custom\"")
	default:
		err = badOption("provider", "is %q; expected \"google\", \"microsoft\" or \"custom\"", o.Provider)
	}
	if err != nil {
		return o, err
	}
	return o, o.addresses()
}

func (o OAuth2) google() (OAuth2, error) {
	switch o.Flow {
	case FlowDevice:
		return o, badOption("flow", "is \"device\", which Google does not grant for mail; use flow = \"browser\" (on a machine without one, paste the address that the browser ends at)")
	case FlowClientCredentials:
		return o, badOption("flow", "is \"client_credentials\", which Google does not have; use flow = \"browser\", or flow = \"command\" with a program that signs in as a service account")
	}
	fill(&o.AuthURL, "https://accounts.google.com/o/oauth2/v2/auth")
	fill(&o.TokenURL, "https://oauth2.googleapis.com/token")
	fill(&o.RevokeURL, "https://oauth2.googleapis.com/revoke")
	fill(&o.RedirectURL, "http://127.0.0.1:0/")
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"https://mail.google.com/"}
	}
	// Without these Google gives a refresh token only the first time.
	o.params = map[string]string{"access_type": "offline", "prompt": "consent"}
	return o, o.foreign("tenant", o.Tenant)
}

func (o OAuth2) microsoft() (OAuth2, error) {
	fill(&o.Tenant, "common")
	if strings.ContainsFunc(o.Tenant, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}) {
		return o, badOption("tenant", "is %.80q; expected a directory's id or domain, or common, organizations or consumers", o.Tenant)
	}
	base := "https://login.microsoftonline.com/" + o.Tenant + "/oauth2/v2.0/"
	fill(&o.AuthURL, base+"authorize")
	fill(&o.TokenURL, base+"token")
	fill(&o.DeviceURL, base+"devicecode")
	// Registered as http://localhost, any port does; 127.0.0.1 would need an
	// edit of the application's manifest.
	fill(&o.RedirectURL, "http://localhost:0/")
	if o.Flow == FlowClientCredentials {
		if slices.Contains([]string{"common", "organizations", "consumers"}, o.Tenant) {
			return o, badOption("tenant", "is %q; flow = \"client_credentials\" needs your directory's own id or domain", o.Tenant)
		}
		if len(o.Scopes) == 0 {
			o.Scopes = []string{"https://outlook.office365.com/.default"}
		}
	}
	if len(o.Scopes) == 0 {
		o.Scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}
	}
	return o, nil
}

func (o OAuth2) custom() (OAuth2, error) {
	fill(&o.RedirectURL, "http://127.0.0.1:0/")
	if err := o.foreign("tenant", o.Tenant); err != nil {
		return o, err
	}
	if o.Issuer != "" {
		return o, nil
	}
	for _, need := range []struct {
		key, value string
		flow       Flow
	}{
		{"token_url", o.TokenURL, o.Flow},
		{"auth_url", o.AuthURL, FlowBrowser},
		{"device_url", o.DeviceURL, FlowDevice},
	} {
		if need.value == "" && need.flow == o.Flow {
			return o, badOption(need.key, "is missing; provider = \"custom\" needs issuer, or its addresses one by one")
		}
	}
	return o, nil
}

// foreign complains of an option that another provider has.
func (o OAuth2) foreign(key, value string) error {
	if value == "" {
		return nil
	}
	return badOption(key, "is set with provider = %q; expected only with provider = \"microsoft\"", o.Provider)
}

// addresses looks whether every address can be trusted with a secret.
func (o OAuth2) addresses() error {
	for _, a := range []struct{ key, value string }{
		{"issuer", o.Issuer}, {"auth_url", o.AuthURL}, {"token_url", o.TokenURL},
		{"device_url", o.DeviceURL}, {"revoke_url", o.RevokeURL},
	} {
		if a.value == "" {
			continue
		}
		if why := badAddress(a.value); why != "" {
			return badOption(a.key, "%s", why)
		}
	}
	u, err := url.Parse(o.RedirectURL)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) || u.RawQuery != "" || u.Fragment != "" {
		return badOption("redirect_url", "is %.80q; expected an address of this machine such as \"http://127.0.0.1:8400/\"", o.RedirectURL)
	}
	return nil
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
