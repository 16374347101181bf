// Package ui is Tidings' screen: the Bubble Tea program, and the only room that
// knows Bubble Tea. It draws what imapsession's Events say, and turns keys into
// imapsession Commands; it does no network and no disk I/O.
//
// One pump per account carries events from the session's Box to the loop, in
// order: the first at once, then one batch per 16 ms. Model.Update applies a
// batch to the account's own List, keeps the selection on its message, and
// tells the session which rows are on screen. Model.View draws those rows and
// nothing else. What a person asks for is drawn in the next frame as an overlay
// and sent as a Command aimed at a UID; the overlay ends with the Result.
//
// A frame is made by a pen, which takes outside text as safetext.Text only and
// counts cells by the renderer's own method. One timer runs: it fires when a
// figure of the status bar goes out of date.
//
// Everything that touches the terminal is in terminal.go.
package ui

import (
	"context"
	"io"
	"time"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

// Session is what ui needs of an *imapsession.Session. No method blocks.
type Session interface {
	Events() *imapsession.Box
	Do(imapsession.Command) imapsession.CommandID
	Cancel(imapsession.CommandID)
	Again(imapsession.CommandID)
	SetVisible(imapsession.Visible)
	Retry(forced bool)
	LastSign() time.Time
}

// Cache is what ui needs of the account's cache on disk. All methods may wait for
// the disk, so Update never calls them: commands do, and what they return is
// dropped if the mailbox is another by then. They may be called from any
// goroutine, several at once.
type Cache interface {
	// Summaries returns those of uids that are kept, in no particular order.
	Summaries(ctx context.Context, at store.Place, uids []store.UID) ([]*store.Summary, error)
	// Body returns a complete message that is kept, nil if it is not.
	Body(ctx context.Context, at store.Place, uid store.UID) ([]byte, error)
	// KeepSelected remembers on which message the person is. It does not block.
	KeepSelected(at store.Place, uid store.UID)
	// Near returns the first message that arrived on a day or later, by
	// INTERNALDATE's date as the server printed it; 0 if there is none. sure tells
	// that no message which is not kept could come before it.
	Near(ctx context.Context, at store.Place, day time.Time) (uid store.UID, sure bool, err error)
}

// Marks keeps up to where the person was told of new mail, for one account and
// mailbox, beyond the program's end. Its methods may be called from any
// goroutine and never wait.
type Marks interface {
	// Turn is closed when it is this process that tells the person: of several
	// that watch the mailbox, one does.
	Turn() <-chan struct{}
	// Mark returns the highest UID that the person was told of, and when that was
	// last known to be all there is; ok is false where nothing is known of a
	// place.
	Mark(at store.Place) (uid store.UID, when time.Time, ok bool)
	// Tell records that the person was told of all mail up to uid, and calls
	// recorded, on any goroutine, when that is done or cannot be. It is called when
	// the telling stands on the screen, and not again before recorded is.
	Tell(at store.Place, uid store.UID, recorded func())
}

// Account is one account on screen.
type Account struct {
	// Cache is nil where there is none.
	Cache Cache
	// Marks is nil where nobody keeps what was told.
	Marks   Marks
	Name    safetext.Text
	Session Session
	// MarkSeen: how long a message must be open before it is marked read; 0 at
	// once; negative never.
	MarkSeen time.Duration
	ReadOnly bool
	// Archive, Trash and Junk name the folders (as a person writes them, or raw)
	// that a, d and J move to; "" : the ones with that role.
	Archive, Trash, Junk string
	Probe                time.Duration // silence after which a live link is being probed
	// SignIn has the person sign in again, in the terminal, which is lent to it;
	// nil: there is nothing to sign in to. It ends with ctx.
	SignIn func(ctx context.Context) error
	// Open opens another folder (raw name) beside the mailbox that Session
	// watches; nothing waits for the network. nil: that is not to be had. It is
	// called again only after Close of the one before.
	Open func(mailbox string) Opened
	// Poll is how often the mailbox is looked at while another folder has the
	// account's one connection.
	Poll time.Duration
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
	// Keywords are those that have a label on screen.
	Keywords []Keyword
	// Ways are the ways out to files and programs; nil: there are none.
	Ways Ways
	// EmojiText draws emoji as text width-safe replacements ("emoji = text").
	EmojiText bool
	Environ   []string  // the process's environment (TERM, TMUX, SSH_TTY, NO_COLOR ...)
	Input     io.Reader // nil: the terminal
	Output    io.Writer // nil: the terminal
	Demo      bool      // says so in the status bar
}
