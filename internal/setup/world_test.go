package setup

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an internet of its own: names, the servers behind them, and an
// authority that everybody trusts.
type world struct {
	t     *testing.T
	ca    *x509.Certificate
	key   *ecdsa.PrivateKey
	roots *x509.CertPool

	mu     sync.Mutex
	addrs  map[string]string // "host:port" -> listener
	dialed []string
	srv    map[string][]*net.SRV // "imaps.example.org"
	mx     map[string][]*net.MX
	dns    error // what every lookup answers
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "World CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ca: ca, key: key, roots: x509.NewCertPool(), addrs: map[string]string{}, srv: map[string][]*net.SRV{}, mx: map[string][]*net.MX{}}
	w.roots.AddCert(ca)
	return w
}

// tls is a server's side with a certificate for names.
func (w *world) tls(names ...string) *tls.Config {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, w.ca, key.Public(), w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// listen puts a server at host:port.
func (w *world) listen(at string, serve func(net.Conn)) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	w.t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addrs[at] = l.Addr().String()
}

// imap is a server that greets and tells its capabilities. plain: only after
// STARTTLS is it encrypted.
func (w *world) imap(at string, caps string, names ...string) {
	host, port, _ := net.SplitHostPort(at)
	if len(names) == 0 {
		names = []string{host}
	}
	config := w.tls(names...)
	w.listen(at, func(conn net.Conn) {
		if port == "143" {
			talk(conn, "STARTTLS LOGINDISABLED", func() net.Conn { return tls.Server(conn, config) }, caps)
			return
		}
		talk(tls.Server(conn, config), caps, nil, "")
	})
}

// talk is the server's side of a probe.
func talk(conn net.Conn, caps string, upgrade func() net.Conn, then string) {
	fmt.Fprint(conn, "* OK ready\r\n")
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		tag, command, _ := strings.Cut(lines.Text(), " ")
		switch command {
		case "CAPABILITY":
			fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 %s\r\n%s OK done\r\n", caps, tag)
		case "STARTTLS":
			if upgrade == nil {
				fmt.Fprintf(conn, "%s BAD no\r\n", tag)
				continue
			}
			fmt.Fprintf(conn, "%s OK go\r\n", tag)
			conn = upgrade()
			caps, lines = then, bufio.NewScanner(conn)
		case "LOGOUT":
			return
		default:
			fmt.Fprintf(conn, "%s BAD a probe says no %s\r\n", tag, command)
		}
	}
}

// web is an https server at host with the autoconfig document of path.
func (w *world) web(host, path, document string) {
	w.handle(host, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(rw, document)
	}))
}

func (w *world) handle(host string, h http.Handler) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(tls.NewListener(l, w.tls(host)))
	}()
	w.t.Cleanup(func() {
		server.Close()
		<-done
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addrs[host+":443"] = l.Addr().String()
}

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	real, ok := w.addrs[addr]
	w.dialed = append(w.dialed, addr)
	w.mu.Unlock()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}}
	}
	return (&net.Dialer{}).DialContext(ctx, network, real)
}

func (w *world) hasDialed(addr string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.dialed {
		if d == addr {
			return true
		}
	}
	return false
}

func (w *world) answer(name string, found bool) error {
	if w.dns != nil {
		return w.dns
	}
	if !found {
		return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return nil
}

func (w *world) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if proto != "tcp" {
		w.t.Errorf("SRV of %s is asked for", proto)
	}
	records, ok := w.srv[service+"."+name]
	return "", records, w.answer(name, ok)
}

func (w *world) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	records, ok := w.mx[name]
	return records, w.answer(name, ok)
}

// finder looks at this world only.
func (w *world) finder() Finder {
	return Finder{
		Resolver:  w,
		Dial:      w.dial,
		TLS:       &tls.Config{RootCAs: w.roots},
		Transport: &http.Transport{DialContext: w.dial, TLSClientConfig: &tls.Config{RootCAs: w.roots}, DisableKeepAlives: true},
	}
}
