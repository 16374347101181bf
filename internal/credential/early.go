package credential

import (
	"context"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/safetext"
)

// begun is a password command that runs while the screen starts.
type begun struct {
	done   chan struct{}
	secret string // these two only once done is closed
	err    error
}

// Begin runs the password command without the terminal, beside what the caller
// does; the next Secret waits for what comes of it. It returns at once; ready is
// then asked whether the terminal is to be kept for Prepare, which is so where
// there is no command, and where it fails within the time: a command that has to
// ask on the terminal notices quickly that there is none.
func (s *Source) Begin(ctx context.Context) (ready func(within <-chan struct{}) bool) {
	if s.tokens != nil || len(s.settings.Command) == 0 || s.settings.Mechanism == "EXTERNAL" {
		return func(<-chan struct{}) bool { return false }
	}
	e := &begun{done: make(chan struct{})}
	crash.Go("password command of "+s.settings.Account, func() {
		defer close(e.done)
		e.secret, e.err = s.get(ctx, false)
	})
	s.mu.Lock()
	s.early = e
	s.mu.Unlock()
	return func(within <-chan struct{}) bool {
		select {
		case <-e.done:
		case <-within:
			return true
		}
		if e.err == nil {
			return true
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.early = nil
		return false
	}
}

// arrived waits for the command that Begin has started, and takes what it gave. If
// it failed, the person can have it asked on the terminal.
func (s *Source) arrived(ctx context.Context) error {
	s.mu.Lock()
	e := s.early
	s.mu.Unlock()
	if e == nil {
		return nil
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.early == e {
		s.early = nil
		if e.err == nil {
			s.last, s.have, s.fresh = e.secret, true, true
		}
	}
	if e.err != nil {
		text := safetext.Clean("the password could not be had: " + e.err.Error() + "; press R to have it asked for on the terminal")
		return &imapsession.SecretError{Text: text.String(), Err: e.err, SignIn: true}
	}
	return nil
}
