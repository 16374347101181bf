// Package config reads Tidings' config: TOML into typed, validated settings.
//
// Load reports every problem that it finds, each with file, line, key, what is
// wrong and what is expected. Nothing in the file is guessed at: an unknown key
// is a problem, and so is a number where a duration is expected. A config never
// holds a secret; it says where the secret comes from (package credential).
package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tidings/internal/xdg"
)

// FileName is the config's name in the XDG config directory.
const FileName = "config.toml"

// maxSize bounds the file: more than any person has written, less than hurts.
const maxSize = 1 << 20

// Config is the whole config.
type Config struct {
	Named    string // the file as the person named it; "": the default one
	UI       UI
	Secrets  Secrets
	Cache    Cache
	Accounts []Account // at least one, names unique
}

// UI is the [ui] table.
type UI struct {
	Notice Notice
	Emoji  Emoji
	// SaveDir is where attachments and exported messages go; "": the Downloads
	// folder, or else the home directory.
	SaveDir string
	// Open, with a file's name behind it, opens attachments and messages, but for
	// the media types that OpenWith ("image/png", "image/*") has a program for;
	// OpenLink, with a URL behind it, opens links. Empty: the system's way.
	Open     []string
	OpenWith map[string][]string
	OpenLink []string
	// Keywords are the flags that have a label on screen.
	Keywords []Keyword
}

// Notice is how new mail is announced.
type Notice string

// The values of notice.
const (
	NoticeBell Notice = "bell"
	NoticeOSC9 Notice = "osc9"
	NoticeOff  Notice = "off"
)

// Emoji is how emoji are drawn: as they are, or as text for terminals that
// disagree with tmux about their width.
type Emoji string

// The values of emoji.
const (
	EmojiAuto Emoji = "auto"
	EmojiText Emoji = "text"
)

// TLS is how an account's connection is protected.
type TLS string

// The values of tls.
const (
	TLSImplicit TLS = "implicit"
	TLSStart    TLS = "starttls"
	TLSNone     TLS = "none"
)

// Watch is how new mail is noticed.
type Watch string

// The values of watch.
const (
	WatchIdle  Watch = "idle"
	WatchPoll  Watch = "poll"
	WatchVisit Watch = "visit"
)

// MarkSeen is how long a message is open before it is marked read: zero at
// once, negative never.
type MarkSeen time.Duration

// The named values of mark_seen.
const (
	MarkSeenOpen  MarkSeen = 0
	MarkSeenNever MarkSeen = -1
)

// Account is one [[account]].
type Account struct {
	Name string
	Host string
	Port int // 1 to 65535
	TLS  TLS
	// Insecure asks in words for a plaintext connection to a host that is not
	// loopback.
	Insecure       bool
	CAFile         string // absolute; "" for the system's authorities only
	TLSFingerprint string // "sha256:" and 64 lower-case hex digits, or ""
	User           string

	// TLSCertificate and TLSKey are the certificate that we show, absolute; the
	// key is in the same file where TLSKey is "".
	TLSCertificate string
	TLSKey         string
	Auth           Auth

	// At most one of these is set; none: [secrets] says where the password is,
	// unless OAuth2 is set.
	PasswordCommand []string
	PasswordEnv     string
	PasswordFile    string // absolute

	OAuth2 *OAuth2 // nil: none

	Mailbox     string // as the person writes it, in UTF-8
	Watch       Watch
	Poll        time.Duration
	Probe       time.Duration
	IdleRenew   time.Duration // DefaultIdleRenew is lowered where Gmail is seen
	MaxAge      time.Duration
	Connections int
	MarkSeen    MarkSeen
	ReadOnly    bool

	// Names of folders, where the server does not tell their roles; "": found.
	Archive string
	Trash   string
	Junk    string
}

// DefaultIdleRenew is idle_renew where the config does not say it.
const DefaultIdleRenew = 9 * time.Minute

// defaultUI and defaultAccount are what holds where the config is silent. The
// port follows from tls.
func defaultUI() UI {
	return UI{Notice: NoticeBell, Emoji: EmojiAuto, Keywords: DefaultKeywords()}
}

func defaultAccount() Account {
	return Account{
		TLS:         TLSImplicit,
		Auth:        AuthAuto,
		Mailbox:     "INBOX",
		Watch:       WatchIdle,
		Poll:        time.Minute,
		Probe:       time.Minute,
		IdleRenew:   DefaultIdleRenew,
		MaxAge:      24 * time.Hour,
		Connections: 2,
		MarkSeen:    MarkSeenOpen,
	}
}

// DefaultPath is where the config is looked for.
func DefaultPath() (string, error) {
	dir, err := xdg.ConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, FileName), nil
}

// Load reads the config at path. A missing file is fs.ErrNotExist; what is
// wrong inside the file is a *Error with every problem found. ca_file is read
// to see whether it can be used; a password's file, variable or command is
// left alone until the password is needed.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the config cannot be read: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("the config cannot be read: %w", err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("%s is larger than 1 MiB, which no config is; name another file with --config", path)
	}
	return parse(path, data)
}

// Parse reads data as the config at path, which need not exist. What is wrong in
// it is a *Error.
func Parse(path string, data []byte) (*Config, error) { return parse(path, data) }

// parse reads data as the content of the file path.
func parse(path string, data []byte) (*Config, error) {
	doc, err := readDocument(data)
	if err != nil {
		return nil, &Error{Path: path, Problems: []Problem{problemOf(err)}}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	l := loader{doc: doc, dir: filepath.Dir(abs)}
	cfg := l.config()
	if len(l.problems) > 0 {
		sortProblems(l.problems)
		return nil, &Error{Path: path, Problems: l.problems}
	}
	return cfg, nil
}

// IsProblem reports whether err is about what the config says, rather than
// about reading it.
func IsProblem(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
