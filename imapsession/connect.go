package imapsession

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

const (
	connectTimeout = 30 * time.Second // dial, TLS, greeting and log-in, each
	maxPlainLine   = 8 << 10          // octets of one line before STARTTLS
	maxPlainLines  = 16               // lines before STARTTLS succeeds
)

var keepAlive = net.KeepAliveConfig{
	Enable:   true,
	Idle:     15 * time.Second,
	Interval: 15 * time.Second,
	Count:    4,
}

// userTimeout is how long sent bytes may stay unacknowledged (TCP_USER_TIMEOUT).
const userTimeout = 60 * time.Second

// connect dials, protects the link as the config says, and waits for the
// greeting. Every error is a *fault.
func (s *Session) connect(ctx context.Context, as role) (*link, error) {
	cfg := s.cfg
	addr := net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))
	if cfg.Security == Plaintext && !cfg.Insecure && !isLoopbackHost(cfg.Host) {
		return nil, &fault{
			text:  fmt.Sprintf("%s is not this machine, so the link has to be encrypted: set tls to implicit or starttls in the config", say(cfg.Host)),
			fatal: true,
		}
	}
	conn, err := s.dial(ctx, addr)
	if err != nil {
		return nil, &fault{text: fmt.Sprintf("%s: %s", say(addr), lostText(err)), err: err}
	}
	// The context reaches every blocking call from here on by closing the conn.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	secure, transport, greeting, err := s.protect(ctx, conn)
	stop()
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			return nil, &fault{text: "stopped", err: ctx.Err()}
		}
		return nil, asFault(err)
	}
	return s.newLink(ctx, as, secure, transport, greeting)
}

// dial makes the TCP connection, in at most connectTimeout.
func (s *Session) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return s.cfg.Dial(ctx, "tcp", addr)
}

// protect brings the conn under TLS. greeting, if not empty, stands for the
// server's, of which nothing said before TLS is trusted.
func (s *Session) protect(ctx context.Context, conn net.Conn) (secure net.Conn, transport safetext.Text, greeting string, err error) {
	switch s.cfg.Security {
	case Plaintext:
		return conn, safetext.Const("not encrypted"), "", nil
	case StartTLS:
		if err := s.startTLS(conn); err != nil {
			return nil, safetext.Text{}, "", err
		}
		greeting = "* OK ready\r\n"
	}
	tc, err := s.handshake(ctx, conn)
	if err != nil {
		return nil, safetext.Text{}, "", err
	}
	return tc, safetext.Clean(tls.VersionName(tc.ConnectionState().Version)), greeting, nil
}

// handshake runs TLS with the config's trust.
func (s *Session) handshake(ctx context.Context, conn net.Conn) (*tls.Conn, error) {
	cfg := &tls.Config{}
	if s.cfg.TLS != nil {
		cfg = s.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = s.cfg.Host
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	tc := tls.Client(conn, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		if f, ok := certificateFault(s.cfg.Host, err); ok {
			return nil, f
		}
		return nil, handshakeFault(err)
	}
	return tc, nil
}

// handshakeFault is a failed handshake that is no verdict of crypto/x509: the
// network's doing, or the config's own check of the certificate.
func handshakeFault(err error) *fault {
	var record tls.RecordHeaderError
	var network net.Error
	switch {
	case errors.As(err, &record):
		return &fault{text: lostText(err), err: err}
	case isAlert(err):
		return &fault{text: alertText(err), err: err}
	case errors.As(err, &network), isEOF(err):
		return &fault{text: lostText(err) + " (during the TLS handshake)" + ifNever, err: err}
	}
	if strings.HasPrefix(err.Error(), "tls: ") {
		return &fault{text: "no TLS could be agreed on with the server: " + say(err.Error()).String(), err: err}
	}
	return &fault{text: "the server's certificate was not accepted: " + say(err.Error()).String() + againOnceSet, err: err, fatal: true}
}

// startTLS asks for TLS on a plaintext conn (RFC 9051 §6.2.1). Nothing that the
// server says before TLS is believed, and nothing may be left over after its
// OK: what an attacker put there would be taken for protected data.
func (s *Session) startTLS(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return err
	}
	br := bufio.NewReaderSize(conn, maxPlainLine)
	greeting, err := plainLine(br)
	if err != nil {
		return ungreeted(err)
	}
	switch word := statusWord(greeting, "*"); word {
	case "OK":
	case "PREAUTH":
		return &fault{text: "the server claims that we are signed in before TLS (PREAUTH): that is refused, somebody may be in between; use tls = \"implicit\"", fatal: true}
	case "BYE", "NO", "BAD":
		return &fault{text: "the server turned us away: it said " + strconv.Quote(say(greeting).String()), after: statedBackoff(greeting)}
	default:
		return notIMAP(greeting)
	}
	const tag = "S1"
	if _, err := conn.Write([]byte(tag + " STARTTLS\r\n")); err != nil {
		return err
	}
	for range maxPlainLines {
		line, err := plainLine(br)
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "* ") {
			continue // plaintext, so worth nothing
		}
		if statusWord(line, tag) != "OK" {
			return &fault{
				text:  "the server refused STARTTLS: it said " + strconv.Quote(say(line).String()) + "; set tls = \"implicit\" in the config if it has a TLS port (993)",
				fatal: true,
			}
		}
		if br.Buffered() > 0 {
			return &fault{text: "the server sent more than its OK before TLS began: somebody may be in between, the link was dropped"}
		}
		return conn.SetDeadline(time.Time{})
	}
	return &fault{text: "the server talks on instead of starting TLS: the link was dropped"}
}

