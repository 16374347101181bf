package setup

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidings/internal/crash"
)

// maxLine and maxLines bound what a server may say to a probe.
const (
	maxLine  = 8 << 10
	maxLines = 32
)

// first connects to all candidates at once and returns the first of them, in
// their order, that answers.
func (f Finder) first(ctx context.Context, candidates []Server) (*Server, error) {
	if len(candidates) == 0 {
		return nil, errors.New("no candidate")
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	type answer struct {
		server Server
		err    error
	}
	answers := make([]chan answer, len(candidates))
	for i, s := range candidates {
		answers[i] = make(chan answer, 1)
		crash.Go("setup probe", func() {
			err := f.Probe(ctx, &s)
			answers[i] <- answer{s, err}
		})
	}
	var found *Server
	var errs []error
	for _, c := range answers {
		a := <-c
		if a.err == nil && found == nil {
			found = &a.server
			cancel() // those behind it do not matter any more
		}
		errs = append(errs, a.err)
	}
	if found == nil {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

// Probe connects to a server and notes what it offers behind TLS, whose
// certificate has to be valid for the host. It sends no name and no password.
func (f Finder) Probe(ctx context.Context, s *Server) error {
	dial := f.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		return err
	}
	// The deadline alone would leave a canceled probe waiting.
	below := conn
	stop := context.AfterFunc(ctx, func() { below.Close() })
	defer func() {
		stop()
		below.Close()
	}()
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return err
		}
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.TLS != nil {
		trust = f.TLS.Clone()
	}
	trust.ServerName = s.Host
	if s.Security == Implicit {
		conn = tls.Client(conn, trust)
	}
	p := prober{r: bufio.NewReaderSize(conn, maxLine), w: conn}
	greeting, err := p.line()
	if err != nil {
		return err
	}
	if word, _, _ := strings.Cut(strings.TrimPrefix(greeting, "* "), " "); !strings.HasPrefix(greeting, "* ") || !strings.EqualFold(word, "OK") {
		return fmt.Errorf("%s does not greet as an IMAP server does", s.Host)
	}
	if s.Security == StartTLS {
		if _, err := p.command("STARTTLS"); err != nil {
			return err
		}
		if p.r.Buffered() > 0 {
			// Injected before the encryption began (CVE-2011-0411 and its kin).
			return errors.New("the server sent something between STARTTLS and TLS")
		}
		conn = tls.Client(conn, trust)
		p = prober{r: bufio.NewReaderSize(conn, maxLine), w: conn}
	}
	caps, err := p.command("CAPABILITY")
	if err != nil {
		return err
	}
	for _, c := range caps {
		if m, ok := strings.CutPrefix(c, "AUTH="); ok && !slices.Contains(s.Mechanisms, m) {
			s.Mechanisms = append(s.Mechanisms, m)
		}
	}
	s.LoginDisabled = slices.Contains(caps, "LOGINDISABLED")
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(conn, "z LOGOUT\r\n")
	return nil
}

// prober speaks the little IMAP that a look needs.
type prober struct {
	r *bufio.Reader
	w io.Writer
}

// line reads a line of at most maxLine.
func (p prober) line() (string, error) {
	line, err := p.r.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// command sends a command and returns the words of the CAPABILITY response that
// came before its OK, upper-case.
func (p prober) command(name string) ([]string, error) {
	if _, err := io.WriteString(p.w, "a "+name+"\r\n"); err != nil {
		return nil, err
	}
	var caps []string
	for range maxLines {
		line, err := p.line()
		if err != nil {
			return nil, err
		}
		upper := strings.ToUpper(line)
		if rest, ok := strings.CutPrefix(upper, "* CAPABILITY "); ok {
			caps = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(upper, "A "); ok {
			if rest == "OK" || strings.HasPrefix(rest, "OK ") {
				return caps, nil
			}
			return nil, fmt.Errorf("the server refuses %s", name)
		}
	}
	return nil, errors.New("the server says more than it was asked")
}
