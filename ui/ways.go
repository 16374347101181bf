package ui

import (
	"context"
	"io"
	"time"
)

// Ways are the ways out of the screen: files and programs. All methods may wait for
// the disk or a program, so Update never calls them; they end with ctx. Names and
// types are outside text, which the ways make safe. Errors are sentences that tell
// a person what happened.
type Ways interface {
	// Save writes a file called like name into dir ("": where the config says), and
	// returns its path. Nothing is overwritten, and where from fails, nothing is left.
	Save(ctx context.Context, dir, name string, from io.Reader) (path string, err error)
	// SaveMbox does that with messages, as an mbox.
	SaveMbox(ctx context.Context, dir, name string, letters []Letter) (path string, err error)
	// Open hands a file of that content to the program for its media type; it does
	// not wait for the program's window to be closed.
	Open(ctx context.Context, name, mediaType string, from io.Reader) error
	// OpenLink hands a link to the program for links.
	OpenLink(ctx context.Context, url string) error
	// Pipe gives data to a command line, which a shell reads, and returns what it
	// printed; with an error, its words as well.
	Pipe(ctx context.Context, line string, data []byte) (printed []byte, err error)
	// Foreground is Pipe for a command that takes the terminal: it is called while
	// that is lent.
	Foreground(ctx context.Context, line string, data []byte) error
}

// Letter is a message on its way out.
type Letter struct {
	Data   []byte
	From   io.Reader // instead of Data, where that is nil
	Sender string    // an address; "" for none
	Date   time.Time // when it was received
}
