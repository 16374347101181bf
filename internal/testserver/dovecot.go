package testserver

import (
	"bufio"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a private Dovecot with one account. It listens on loopback alone
// and ends with its test.
type Server struct {
	Addr    string // plain port, STARTTLS offered
	TLSAddr string // TLS from the first byte
	CAFile  string // the PEM of the CA that signed its certificate
	CAPool  *x509.CertPool
	// Authority is that CA, which signs client certificates, too.
	Authority *Authority
	User      string
	Password  string // another one in every run

	// Maildir is the account's INBOX on disk, for direct delivery (Deliver);
	// empty unless the format is maildir. Its folders are Maildir/.Name.
	Maildir string

	settings settings
	program  string
	host     string
	plain    int // ports, kept over a Restart
	secure   int
	dir      string
	owner    owner
	log      *logTail
	process  *exec.Cmd
	exited   chan struct{}
}

// owner is the user the mail belongs to.
type owner struct{ uid, gid int }

// Option changes how a Dovecot is set up.
type Option func(*settings)

type settings struct {
	format      string
	extra       string
	without     []string
	noPlaintext bool
	connections int
	mechanisms  string
	oauth2      *Introspection
	hashed      bool
	clientCerts bool
}

// MailFormat chooses how mail is stored: "maildir" (the default), "sdbox" or
// "mdbox".
func MailFormat(format string) Option { return func(s *settings) { s.format = format } }

// ExtraConfig is put at the end of dovecot.conf.
func ExtraConfig(conf string) Option { return func(s *settings) { s.extra += conf + "\n" } }

// WithoutCapability keeps capabilities ("MOVE", "UIDPLUS", "IDLE", "ESEARCH")
// out of what the server announces. Dovecot would still obey the commands; a
// client that goes by CAPABILITY does not send them.
func WithoutCapability(names ...string) Option {
	return func(s *settings) { s.without = append(s.without, names...) }
}

// NoPlaintextLogin makes the plain port announce LOGINDISABLED until STARTTLS.
func NoPlaintextLogin() Option { return func(s *settings) { s.noPlaintext = true } }

// MaxConnections limits the connections of the account; the default is 100.
func MaxConnections(n int) Option { return func(s *settings) { s.connections = n } }

// Mechanisms are the SASL mechanisms that the server offers, "plain login" by
// default; OAuth2 adds its own.
func Mechanisms(names ...string) Option {
	return func(s *settings) { s.mechanisms = strings.Join(names, " ") }
}

// HashedPassword has the server know only a hash of the password, from which it
// can do no SCRAM, whatever it offers.
func HashedPassword() Option { return func(s *settings) { s.hashed = true } }

// ClientCertificates makes the server ask for a client certificate of its own
// authority (Server.Authority), and offer EXTERNAL with it.
func ClientCertificates() Option { return func(s *settings) { s.clientCerts = true } }

// Introspection is an authorization server that says whose a token is
// (RFC 7662), as a resource server asks it.
type Introspection struct {
	// URL takes a POST of the token; user and password, where it wants them, are
	// part of it: http://id:secret@127.0.0.1:1/introspect.
	URL string
	// UsernameField is the attribute of the answer that names the user; "" is
	// "username".
	UsernameField string
	Scope         string // what a token has to be for; "" is anything
}

// OAuth2 makes the server take tokens by XOAUTH2 and OAUTHBEARER, each of which
// it shows to the authorization server.
func OAuth2(i Introspection) Option { return func(s *settings) { s.oauth2 = &i } }

// Dovecot starts a private Dovecot, as root or as an ordinary user, and stops it
// when the test ends. If the test failed, the server's log is part of the
// test's.
func Dovecot(t testing.TB, opts ...Option) *Server {
	t.Helper()
	program := need(t, "dovecot", "/usr/sbin/dovecot", "/usr/local/sbin/dovecot")
	s := &Server{
		program:  program,
		log:      &logTail{},
		User:     "alice",
		Password: rand.Text(),
		settings: settings{format: "maildir", connections: 100},
	}
	for _, opt := range opts {
		opt(&s.settings)
	}
	if err := s.prepare(t); err != nil {
		t.Fatalf("prepare Dovecot: %v", err)
	}
	// A free port found may be taken by the time Dovecot binds it.
	for attempt := 1; ; attempt++ {
		err := s.choosePorts()
		if err == nil {
			err = s.start()
		}
		if err == nil {
			break
		}
		if attempt < 5 && strings.Contains(s.log.String(), "in use") {
			continue
		}
		t.Fatalf("start Dovecot: %v\n%s", err, s.log)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("Dovecot's log:\n%s", s.log)
		}
	})
	return s
}

