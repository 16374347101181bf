package cli

import (
	"context"
	"sync"

	"tidings/imapsession"
	"tidings/internal/crash"
	"tidings/internal/safetext"
	"tidings/ui"
)

// folders opens folders of an account beside the mailbox that it watches, each
// with a session of its own. They share the account's connections and its cache.
type folders struct {
	cfg     imapsession.Config
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
}

// newFolders makes the folders of the account whose session cfg is for, and has
// that session share its connections with theirs.
func newFolders(cfg *imapsession.Config) *folders {
	most := cfg.Connections
	if most == 0 {
		most = 2
	}
	if cfg.Watch == imapsession.WatchVisit {
		most = 1
	}
	cfg.Budget = imapsession.NewBudget(most)
	f := &folders{cfg: *cfg}
	f.cfg.Guest, f.cfg.Connections, f.cfg.Told = true, 1, nil
	f.ctx, f.end = context.WithCancel(context.Background())
	return f
}

// begin has all folders end with ctx; what it returns waits for that.
func (f *folders) begin(ctx context.Context) (wait func()) {
	stop := context.AfterFunc(ctx, f.end)
	return func() {
		stop()
		f.end()
		f.running.Wait()
	}
}

// open opens a folder; its session runs until it is closed or the program ends.
func (f *folders) open(mailbox string) ui.Opened {
	cfg := f.cfg
	cfg.Mailbox = mailbox
	cfg.Log = cfg.Log.With("mailbox", safetext.Clean(mailbox).String())
	session := imapsession.New(cfg)
	ctx, end := context.WithCancel(f.ctx)
	f.running.Add(1)
	crash.Go("session of a folder of "+cfg.Account, func() {
		defer f.running.Done()
		defer end()
		_ = session.Run(ctx) // what went wrong was said in its events
	})
	o := ui.Opened{Session: session, Close: end}
	if c, ok := cfg.Cache.(ui.Cache); ok {
		o.Cache = c
	}
	return o
}
