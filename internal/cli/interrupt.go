package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"tidings/internal/crash"
)

// interrupts decides what ctrl+c ends: the program, or what has the terminal for
// a while in its stead. The nil one leaves all to the program's context.
type interrupts struct {
	mu      sync.Mutex
	instead func()
}

// until has f called by SIGINT, instead of the program being ended, until back
// is called.
func (i *interrupts) until(f func()) (back func()) {
	if i == nil {
		return func() {}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.instead = f
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.instead = nil
	}
}

// came is one SIGINT.
func (i *interrupts) came(end func()) {
	i.mu.Lock()
	f := i.instead
	i.mu.Unlock()
	if f == nil {
		f = end
	}
	f()
}

// context is the program's: SIGTERM and SIGHUP end it, and SIGINT where nothing
// else has taken that.
func (i *interrupts) context() (ctx context.Context, stop func()) {
	ctx, stopSignals := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	ctx, end := context.WithCancel(ctx)
	pressed := make(chan os.Signal, 1)
	signal.Notify(pressed, os.Interrupt)
	crash.Go("interrupts", func() {
		for range pressed {
			i.came(end)
		}
	})
	return ctx, func() {
		signal.Stop(pressed)
		close(pressed)
		end()
		stopSignals()
	}
}
