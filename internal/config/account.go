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
	if a.CAFile != "" && a.TLSFingerprint != "" {
		l.problem(at("tls_fingerprint"), "tls_fingerprint", "ca_file is set too; expected one of them: a pinned certificate needs no authority")
	}
	if a.TLS != TLSNone {
		if a.Insecure {
			l.problem(at("insecure"), "insecure", "is true with tls = %q; expected only with tls = \"none\" (certificates are always verified; trust another one by ca_file or tls_fingerprint)", a.TLS)
		}
		return
	}
	for key, value := range map[string]string{"ca_file": a.CAFile, "tls_fingerprint": a.TLSFingerprint} {
		if value != "" {
			l.problem(at(key), key, "is set with tls = \"none\"; expected with \"implicit\" or \"starttls\"")
		}
	}
	if !a.Insecure && !IsLoopback(a.Host) {
		l.problem(at("tls"), "tls", "is \"none\", which sends the password readable over the network; expected \"implicit\" or \"starttls\" (or insecure = true beside it, if you mean it)")
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
