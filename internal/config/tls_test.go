package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const testHost = "imap.example.org"

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // PEM
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-240 * time.Hour),
		NotAfter:              time.Now().Add(240 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, file}
}

// issue makes a server's certificate.
func (a authority) issue(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "server"},
		DNSNames:     []string{testHost},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// keyPair is a certificate and its key in files.
type keyPair struct{ cert, key string }

func (a authority) issueFiles(t *testing.T) keyPair {
	t.Helper()
	cert := a.issue(t, nil)
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pair := keyPair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{pair.cert: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, pair.key: {Type: "EC PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pair
}

// handshake runs a client's handshake against a server. The connection is TCP's:
// on net.Pipe, whose writes wait for a reader, two peers that both have
// something to say (an alert, the rest of a flight) wait for ever.
func handshake(t *testing.T, client *tls.Config, server *tls.Config) error {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		s, err := l.Accept()
		if err != nil {
			return
		}
		defer s.Close()
		conn := tls.Server(s, server)
		if conn.Handshake() == nil {
			_, _ = conn.Read(make([]byte, 1))
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return tls.Client(c, client).Handshake()
}

func TestTLSConfig(t *testing.T) {
	ca, stranger := newAuthority(t, "Example CA"), newAuthority(t, "Stranger\x1b[31m")
	good := ca.issue(t, nil)
	expired := ca.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	early := ca.issue(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	})
	other := ca.issue(t, func(c *x509.Certificate) {
		c.DNSNames = []string{"a\x1b.example.org", "b.example.org"}
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
	})
	byIP := ca.issue(t, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 1)} })
	nameless := ca.issue(t, func(c *x509.Certificate) { c.DNSNames = nil })
	foreign := stranger.issue(t, nil)
	forClients := ca.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })

	cases := []struct {
		name   string
		cert   tls.Certificate
		host   string
		caFile string
		pin    string
		want   []string // in the sentence; nil: accepted
	}{
		{name: "good", cert: good, caFile: ca.file},
		{name: "good, by address", cert: byIP, caFile: ca.file, host: "192.0.2.1"},
		{name: "without ca_file", cert: good, want: []string{testHost, `"CN=Example CA"`, "does not trust", "ca_file", "tls_fingerprint = \"" + Fingerprint(good.Leaf)}},
		{name: "another authority", cert: foreign, caFile: ca.file, want: []string{"does not trust", `Stranger`}},
		{name: "another name", cert: other, caFile: ca.file, want: []string{testHost, `"a\x1b.example.org", "b.example.org", "192.0.2.1"`, "set host"}},
		{name: "another address", cert: byIP, caFile: ca.file, host: "192.0.2.2", want: []string{"192.0.2.2", `"192.0.2.1"`}},
		{name: "no name", cert: nameless, caFile: ca.file, want: []string{"no host at all"}},
		{name: "expired", cert: expired, caFile: ca.file, want: []string{"expired on " + expired.Leaf.NotAfter.UTC().Format("2 January 2006"), "renew"}},
		{name: "not yet valid", cert: early, caFile: ca.file, want: []string{"valid only from", "clock"}},
		{name: "of another use", cert: forClients, caFile: ca.file, want: []string{"cannot be trusted", "usage"}},
		{name: "pinned", cert: good, pin: Fingerprint(good.Leaf)},
		{name: "pinned, of any issuer, name and date", cert: expired, host: "elsewhere.example.org", pin: Fingerprint(expired.Leaf)},
		{name: "another pinned", cert: good, pin: Fingerprint(foreign.Leaf), want: []string{testHost, "another certificate", Fingerprint(good.Leaf)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := bare()
			a.CAFile, a.TLSFingerprint = c.caFile, c.pin
			if c.host != "" {
				a.Host = c.host
			}
			config, err := a.TLSConfig()
			if err != nil {
				t.Fatal(err)
			}
			// The second handshake may resume the first one's session: it has to
			// be judged alike.
			config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			// TLS 1.2 resumes within the handshake; 1.3's tickets come after it.
			server := &tls.Config{Certificates: []tls.Certificate{c.cert}, MaxVersion: tls.VersionTLS12}
			for range 2 {
				err := handshake(t, config, server)
				if c.want == nil {
					if err != nil {
						t.Fatal(err)
					}
					continue
				}
				var refused *CertificateError
				var standard *tls.CertificateVerificationError
				if !errors.As(err, &refused) || !errors.As(err, &standard) {
					t.Fatalf("error %v is no *CertificateError", err)
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the sentence lacks %q: %v", want, err)
					}
				}
				if strings.ContainsRune(err.Error(), 0x1b) {
					t.Errorf("the certificate's bytes are shown raw: %q", err)
				}
				if refused.Fingerprint != Fingerprint(c.cert.Leaf) {
					t.Errorf("fingerprint %s", refused.Fingerprint)
				}
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	ca := newAuthority(t, "Example CA")
	a := bare()
	a.CAFile = ca.file
	config, err := a.TLSConfig()
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if err := handshake(t, config, server); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

func TestNoTLS(t *testing.T) {
	a := bare()
	a.TLS = TLSNone
	if config, err := a.TLSConfig(); config != nil || err != nil {
		t.Errorf("got %v, %v", config, err)
	}
}

func TestAuthorityFileGone(t *testing.T) {
	a := bare()
	a.CAFile = "/nonexistent/ca.pem"
	if _, err := a.TLSConfig(); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("got %v", err)
	}
}
