package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"

	"tidings/internal/crash"
)

// File is the database's name in the state directory.
const File = "state.sqlite"

// Options say where a State is.
type Options struct {
	Dir string // the XDG state directory of the program
	// Say is told what a person should know, in a sentence, from any goroutine;
	// nil: nobody hears it.
	Say func(sentence string)
}

// State is the open file. Its methods may be called from any goroutine.
type State struct {
	o     Options
	work  chan work // never closed; one without do is the end
	ended chan struct{}

	// run's
	opened bool         // else there is no file yet
	conn   *sqlite.Conn // nil where the file cannot be used
	said   bool
}

// work is something for the State's goroutine.
type work struct {
	do    func(*sqlite.Conn)
	looks bool // it is of no use where there is no file yet
}

// Open returns at once; the file is opened by the State's goroutine, and where
// there is none it is begun with the first thing to be kept. Where that fails,
// everything works until the program ends, and Say is told so.
func Open(o Options) *State {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	s := &State{o: o, work: make(chan work, 64), ended: make(chan struct{})}
	crash.Go("state", s.run)
	return s
}

// Close ends the State when everything that was asked for before is on the disk,
// or patience is over. Nothing may be asked for after it.
func (s *State) Close(patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case s.work <- work{}:
	case <-timer.C:
		return
	}
	select {
	case <-s.ended:
	case <-timer.C:
	}
}

func (s *State) run() {
	defer close(s.ended)
	s.begin(false)
	for w := range s.work {
		if w.do == nil {
			break
		}
		s.begin(!w.looks)
		w.do(s.conn)
	}
	if s.conn != nil {
		s.conn.Close()
	}
}

// do has f called on the State's goroutine; its connection is nil where there is
// no file.
func (s *State) do(f func(*sqlite.Conn)) { s.give(work{do: f}) }

// look is do for what only reads: no file is begun for it.
func (s *State) look(f func(*sqlite.Conn)) { s.give(work{do: f, looks: true}) }

func (s *State) give(w work) {
	select {
	case s.work <- w:
	case <-s.ended:
	}
}

// begin opens the file; one that is not there only where something is to be kept:
// a first start does not wait for it.
func (s *State) begin(keeps bool) {
	if s.opened {
		return
	}
	if _, err := os.Lstat(filepath.Join(s.o.Dir, File)); !keeps && errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.opened = true
	s.open()
}

func (s *State) open() {
	path := filepath.Join(s.o.Dir, File)
	var err error
	s.conn, err = openFile(path)
	if err == nil || !damaged(err) {
		s.failed(err)
		return
	}
	name, err := setAside(path)
	if err == nil {
		s.o.Say(fmt.Sprintf("What waited to be sent, and what was told of new mail, stood in a damaged file, which is now %s.", name))
		s.conn, err = openFile(path)
	}
	s.failed(err)
}

// failed says once that nothing is kept.
func (s *State) failed(err error) {
	if err == nil || s.said {
		return
	}
	s.said = true
	s.o.Say(fmt.Sprintf("What waits to be sent, and what was told of new mail, is not kept beyond this run: %s (%s).", reason(err), filepath.Join(s.o.Dir, File)))
}

// reason says what is wrong in words for a person.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull:
		return "the disk is full"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen, sqlite.ResultAuth:
		return "the file cannot be written"
	case sqlite.ResultIOErr:
		return "the disk reports an error"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return "another process holds it"
	}
	return err.Error()
}
