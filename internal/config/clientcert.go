package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
)

// Auth is how an account with a password, or with a client certificate, signs
// in.
type Auth string

// The values of auth. AuthAuto is the best that the server offers.
const (
	AuthAuto        Auth = "auto"
	AuthPlain       Auth = "plain"
	AuthLogin       Auth = "login"
	AuthSCRAMSHA256 Auth = "scram-sha-256"
	AuthSCRAMSHA1   Auth = "scram-sha-1"
	AuthExternal    Auth = "external"
)

// clientCertificate reads the certificate that we show to the server, and its
// key, which may stand in the same file. A key that others can read is refused.
func (a Account) clientCertificate() (*tls.Certificate, error) {
	if a.TLSCertificate == "" {
		return nil, nil
	}
	key, name := a.TLSKey, "tls_key"
	if key == "" {
		key, name = a.TLSCertificate, "tls_certificate"
	}
	info, err := os.Stat(key)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w); expected a PEM file with the private key", name, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s %q holds a private key and can be read or changed by others (mode %04o); run: chmod 600 %q", name, key, mode, key)
	}
	cert, err := tls.LoadX509KeyPair(a.TLSCertificate, key)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			return nil, fmt.Errorf("tls_certificate cannot be read (%w)", err)
		}
		return nil, fmt.Errorf("tls_certificate and its key do not serve (%w); expected the certificate and its private key in PEM, unencrypted", err)
	}
	return &cert, nil
}
