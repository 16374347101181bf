// Package ui is Tidings' screen: the Bubble Tea program, and the only room that
// knows Bubble Tea. It draws what imapsession's Events say, and turns keys into
// imapsession Commands; it does no network and no disk I/O.
package ui

import (
	"io"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// Session is what ui needs of an *imapsession.Session. No method blocks.
type Session interface {
	Events() *imapsession.Box
	Do(imapsession.Command) imapsession.CommandID
	Cancel(imapsession.CommandID)
	SetVisible(imapsession.Visible)
	Retry(forced bool)
	LastSign() time.Time
}

// Account is one account on screen.
type Account struct {
	Name    safetext.Text
	Session Session
	// MarkSeen: how long a message must be open before it is marked read; 0 at
	// once; negative never.
	MarkSeen time.Duration
	ReadOnly bool
	// Archive and Trash name the folders (as a person writes them, or raw) that
	// a and d move to; "" : the ones with that role.
	Archive, Trash string
	Probe          time.Duration // silence after which a live link is being probed
	// Log returns the account's log for the L view (states, reasons, redacted
	// trace), oldest first. May be called from any goroutine.
	Log func() []safetext.Text
}

// NoticeKind is how new mail is announced.
type NoticeKind string

const (
	NoticeBell NoticeKind = "bell"
	NoticeOSC9 NoticeKind = "osc9"
	NoticeOff  NoticeKind = "off"
)

// Options configure Run.
type Options struct {
	Accounts []Account
	Notice   NoticeKind
	// EmojiText draws emoji as text width-safe replacements ("emoji = text").
	EmojiText bool
	Environ   []string  // the process's environment (TERM, TMUX, SSH_TTY, NO_COLOR ...)
	Input     io.Reader // nil: the terminal
	Output    io.Writer // nil: the terminal
	Demo      bool      // says so in the status bar
}
