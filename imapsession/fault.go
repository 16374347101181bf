package imapsession

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// fault is why a connection ended or was not made: a sentence for the person,
// and what it means for the next attempt.
type fault struct {
	text string // a sentence, safe to show
	err  error  // the cause
	// fatal: nothing more is tried until the person or the config changes
	// something.
	fatal bool
	// doubtful: a refusal that may be for good; tried again a few times if the
	// account has worked before.
	doubtful bool
	// planned: not a failure at all (max_age, a token whose time is over).
	planned bool
	// signIn: only signing in again helps.
	signIn bool
	// noMailbox: the server says that the mailbox is not there.
	noMailbox bool
	after     time.Duration // how long the server wants to be left alone
	parser    bool          // imapclient's decoder gave up on what the server sent
	closed    bool          // the server closed the link, with a BYE or without
	wasLive   bool          // the link had been live
	unmade    bool          // a worker connection that never came to be,
	refused   bool          // because the server would not have it
	filling   bool          // it broke while the cache was being filled
}

// How the sentence of a fatal fault ends: what helps besides mending the cause.
// The config is read once, when the program starts; a password that comes from a
// command or a file is asked for with every log-in.
const (
	// Restart and what follows it in such a sentence is about a program that
	// runs.
	Restart      = " and start Tidings again"
	restartOrR   = Restart + ", or press r if the password comes from a command or a file, R if you type it"
	againOnceSet = "; press r once the server has a good one"
)

// ifNever ends the reasons that a server has whose port waits for something else.
const ifNever = "; if that stays so, check host, port and tls in the config (993 is implicit, 143 is starttls)"

func (f *fault) Error() string { return f.text }
func (f *fault) Unwrap() error { return f.err }

// asFault makes a fault of any error.
func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return &fault{text: lostText(err), err: err}
}

// refused tells whether err is a tagged NO or BAD: the server's word on one
// command, on a link that still works.
func refused(err error) bool {
	var no *imap.Error
	return errors.As(err, &no)
}

// words are the server's words of a refusal, quoted.
func words(err error) string {
	var no *imap.Error
	if !errors.As(err, &no) {
		return say(err.Error()).String()
	}
	text := say(no.Text).String()
	switch {
	case text == "" && no.Code == "":
		return string(no.Type) + " without a word"
	case text == "":
		return fmt.Sprintf("%s [%s]", no.Type, say(string(no.Code)))
	case no.Code != "":
		return fmt.Sprintf("%q [%s]", text, say(string(no.Code)))
	}
	return strconv.Quote(text)
}

// lostText says how a link was lost.
func lostText(err error) string {
	var dns *net.DNSError
	var record tls.RecordHeaderError
	switch {
	case err == nil:
		return "the connection ended"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host named %s: check host in the config", say(dns.Name))
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s could not be looked up: is there a network?", say(dns.Name))
	case errors.As(err, &record):
		return "the server does not speak TLS on this port: check port and tls in the config (993 is implicit, 143 is starttls)"
	case isAlert(err):
		return alertText(err)
	case errors.Is(err, wire.ErrGreeting):
		return say(err.Error()).String() + "; check host, port and tls in the config"
	case errors.Is(err, wire.ErrLimit):
		return "the link was dropped: " + say(err.Error()).String()
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there (connection refused): check host and port in the config"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the server cannot be reached: is there a network?"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the link to the server was reset"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "the server has stopped answering"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return "the server closed the link"
	}
	return say("the link broke: " + err.Error()).String()
}

// isAlert tells that the server ended TLS by saying why. crypto/tls has no type for
// that; it is a net.Error.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// alertText says what isAlert has found. With TLS 1.3 the server's verdict on our
// certificate comes behind the handshake.
func alertText(err error) string {
	var op *net.OpError
	errors.As(err, &op)
	words := op.Err.Error()
	text := fmt.Sprintf("the server refused TLS: it said %q", say(strings.TrimPrefix(words, "tls: ")).String())
	switch {
	case strings.Contains(words, "protocol version"):
		text += "; it knows nothing newer than TLS 1.1, which protects no more: its operator has to renew it"
	case strings.Contains(words, "certificate"):
		text += "; it wants a certificate of yours that it knows: see tls_certificate in the config"
	}
	return text
}

// certificateFault tells whether a failed handshake is the certificate's fault,
// which no waiting mends.
func certificateFault(host string, err error) (*fault, bool) {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	text := ""
	switch {
	case errors.As(err, &verify) && err != error(verify):
		// The config's own verdict, in its own words, which are bounded: say would
		// cut the fingerprint at their end.
		text = safetext.Clean(err.Error()).String()
	case errors.As(err, &name):
		text = fmt.Sprintf("the server's certificate is not for %s (%s)", say(host), say(name.Error()))
	case errors.As(err, &unknown):
		text = "the server's certificate is signed by nobody whom this machine trusts: set ca_file or tls_fingerprint in the config if that is right" + Restart
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		text = fmt.Sprintf("the server's certificate has expired or is not valid yet (%s): is this machine's clock right?", say(invalid.Error()))
	case errors.As(err, &verify), errors.As(err, &invalid):
		text = "the server's certificate cannot be trusted: " + say(err.Error()).String()
	default:
		return nil, false
	}
	return &fault{text: text + againOnceSet, err: err, fatal: true}, true
}

// backoffWords find a wait that a server asks for in its text.
var backoffWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)back-?off\s+time:?\s*(\d{1,12})\s*(milliseconds|ms|seconds|s)?`)
})

// statedBackoff reads a wait from a server's words, or returns 0.
func statedBackoff(text string) time.Duration {
	m := backoffWords().FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0
	}
	unit := time.Millisecond
	if strings.HasPrefix(strings.ToLower(m[2]), "s") {
		unit = time.Second
	}
	if n > int64(maxStated/unit) {
		return maxStated
	}
	return time.Duration(n) * unit
}

// inConfig is what to do where the config names a mailbox that is not there.
const inConfig = "; correct mailbox in the config" + Restart

// selectFault classifies a refused SELECT.
func selectFault(err error, name string, proven bool) *fault {
	var no *imap.Error
	if !errors.As(err, &no) {
		return asFault(err)
	}
	f := &fault{err: err, after: statedBackoff(no.Text)}
	if a, ok := adviceFor(no.Text); ok {
		f.text = fmt.Sprintf("the server refused to open %s: it said %s: %s", title(name), words(err), a.says)
		if f.fatal = !a.passes && !proven; f.fatal {
			f.text += againR
		}
		return f
	}
	switch no.Code {
	case imap.ResponseCodeNonExistent:
		f.fatal, f.noMailbox = true, true
		f.text = fmt.Sprintf("there is no mailbox named %s: the server said %s", title(name), words(err)) + inConfig
	case imap.ResponseCodeUnavailable, imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeServerBug, imap.ResponseCodeContactAdmin:
		f.text = fmt.Sprintf("the server cannot open %s at present: it said %s", title(name), words(err))
	default:
		f.text = fmt.Sprintf("the server refused to open %s: it said %s", title(name), words(err))
		switch {
		case f.after > 0:
		case proven:
			f.doubtful = true
		default:
			f.fatal = true
			f.text += "; check mailbox in the config" + Restart
		}
	}
	return f
}
