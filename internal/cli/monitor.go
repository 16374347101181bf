package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/crash"
	"tidings/internal/credential"
	"tidings/internal/safetext"
	"tidings/store/cache"
	"tidings/store/state"
	"tidings/ui"
)

// goodbye is how long the end of the program waits for the sessions' LOGOUT.
const goodbye = 100 * time.Millisecond

// promptly is how long the screen waits for password commands that do not need the
// terminal; one that does has said so by then, by failing without.
const promptly = 150 * time.Millisecond

// monitorOptions are the flags of `tidings`.
type monitorOptions struct {
	config   string
	accounts []string
	readOnly bool
	log      string
	noCache  bool
}

// watched is one account with its session.
type watched struct {
	account ui.Account
	session *imapsession.Session
	cache   *cache.Cache
	marks   *state.Marks // nil where nobody keeps what was told
	folders *folders
	outbox  *state.Outbox // nil where what waits does not outlive the program
}

// monitor is `tidings`: every account of the config, live on screen.
func (p Program) monitor(ctx context.Context, o monitorOptions) error {
	cfg, err := p.load(o.config, o.accounts)
	if err != nil {
		return err
	}
	if err := p.needTerminal(); err != nil {
		return err
	}
	var file slog.Handler
	if o.log != "" {
		log, err := openLogFile(o.log)
		if err != nil {
			return err
		}
		defer log.close()
		file = log.handler()
	}
	k, err := newKeys(cfg, nil)
	if err != nil {
		return err
	}
	kept, said, err := openState()
	if err != nil {
		return err
	}
	var accounts []watched
	defer func() { closeState(kept, accounts) }()
	var failed []error
	k.vault.OwnsTerminal(true)
	begun, leave := context.WithCancel(ctx)
	defer leave()
	logs := make([]*accountLog, len(cfg.Accounts))
	sources := make([]*credential.Source, len(cfg.Accounts))
	ready := make([]func(<-chan struct{}) bool, len(cfg.Accounts))
	for i, a := range cfg.Accounts {
		logs[i] = newAccountLog()
		sources[i] = k.source(a, logs[i].logger(file))
		ready[i] = sources[i].Begin(begun)
	}
	waited, enough := context.WithTimeout(ctx, promptly)
	defer enough()
	for i, a := range cfg.Accounts {
		a.ReadOnly = a.ReadOnly || o.readOnly
		log, source := logs[i], sources[i]
		if !ready[i](waited.Done()) {
			if err := source.Prepare(ctx); err != nil {
				failed = append(failed, fmt.Errorf("account %q: %w", a.Name, err))
			}
		}
		if ctx.Err() != nil {
			return errors.New("interrupted before the screen started")
		}
		w, err := watch(a, source, log, file, keeping{Cache: cfg.Cache, memory: o.noCache, state: kept})
		if err != nil {
			closeCaches(accounts)
			return err
		}
		p.maySignIn(&w, a, k, source)
		accounts = append(accounts, w)
	}
	k.vault.OwnsTerminal(false)
	if len(accounts) > 0 {
		said.tellTo(accounts[0].session, logs[0].logger(file))
	}
	// One account whose password cannot be got shows so on screen, beside the
	// others. If there are no others, there is nothing to show, but what is kept of
	// an account that can be signed in to beside it.
	if len(failed) == len(cfg.Accounts) && !(!o.noCache && worthShowing(ctx, cfg.Accounts, accounts)) {
		closeCaches(accounts)
		return errors.Join(failed...)
	}
	out := p.newWays(cfg.UI)
	defer out.close()
	return p.show(ctx, accounts, ui.Options{
		Ways:      out,
		Notice:    ui.NoticeKind(cfg.UI.Notice),
		EmojiText: cfg.UI.Emoji == config.EmojiText,
		Keywords:  labels(cfg.UI.Keywords),
	})
}

// worthShowing tells whether there is mail on disk of an account that the person can
// sign in to from the screen.
func worthShowing(ctx context.Context, configs []config.Account, accounts []watched) bool {
	for i, w := range accounts {
		if w.account.SignIn == nil {
			continue
		}
		path, err := cachePath(configs[i])
		if err != nil {
			continue
		}
		kept, err := cache.Look(ctx, path)
		if err != nil {
			continue
		}
		for _, m := range kept.Mailboxes {
			if m.Messages > 0 {
				return true
			}
		}
	}
	return false
}

// labels are the keywords that have one, for the screen.
func labels(keywords []config.Keyword) []ui.Keyword {
	var out []ui.Keyword
	for _, k := range keywords {
		out = append(out, ui.Keyword{Name: k.Name, Label: safetext.Clean(k.Label), Color: k.Color})
	}
	return out
}

