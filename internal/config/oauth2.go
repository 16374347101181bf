package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Provider is who gives the tokens.
type Provider string

// The values of provider.
const (
	Google    Provider = "google"
	Microsoft Provider = "microsoft"
	Custom    Provider = "custom"
)

// Flow is how tokens are got.
type Flow string

// The values of flow.
const (
	FlowDevice            Flow = "device"             // RFC 8628
	FlowBrowser           Flow = "browser"            // RFC 6749 §4.1 with PKCE, RFC 8252
	FlowClientCredentials Flow = "client_credentials" // RFC 6749 §4.4
	FlowCommand           Flow = "command"            // a program prints an access token
)

// Mechanism is the SASL mechanism that carries the token.
type Mechanism string

// The values of mechanism.
const (
	MechanismAuto        Mechanism = "auto"
	MechanismXOAuth2     Mechanism = "xoauth2"
	MechanismOAuthBearer Mechanism = "oauthbearer"
)

// OAuth2 is an [account.oauth2]. What a preset knows is not filled in here:
// that is package credential's.
type OAuth2 struct {
	Provider Provider // "" only with FlowCommand
	Flow     Flow
	ClientID string

	// At most one of these is set.
	ClientSecretCommand []string
	ClientSecretEnv     string
	ClientSecretFile    string // absolute

	Tenant string // Microsoft's; "" elsewhere
	// Custom's: Issuer, or the endpoints that the flow needs. Endpoints win over
	// what the issuer's discovery document says.
	Issuer    string
	AuthURL   string
	TokenURL  string
	DeviceURL string
	RevokeURL string

	RedirectURL string // on this machine; "": a free port of the provider's preset

	Scopes       []string // nil: the provider's preset
	TokenCommand []string // with FlowCommand, and only then
	Mechanism    Mechanism
}

func defaultOAuth2() OAuth2 { return OAuth2{Mechanism: MechanismAuto} }

var oauth2Options = []option[OAuth2]{
	{"provider", func(o *OAuth2, v any, _ string) error { return oneOf(&o.Provider, v, Google, Microsoft, Custom) }},
	{"flow", func(o *OAuth2, v any, _ string) error {
		return oneOf(&o.Flow, v, FlowDevice, FlowBrowser, FlowClientCredentials, FlowCommand)
	}},
	{"client_id", func(o *OAuth2, v any, _ string) error {
		return word(&o.ClientID, v, "the id that the provider gave you")
	}},
	{"client_secret_command", func(o *OAuth2, v any, _ string) error { return optionalArgv(&o.ClientSecretCommand, v) }},
	{"client_secret_env", func(o *OAuth2, v any, _ string) error { return variable(&o.ClientSecretEnv, v) }},
	{"client_secret_file", func(o *OAuth2, v any, dir string) error { return file(&o.ClientSecretFile, v, dir) }},
	{"tenant", func(o *OAuth2, v any, _ string) error {
		return pathWord(&o.Tenant, v, `"common", "organizations", "consumers", or your tenant's id or domain`)
	}},
	{"issuer", func(o *OAuth2, v any, _ string) error { return endpoint(&o.Issuer, v) }},
	{"auth_url", func(o *OAuth2, v any, _ string) error { return endpoint(&o.AuthURL, v) }},
	{"token_url", func(o *OAuth2, v any, _ string) error { return endpoint(&o.TokenURL, v) }},
	{"device_url", func(o *OAuth2, v any, _ string) error { return endpoint(&o.DeviceURL, v) }},
	{"revoke_url", func(o *OAuth2, v any, _ string) error { return endpoint(&o.RevokeURL, v) }},
	{"redirect_url", func(o *OAuth2, v any, _ string) error { return redirect(&o.RedirectURL, v) }},
	{"scopes", func(o *OAuth2, v any, _ string) error { return scopes(&o.Scopes, v) }},
	{"token_command", func(o *OAuth2, v any, _ string) error { return optionalArgv(&o.TokenCommand, v) }},
	{"mechanism", func(o *OAuth2, v any, _ string) error {
		return oneOf(&o.Mechanism, v, MechanismAuto, MechanismXOAuth2, MechanismOAuthBearer)
	}},
}

