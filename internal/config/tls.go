package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// TLSConfig is how the account's certificate is verified: against the system's
// authorities and ca_file, or against tls_fingerprint alone. TLS 1.2 is the
// least. With tls = "none" it is nil.
//
// A certificate that is not accepted ends the handshake with a
// *CertificateError, whose text is a sentence for the person.
func (a Account) TLSConfig() (*tls.Config, error) {
	if a.TLS == TLSNone {
		return nil, nil
	}
	own, err := a.clientCertificate()
	if err != nil {
		return nil, err
	}
	verify := authorities{host: a.Host}
	if a.CAFile != "" {
		roots, err := readAuthorities(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file %w", err)
		}
		verify.roots = roots
	}
	check := verify.verify
	if a.TLSFingerprint != "" {
		check = pin{host: a.Host, fingerprint: a.TLSFingerprint}.verify
	}
	cfg := &tls.Config{
		ServerName: a.Host,
		MinVersion: tls.VersionTLS12,
		// Verification is not skipped but done in VerifyConnection, which
		// crypto/tls calls on every handshake, resumed ones included: a pin is
		// no chain, and a refused certificate is to be explained in words.
		InsecureSkipVerify: true,
		VerifyConnection:   check,
	}
	if own != nil {
		cfg.Certificates = []tls.Certificate{*own}
	}
	return cfg, nil
}

// CertificateError says why a server's certificate is not accepted.
type CertificateError struct {
	Host        string
	Sentence    string
	Fingerprint string // of the presented certificate, "sha256:..."
	err         error
}

func (e *CertificateError) Error() string { return e.Sentence }

// Unwrap is a *tls.CertificateVerificationError, as crypto/tls's own
// verification would return, and below it the error of crypto/x509.
func (e *CertificateError) Unwrap() error { return e.err }

// Fingerprint is the certificate's SHA-256, as tls_fingerprint has it.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// errPin is what a pinned certificate's mismatch is below its sentence.
var errPin = errors.New("another certificate than the pinned one")

type pin struct{ host, fingerprint string }

// verify accepts exactly the pinned leaf. Its name, dates and issuer say
// nothing beyond that: the person has said which certificate it is.
func (p pin) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server presented no certificate")
	}
	if Fingerprint(cs.PeerCertificates[0]) == p.fingerprint {
		return nil
	}
	return refuse(p.host, cs, errPin)
}

type authorities struct {
	host  string
	roots *x509.CertPool // nil: the system's
}

// verify does what crypto/tls does by default.
func (v authorities) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the server presented no certificate")
	}
	opts := x509.VerifyOptions{
		DNSName:       v.host,
		Roots:         v.roots,
		Intermediates: x509.NewCertPool(),
		CurrentTime:   time.Now(),
	}
	for _, cert := range cs.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	if _, err := cs.PeerCertificates[0].Verify(opts); err != nil {
		return refuse(v.host, cs, err)
	}
	return nil
}

func refuse(host string, cs tls.ConnectionState, cause error) error {
	leaf := cs.PeerCertificates[0]
	return &CertificateError{
		Host:        host,
		Sentence:    explain(host, leaf, cause),
		Fingerprint: Fingerprint(leaf),
		err:         &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: cause},
	}
}

// explain says in a sentence why the certificate is refused and what to do. The
// certificate's own names are the server's words and thus quoted.
func explain(host string, leaf *x509.Certificate, cause error) string {
	presented := Fingerprint(leaf)
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.Is(cause, errPin):
		return fmt.Sprintf("%s presented another certificate than the one pinned by tls_fingerprint: it is %s; if the server's operator says it was renewed, pin that one", host, presented)
	case errors.As(cause, &name):
		return fmt.Sprintf("the certificate of %s is for %s; set host to a name that the certificate has", host, certificateNames(leaf))
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired:
		if now := time.Now(); now.Before(leaf.NotBefore) {
			return fmt.Sprintf("the certificate of %s is valid only from %s; check this computer's clock", host, leaf.NotBefore.UTC().Format("2 January 2006 15:04 MST"))
		}
		if time.Now().After(leaf.NotAfter) {
			return fmt.Sprintf("the certificate of %s expired on %s; the server's operator has to renew it (or this computer's clock is wrong)", host, leaf.NotAfter.UTC().Format("2 January 2006"))
		}
		return fmt.Sprintf("a certificate in the chain of %s has expired; the server's operator has to renew it", host)
	case errors.As(cause, &unknown):
		return fmt.Sprintf("the certificate of %s was issued by %.100q, which this computer does not trust; if the server is yours, name the issuer's certificate in ca_file, or compare the fingerprint on the server and pin it by tls_fingerprint = %q", host, leaf.Issuer.String(), presented)
	}
	return fmt.Sprintf("the certificate of %s cannot be trusted (%.200q); the server's operator has to replace it", host, cause.Error())
}

func certificateNames(leaf *x509.Certificate) string {
	names := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host at all"
	}
	if len(names) > 3 {
		return fmt.Sprintf("%.60q, %.60q and %d other names", names[0], names[1], len(names)-2)
	}
	out := ""
	for i, n := range names {
		if i > 0 {
			out += ", "
		}
		out += fmt.Sprintf("%.60q", n)
	}
	return out
}

// readAuthorities returns the system's authorities and those of the PEM file.
func readAuthorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read (%w); expected a PEM file with the authority's certificate", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("has no certificate in it; expected a PEM file (-----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}