// plainLine reads one line, bounded, without its CRLF.
func plainLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", notIMAP(string(line))
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// statusWord returns the word after tag, in upper case, or "".
func statusWord(line, tag string) string {
	rest, ok := strings.CutPrefix(line, tag+" ")
	if !ok {
		return ""
	}
	word, _, _ := strings.Cut(rest, " ")
	return strings.ToUpper(word)
}

func notIMAP(line string) *fault {
	if len(line) > 80 {
		line = line[:80]
	}
	return &fault{text: "this is no IMAP server: it greeted with " + strconv.Quote(say(line).String()) + "; check host, port and tls in the config"}
}

// newLink puts the tap and imapclient on a protected conn and waits for the
// greeting.
func (s *Session) newLink(ctx context.Context, as role, conn net.Conn, transport safetext.Text, greeting string) (*link, error) {
	tap := wire.New(conn, wire.Options{Trace: s.cfg.Trace, Name: as.String(), Greeting: greeting})
	l := &link{s: s, role: as, m: &s.mailbox, proven: true, ctx: ctx, tap: tap, transport: transport, started: time.Now(), watch: s.cfg.Watch}
	l.client = imapclient.New(tap, nil)
	l.stop = context.AfterFunc(ctx, l.hangUpSoon)
	if as == asMonitor {
		l.proven = s.proven
		s.useTap(tap)
	} else {
		none := newMailbox("", s.box, s.log)
		l.m = &none
	}
	tap.SetPhase(wire.PhaseConnect)
	watchdog := l.within(connectTimeout, "greeted us")
	err := l.client.WaitGreeting()
	watchdog.Stop()
	if err != nil {
		err = l.greetingFault(err)
		l.close()
		return nil, err
	}
	l.pump()
	if l.preauth && s.cfg.Security == Plaintext {
		l.close()
		return nil, &fault{text: "the server claims that we are signed in (PREAUTH) on a link without TLS: that is refused; use tls = \"implicit\"", fatal: true}
	}
	return l, nil
}

// ungreeted says that the conn ended, or its time did, before a greeting. What
// speaks IMAP speaks first, so that silence is most likely another protocol's.
func ungreeted(err error) *fault {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &fault{text: fmt.Sprintf("the server has not greeted us in %s", connectTimeout) + ifNever, err: err}
	}
	return &fault{text: lostText(err) + " (before it greeted us)" + ifNever, err: err}
}

// greetingFault says what came instead of a greeting.
func (l *link) greetingFault(err error) error {
	l.pump()
	switch {
	case l.killed(), errors.Is(l.tap.Err(), os.ErrDeadlineExceeded): // whichever of the two clocks was first
		lost := asFault(l.lost(err))
		if l.tap.Stats().BytesIn == 0 && !errors.Is(lost, errStopped) {
			return ungreeted(os.ErrDeadlineExceeded)
		}
		return lost
	case l.bye != "":
		return &fault{text: "the server turned us away: it said " + strconv.Quote(say(l.bye).String()), err: err, after: statedBackoff(l.bye)}
	case refused(err):
		return &fault{text: "the server turned us away: it said " + words(err), err: err, after: statedBackoff(err.Error())}
	case l.tap.Err() == nil || isEOF(l.tap.Err()):
		text := "the server closed the link before it said anything: check port and tls in the config"
		if l.tap.Stats().BytesIn > 0 {
			text = "this is no IMAP server: what it greeted with makes no sense; check host, port and tls in the config"
		}
		return &fault{text: text, err: err}
	}
	return l.lost(err)
}

// isLoopbackHost tells whether a host can only be this machine. A name other
// than localhost could be anything.
func isLoopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.IsLoopback()
}