// prepare makes the directories, the certificate and the owner. The directory's
// path is kept short: a Unix socket's has room for 107 bytes.
func (s *Server) prepare(t testing.TB) error {
	dir, err := os.MkdirTemp("", "td")
	if err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove Dovecot's directory: %v", err)
		}
	})
	// The mail's owner has to pass through it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	s.dir = dir
	if s.owner, err = mailOwner(); err != nil {
		return err
	}
	for _, name := range []string{"run", "state", "home"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	home := filepath.Join(dir, "home", s.User)
	if err := s.mkdir(home); err != nil {
		return err
	}
	if s.settings.format == "maildir" {
		s.Maildir = filepath.Join(home, "mail")
		if err := s.makeMaildir(s.Maildir); err != nil {
			return err
		}
	}
	ca, err := NewAuthority()
	if err != nil {
		return err
	}
	cert, key, err := ca.Issue(24*time.Hour, "localhost", "127.0.0.1", "127.0.0.2")
	if err != nil {
		return err
	}
	s.CAPool, s.Authority = ca.Pool(), ca
	s.CAFile = filepath.Join(dir, "ca.pem")
	return errors.Join(
		os.WriteFile(s.CAFile, ca.PEM(), 0o644),
		os.WriteFile(filepath.Join(dir, "cert.pem"), cert, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600),
	)
}

// mailOwner is the user that runs the test, unless that is root: Dovecot does
// not let root own mail.
func mailOwner() (owner, error) {
	if os.Getuid() != 0 {
		return owner{os.Getuid(), os.Getgid()}, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return owner{}, fmt.Errorf("find an owner for the mail: %w", err)
	}
	uid, uidErr := strconv.Atoi(nobody.Uid)
	gid, gidErr := strconv.Atoi(nobody.Gid)
	return owner{uid, gid}, errors.Join(uidErr, gidErr)
}

func (s *Server) mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return s.own(path)
}

func (s *Server) own(path string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return os.Chown(path, s.owner.uid, s.owner.gid)
}

// keeper runs a program and ends it when its own standard input ends: a test
// that is killed leaves no server behind.
const keeper = `"$@" </dev/null & child=$!; exec 2>/dev/null; read -r _; kill -TERM "$child"; wait "$child"`

// choosePorts finds two that are free now.
func (s *Server) choosePorts() error {
	s.host = "127.0.0.1"
	if s.settings.noPlaintext {
		// Dovecot takes a peer with the server's own address for trusted.
		s.host = "127.0.0.2"
	}
	ports, err := freePorts(s.host, 2)
	if err != nil {
		return err
	}
	s.plain, s.secure = ports[0], ports[1]
	s.Addr = net.JoinHostPort(s.host, strconv.Itoa(s.plain))
	s.TLSAddr = net.JoinHostPort(s.host, strconv.Itoa(s.secure))
	return nil
}

// start runs Dovecot in the foreground and returns when it listens.
func (s *Server) start() error {
	conf := filepath.Join(s.dir, "dovecot.conf")
	if err := os.WriteFile(conf, s.config(), 0o600); err != nil {
		return err
	}
	if i := s.settings.oauth2; i != nil {
		if err := os.WriteFile(filepath.Join(s.dir, "oauth2.conf"), i.config(), 0o644); err != nil {
			return err
		}
	}
	s.exited = make(chan struct{})
	s.process = exec.Command("sh", "-c", keeper, "sh", s.program, "-F", "-c", conf)
	// A process group of its own, so that nothing it started can stay behind.
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		return err
	}
	alive, err := s.process.StdinPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	up := make(chan struct{})
	go func() {
		defer close(s.exited)
		announced := false
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			s.log.add(lines.Text())
			if !announced && strings.Contains(lines.Text(), "starting up") {
				announced = true
				close(up)
			}
		}
		_ = alive.Close()
		// The status says nothing that the log does not.
		_ = s.process.Wait()
	}()
	select {
	case <-up:
		if err := s.greeted(); err != nil {
			s.Stop()
			return err
		}
		return nil
	case <-s.exited:
		return errors.New("it ended at once")
	case <-time.After(20 * time.Second):
		s.Stop()
		return errors.New("it did not come up in 20 s")
	}
}

// greeted waits for the first greeting: the sockets listen already, the login
// process behind them may still be starting.
func (s *Server) greeted() error {
	conn, err := net.DialTimeout("tcp", s.Addr, 10*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("read the greeting: %w", err)
	}
	if !strings.HasPrefix(line, "* OK") {
		return fmt.Errorf("the greeting was %q", line)
	}
	return nil
}

// Stop ends the server before its test does; connections are cut. It may be
// called more than once.
func (s *Server) Stop() {
	select {
	case <-s.exited:
		return
	default:
	}
	group := -s.process.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(group, syscall.SIGKILL)
		<-s.exited
	}
	// A process that was just being started did not hear of it, and would keep the
	// ports.
	_ = syscall.Kill(group, syscall.SIGKILL)
}

// Restart starts a server that was stopped again, with its mail, on its ports.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop()
	if err := s.start(); err != nil {
		t.Fatalf("start Dovecot again: %v\n%s", err, s.log)
	}
}

// Log is what Dovecot has logged so far.
func (s *Server) Log() string { return s.log.String() }

// freePorts finds n different ports that are free now. They are below those that
// systems give to whoever asks for any, and so are still there after a Restart.
func freePorts(host string, n int) ([]int, error) {
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		port := 12_000 + mathrand.IntN(20_000)
		listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			defer listener.Close() // not before all are found
			ports = append(ports, port)
		} else if tries > 100 {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
	}
	return ports, nil
}

// logTail keeps what a server logged; any goroutine may use it.
type logTail struct {
	mu    sync.Mutex
	lines []string
}

func (l *logTail) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
