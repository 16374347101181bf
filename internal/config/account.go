package config

import (
	"net"
	"strings"
)

// account reads one [[account]] and checks what concerns several of its keys.
func (l *loader) account(path string, table map[string]any) Account {
	a := defaultAccount()
	before := len(l.problems)
	misspelt := set(l, path, "[[account]]", table, accountOptions, &a)
	for _, key := range []string{"name", "host", "user"} {
		if _, ok := table[key]; !ok && !misspelt[key] {
			l.problem(path, key, "is missing; expected in every [[account]]")
		}
	}
	if _, ok := table["port"]; !ok {
		a.Port = 993
		if a.TLS != TLSImplicit {
			a.Port = 143
		}
	}
	if sub, ok := table["oauth2"].(map[string]any); ok {
		a.OAuth2 = l.oauth2(join(path, "oauth2"), sub)
	}
	if len(l.problems) == before {
		l.together(path, a)
	}
	return a
}

// together checks what keys mean beside each other; each for itself is right.
func (l *loader) together(path string, a Account) {
	at := func(key string) string { return join(path, key) }
	var sources []string
	for _, s := range []struct {
		key string
		set bool
	}{
		{"password_command", a.PasswordCommand != nil},
		{"password_env", a.PasswordEnv != ""},
		{"password_file", a.PasswordFile != ""},
	} {
		if s.set {
			sources = append(sources, s.key)
		}
	}
	if len(sources) > 1 {
		l.problem(at(sources[1]), sources[1], "%s are set; expected one of them, or none to be asked", strings.Join(sources, " and "))
	}
	l.waysIn(path, a, sources)
	if a.CAFile != "" && a.TLSFingerprint != "" {
		l.problem(at("tls_fingerprint"), "tls_fingerprint", "ca_file is set too; expected one of them: a pinned certificate needs no authority")
	}
	if a.TLS != TLSNone {
		if a.Insecure {
			l.problem(at("insecure"), "insecure", "is true with tls = %q; expected only with tls = \"none\" (certificates are always verified; trust another one by ca_file or tls_fingerprint)", a.TLS)
		}
		return
	}
	for key, value := range map[string]string{"ca_file": a.CAFile, "tls_fingerprint": a.TLSFingerprint, "tls_certificate": a.TLSCertificate} {
		if value != "" {
			l.problem(at(key), key, "is set with tls = \"none\"; expected with \"implicit\" or \"starttls\"")
		}
	}
	if !a.Insecure && !IsLoopback(a.Host) {
		l.problem(at("tls"), "tls", "is \"none\", which sends the password readable over the network; expected \"implicit\" or \"starttls\" (or insecure = true beside it, if you mean it)")
	}
}

// waysIn checks that there is one way to sign in; sources are the keys that say
// where a password comes from.
func (l *loader) waysIn(path string, a Account, sources []string) {
	at := func(key string) string { return join(path, key) }
	if a.TLSKey != "" && a.TLSCertificate == "" {
		l.problem(at("tls_key"), "tls_key", "is set without tls_certificate; expected the certificate that it belongs to")
	}
	if a.Auth == AuthExternal && a.TLSCertificate == "" {
		l.problem(at("auth"), "auth", "is \"external\", which signs in by a certificate; expected tls_certificate beside it")
	}
	if len(sources) > 0 && a.Auth == AuthExternal {
		l.problem(at(sources[0]), sources[0], "is set with auth = \"external\", which signs in by a certificate; expected one way to sign in")
	}
	if a.OAuth2 == nil {
		return
	}
	if len(sources) > 0 {
		l.problem(at(sources[0]), sources[0], "is set, and [account.oauth2] too; expected one way to sign in")
	}
	if a.Auth != AuthAuto {
		l.problem(at("auth"), "auth", "is %q, and [account.oauth2] is set too; expected one way to sign in (mechanism in [account.oauth2] says how the token is sent)", a.Auth)
	}
}

// IsLoopback reports whether host names this machine: "localhost" or a loopback
// address. A name that merely resolves to one does not count, since what it
// resolves to is not ours to say.
func IsLoopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