// watch makes the session of an account; nothing happens before it runs.
func watch(a config.Account, c imapsession.Credentials, log *accountLog, file slog.Handler, keep keeping) (watched, error) {
	cfg, err := sessionConfig(a, c)
	if err != nil {
		return watched{}, err
	}
	cfg.Log, cfg.Trace = log.logger(file), log.trace
	kept, said, err := openCache(a, keep)
	if err != nil {
		return watched{}, err
	}
	cfg.Cache, cfg.Backfill, cfg.Prefetch = kept, keep.Backfill, keep.Prefetch && keep.Bodies > 0
	cfg.NoSweep = keep.Backfill == 0
	var marks *state.Marks
	var outbox *state.Outbox
	if keep.state != nil {
		marks, outbox = openMarks(keep.state, a), keep.state.Outbox(stateName(a))
		cfg.Told, cfg.Outbox = marks.Told, outbox
	}
	more := newFolders(&cfg)
	session := imapsession.New(cfg)
	said.tellTo(session, cfg.Log)
	w := watched{
		session: session,
		cache:   kept,
		marks:   marks,
		outbox:  outbox,
		folders: more,
		account: ui.Account{
			Cache:    kept,
			Name:     safetext.Clean(a.Name),
			Session:  session,
			MarkSeen: time.Duration(a.MarkSeen),
			ReadOnly: a.ReadOnly,
			Probe:    a.Probe,
			Archive:  a.Archive,
			Trash:    a.Trash,
			Junk:     a.Junk,
			Open:     more.open,
			Poll:     cfg.Poll,
			Log:      log.lines,
		},
	}
	if marks != nil {
		w.account.Marks = marks
	}
	return w, nil
}

// sessionConfig is an account's settings as its session needs them.
func sessionConfig(a config.Account, c imapsession.Credentials) (imapsession.Config, error) {
	tlsConfig, err := a.TLSConfig()
	if err != nil {
		return imapsession.Config{}, fmt.Errorf("account %q: %w", a.Name, err)
	}
	cfg := imapsession.Config{
		Account:     a.Name,
		Host:        a.Host,
		Port:        a.Port,
		TLS:         tlsConfig,
		Insecure:    a.Insecure,
		Credentials: c,
		Mailbox:     a.Mailbox,
		Poll:        a.Poll,
		Probe:       a.Probe,
		IdleRenew:   a.IdleRenew,
		MaxAge:      a.MaxAge,
		Connections: a.Connections,
		ReadOnly:    a.ReadOnly,
	}
	if a.IdleRenew == config.DefaultIdleRenew {
		cfg.IdleRenew = 0 // the session's default, which knows servers that need less
	}
	switch a.TLS {
	case config.TLSImplicit:
		cfg.Security = imapsession.Implicit
	case config.TLSStart:
		cfg.Security = imapsession.StartTLS
	case config.TLSNone:
		cfg.Security = imapsession.Plaintext
	}
	switch a.Watch {
	case config.WatchIdle:
		cfg.Watch = imapsession.WatchIdle
	case config.WatchPoll:
		cfg.Watch = imapsession.WatchPoll
	case config.WatchVisit:
		cfg.Watch = imapsession.WatchVisit
	}
	return cfg, nil
}

// show runs the sessions and the screen until the person quits or ctx ends.
func (p Program) show(ctx context.Context, accounts []watched, o ui.Options) error {
	o.Environ = p.Environ
	startLightly()
	var sessions []task
	for _, w := range accounts {
		o.Accounts = append(o.Accounts, w.account)
		sessions = append(sessions, task{"session " + w.account.Name.String(), func(ctx context.Context) {
			defer w.folders.begin(ctx)()
			_ = w.session.Run(ctx) // what went wrong was said in its events
		}})
	}
	err := beside(ctx, sessions, func(ctx context.Context) error { return ui.Run(ctx, o) })
	closeCaches(accounts)
	return err
}

// starting is how long a start takes at most until its first rows are on screen.
const starting = 150 * time.Millisecond

// startLightly puts the first garbage collection off until the first rows are
// painted: it would come right in the middle of that, and takes 3 ms of 28. It
// has the heap grow by some megabytes more.
func startLightly() {
	before := debug.SetGCPercent(-1)
	if before != 100 { // the person's own GOGC
		debug.SetGCPercent(before)
		return
	}
	debug.SetGCPercent(400)
	time.AfterFunc(starting, func() { debug.SetGCPercent(before) })
}

// task is something that runs until its context ends, on a goroutine of the
// name.
type task struct {
	name string
	f    func(context.Context)
}

// beside runs sessions beside a screen and returns when the screen does. The
// sessions are told to end then, and have goodbye to do it in; the network has
// no say in how long quitting takes.
func beside(ctx context.Context, sessions []task, screen func(context.Context) error) error {
	sessionCtx, end := context.WithCancel(ctx)
	defer end()
	var running sync.WaitGroup
	for _, s := range sessions {
		running.Add(1)
		crash.Go(s.name, func() {
			defer running.Done()
			s.f(sessionCtx)
		})
	}
	err := screen(ctx)
	end()
	gone := make(chan struct{})
	crash.Go("goodbye", func() {
		running.Wait()
		close(gone)
	})
	select {
	case <-gone:
	case <-time.After(goodbye):
	}
	if ctx.Err() != nil {
		return nil // a signal ended it, as it should
	}
	return err
}

// needTerminal says so where the screen has nowhere to be.
func (p Program) needTerminal() error {
	for _, f := range []struct {
		stream any
		name   string
	}{{p.Stdin, "input"}, {p.Stdout, "output"}} {
		if file, ok := f.stream.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
			return fmt.Errorf("standard %s is not a terminal; run tidings in one, without redirecting it", f.name)
		}
	}
	for _, e := range p.Environ {
		if value, ok := strings.CutPrefix(e, "TERM="); ok && value == "dumb" {
			return errors.New("this terminal (TERM=dumb) cannot place a cursor, which the screen needs; run tidings in another one")
		}
	}
	return nil
}