// oauth2Table makes room for an [account.oauth2]; loader.oauth2 reads it.
func oauth2Table(into **OAuth2, v any) error {
	if _, ok := v.(map[string]any); !ok {
		return fmt.Errorf("is %s; expected a table, [account.oauth2]", kindOf(v))
	}
	*into = &OAuth2{}
	return nil
}

// oauth2 reads an [account.oauth2] and checks what concerns several of its
// keys.
func (l *loader) oauth2(path string, table map[string]any) *OAuth2 {
	o := defaultOAuth2()
	before := len(l.problems)
	misspelt := set(l, path, "[account.oauth2]", table, oauth2Options, &o)
	if o.Flow == "" && !misspelt["flow"] && table["flow"] == nil {
		l.problem(path, "flow", "is missing; expected %q, %q, %q or %q", FlowDevice, FlowBrowser, FlowClientCredentials, FlowCommand)
	}
	if len(l.problems) == before {
		oauth2Check{l, path, table, o}.all()
	}
	if o.Provider == Microsoft && o.Tenant == "" {
		o.Tenant = "common"
	}
	return &o
}

// oauth2Check checks what the keys of one [account.oauth2] mean beside each
// other.
type oauth2Check struct {
	l     *loader
	path  string
	table map[string]any
	OAuth2
}

func (c oauth2Check) problem(key, format string, args ...any) {
	c.l.problem(join(c.path, key), key, format, args...)
}

// set tells whether a key has a value; "" and [] are none.
func (c oauth2Check) set(key string) bool {
	switch v := c.table[key].(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

func (c oauth2Check) all() {
	if c.Flow == FlowCommand {
		c.command()
		return
	}
	if c.set("token_command") {
		c.problem("token_command", "is set with flow = %q; expected only with flow = \"command\"", c.Flow)
	}
	if c.Provider == "" {
		c.problem("provider", "is missing; expected %q, %q or %q", Google, Microsoft, Custom)
		return
	}
	if c.ClientID == "" {
		c.problem("client_id", "is missing; expected the id that the provider gave you (the README says how to get one)")
	}
	c.secret()
	c.provider()
	c.endpoints()
}

// command: the token comes from a program, which knows all the rest.
func (c oauth2Check) command() {
	if len(c.TokenCommand) == 0 {
		c.problem("token_command", "is missing; expected with flow = \"command\": the program that prints an access token")
	}
	for _, o := range oauth2Options {
		if c.set(o.key) && !slices.Contains([]string{"flow", "token_command", "mechanism", "provider"}, o.key) {
			c.problem(o.key, "is set with flow = \"command\"; expected token_command alone to know how the token is got")
		}
	}
}

func (c oauth2Check) secret() {
	var sources []string
	for _, key := range []string{"client_secret_command", "client_secret_env", "client_secret_file"} {
		if c.set(key) {
			sources = append(sources, key)
		}
	}
	switch {
	case len(sources) > 1:
		c.problem(sources[1], "%s are set; expected one of them", strings.Join(sources, " and "))
	case len(sources) == 0 && c.Flow == FlowClientCredentials:
		c.problem("client_secret_command", "is missing; expected it, client_secret_env or client_secret_file with flow = \"client_credentials\"")
	}
}

func (c oauth2Check) provider() {
	switch {
	case c.Provider == Google && c.Flow == FlowDevice:
		c.problem("flow", "is \"device\", by which Google does not grant access to mail; expected \"browser\" (on a machine without a browser you paste the address that the sign-in ends on)")
	case c.Provider == Google && c.Flow == FlowClientCredentials:
		c.problem("flow", "is \"client_credentials\", which Google does not have; expected \"browser\", or \"command\" with a token_command that signs in as a service account")
	case c.Provider == Microsoft && c.Flow == FlowClientCredentials && slices.Contains([]string{"", "common", "organizations", "consumers"}, c.Tenant):
		c.problem("tenant", "names no tenant of its own; expected your tenant's id or domain with flow = \"client_credentials\"")
	}
	if c.Provider != Microsoft && c.set("tenant") {
		c.problem("tenant", "is set with provider = %q; expected only with \"microsoft\"", c.Provider)
	}
}

func (c oauth2Check) endpoints() {
	if c.Flow != FlowBrowser && c.set("redirect_url") {
		c.problem("redirect_url", "is set with flow = %q; expected only with \"browser\"", c.Flow)
	}
	urls := []string{"auth_url", "token_url", "device_url", "revoke_url"}
	if c.Provider != Custom {
		for _, key := range append([]string{"issuer"}, urls...) {
			if c.set(key) {
				c.problem(key, "is set with provider = %q, whose addresses are known; expected only with \"custom\"", c.Provider)
			}
		}
		return
	}
	if c.set("issuer") {
		return // what stands beside it wins over its discovery document
	}
	need := []string{"token_url"}
	switch c.Flow {
	case FlowDevice:
		need = append(need, "device_url")
	case FlowBrowser:
		need = append(need, "auth_url")
	}
	for _, key := range need {
		if !c.set(key) {
			c.problem(key, "is missing; expected issuer, or %s, with provider = \"custom\" and flow = %q", strings.Join(need, " and "), c.Flow)
			return
		}
	}
}

// word takes text without spaces.
func word(into *string, v any, what string) error {
	var s string
	if err := words(&s, v, 2048, what); err != nil {
		return err
	}
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return errors.New("has a space in it; expected " + what)
	}
	*into = s
	return nil
}

// pathWord takes what becomes one element of an address's path.
func pathWord(into *string, v any, what string) error {
	var s string
	if err := word(&s, v, what); err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return r > 127 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._", r)
	}) || strings.Trim(s, ".") == "" {
		return fmt.Errorf("is %.80q; expected %s", s, what)
	}
	*into = s
	return nil
}

