// Package crash starts every goroutine of Tidings. A panic in any of them
// restores the terminal, leaves a report without mail content under the XDG
// state directory, and ends the program with ExitStatus and one sentence on
// stderr that names the report.
//
// A panic's value may well quote a message (a parser's complaint about its
// input), and so may a function's arguments. The report therefore has the
// value's type only, unless the Go runtime itself made it ("index out of
// range [5] with length 3"), and a stack of function names and lines without
// arguments.
//
// Fatal errors of the runtime (concurrent map writes, a stack overflow, out of
// memory) cannot be caught by any program; they end it with Go's own output.
package crash

import (
	"os"
	"runtime"
	"sync"
	"time"
)

// ExitStatus is the program's exit status after a panic: EX_SOFTWARE of
// sysexits.h, so that it is told from 1 (it could not be done) and 2 (usage).
const ExitStatus = 70

// Go runs f in a new goroutine named name. A panic in f is handled like Handle.
func Go(name string, f func()) {
	go func() {
		defer Handle(name)
		f()
	}()
}

// Handle is deferred at the top of a goroutine that Go did not start (main's).
// If the goroutine panics it does not return.
func Handle(name string) {
	v := recover()
	if v == nil {
		return
	}
	die(caught{goroutine: name, when: time.Now(), value: v, stack: callers()})
}

var (
	mu       sync.Mutex
	caughts  []caught // of all goroutines that panicked so far
	restores = map[int]func(){}
	nextID   int
	version  = "unknown"

	ending sync.Once
)

// OnPanic registers restore, which puts the terminal back into the state in
// which the shell can use it; it is called once, on another goroutine than the
// one that owns the terminal, before anything is printed. A restore that takes
// more than half a second is left behind (the terminal may have stopped
// reading). The function that OnPanic returns takes the registration back.
func OnPanic(restore func()) (remove func()) {
	mu.Lock()
	defer mu.Unlock()
	id := nextID
	nextID++
	restores[id] = restore
	return func() {
		mu.Lock()
		defer mu.Unlock()
		delete(restores, id)
	}
}

// SetVersion says which version of Tidings the reports are of.
func SetVersion(v string) {
	mu.Lock()
	defer mu.Unlock()
	version = v
}

// callers returns the program counters of the goroutine, without this package.
func callers() []uintptr {
	pcs := make([]uintptr, 256)
	return pcs[:runtime.Callers(3, pcs)]
}

// die ends the program. Of several goroutines that panic at once the first one
// does the work and the report tells of all that had panicked by then; the
// others wait here for the end.
func die(c caught) {
	mu.Lock()
	caughts = append(caughts, c)
	mu.Unlock()
	ending.Do(func() {
		restoreTerminal()
		mu.Lock() // and never unlocked: the program ends here
		path, err := writeReport(report{version: version, caughts: caughts})
		os.Stderr.WriteString(farewell(path, err))
		os.Exit(ExitStatus)
	})
}

// restoreTerminal calls what OnPanic registered, surviving its panics and its
// blocking.
func restoreTerminal() {
	mu.Lock()
	var fs []func()
	for _, f := range restores {
		fs = append(fs, f)
	}
	mu.Unlock()
	done := make(chan struct{})
	go func() { // not by Go: a panic in here must not come back to die
		defer close(done)
		for _, f := range fs {
			func() {
				defer func() { _ = recover() }()
				f()
			}()
		}
	}()
	select {
	case <-done:
	case <-time.After(500 * time.Millisecond):
	}
}