// endpoint takes an https address, or an http one on this machine; "" for none.
func endpoint(into *string, v any) error {
	const expected = `an address that begins with "https://"`
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	if s == "" {
		*into = ""
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || !isPrintable(s) {
		return fmt.Errorf("is %.200q; expected %s", s, expected)
	}
	switch {
	case u.User != nil:
		return errors.New("has a user's name in it; expected " + expected + " and names no user")
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return fmt.Errorf("is %.200q, which sends tokens readable over the network; expected %s", s, expected)
	case u.Scheme != "https" && u.Scheme != "http", u.Fragment != "":
		return fmt.Errorf("is %.200q; expected %s", s, expected)
	}
	*into = s
	return nil
}

// redirect takes an http address of this machine (RFC 8252 §7.3); "" for none.
func redirect(into *string, v any) error {
	const expected = `an address of this machine, such as "http://127.0.0.1:8400/"`
	var s string
	if err := endpoint(&s, v); err != nil {
		return fmt.Errorf("is not one that a browser could come back to; expected %s", expected)
	}
	u, err := url.Parse(s)
	if s != "" && (err != nil || u.Scheme != "http" || u.RawQuery != "") {
		return fmt.Errorf("is %.200q; expected %s", s, expected)
	}
	*into = s
	return nil
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
}

// scopes takes an array of scopes, each of the characters that RFC 6749 §3.3
// allows; an empty one is none.
func scopes(into *[]string, v any) error {
	const expected = `an array such as ["https://mail.google.com/"]`
	array, ok := v.([]any)
	if !ok {
		return fmt.Errorf("is %s; expected %s", kindOf(v), expected)
	}
	var out []string
	for i, e := range array {
		s, ok := e.(string)
		if !ok || s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }) {
			return fmt.Errorf("element %d is no scope; expected %s, one scope in each element", i+1, expected)
		}
		out = append(out, s)
	}
	*into = out
	return nil
}
