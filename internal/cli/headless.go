package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/safetext"
	"tidings/store"
)

// headless is one account without a screen, for as long as a command takes: the
// same session as under the keys, and a listener that waits for what it wants.
type headless struct {
	account config.Account
	session *imapsession.Session

	state    imapsession.StateEvent
	resync   imapsession.ResyncEvent
	list     *store.List
	sums     map[store.UID]*store.Summary
	found    []store.UID
	body     imapsession.BodyEvent
	folders  []imapsession.Folder
	results  map[imapsession.CommandID]imapsession.ResultEvent
	warnings []safetext.Text
}

// headlessOptions are the flags that all commands without a screen have.
type headlessOptions struct {
	config   string
	accounts []string
	mailbox  string
	json     bool
	timeout  time.Duration
}

// longest is how long such a command may take to be connected, if nothing else
// is said.
const longest = time.Minute

// with connects the account that the options name and runs f beside its session.
func (p Program) with(ctx context.Context, o headlessOptions, rows int, f func(context.Context, *headless) error) error {
	cfg, account, err := p.oneAccount(o.config, o.accounts)
	if err != nil {
		return err
	}
	k, err := newKeys(cfg, p.toStderr)
	if err != nil {
		return err
	}
	source := k.source(account, nil)
	if err := source.Prepare(ctx); err != nil {
		return fmt.Errorf("account %q: %w", account.Name, err)
	}
	session, err := sessionConfig(account, source)
	if err != nil {
		return err
	}
	if o.mailbox != "" {
		session.Mailbox = o.mailbox
	}
	session.FirstWindow = rows
	session.Connections = 1
	h := &headless{
		account: account, session: imapsession.New(session), list: &store.List{},
		sums: map[store.UID]*store.Summary{}, results: map[imapsession.CommandID]imapsession.ResultEvent{},
	}
	return beside(ctx, []task{{"session " + account.Name, func(ctx context.Context) { _ = h.session.Run(ctx) }}}, func(ctx context.Context) error {
		limit := o.timeout
		if limit <= 0 {
			limit = longest
		}
		connecting, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not connected within %s", limit))
		defer cancel()
		if err := h.until(connecting, func() bool { return h.state.State == imapsession.Live }); err != nil {
			return err
		}
		return f(ctx, h)
	})
}

// until takes events until ok. What makes it impossible is an error.
func (h *headless) until(ctx context.Context, ok func() bool) error {
	for !ok() {
		if h.state.Fatal {
			return fmt.Errorf("account %q: %s", h.account.Name, h.state.Reason)
		}
		events, err := h.session.Events().Next(ctx, 0)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				return fmt.Errorf("account %q: %w%s", h.account.Name, cause, h.trouble())
			}
			return err
		}
		for _, ev := range events {
			h.take(ev)
		}
	}
	return nil
}

// trouble is what the session said last of what keeps it.
func (h *headless) trouble() string {
	if h.state.Reason.IsEmpty() {
		return ""
	}
	return ": " + h.state.Reason.String()
}

func (h *headless) take(ev imapsession.Event) {
	switch ev := ev.(type) {
	case imapsession.StateEvent:
		h.state = ev
	case imapsession.ResyncEvent:
		h.resync, h.list = ev, ev.List
	case imapsession.ListEvent:
		if ev.Epoch == h.resync.Epoch {
			_, _ = h.list.Apply(ev.Change) // a disagreement ends in a Resync
		}
	case imapsession.SummariesEvent:
		for _, s := range ev.Summaries {
			h.sums[s.UID] = s
		}
	case imapsession.SearchEvent:
		h.found = append(h.found, ev.UIDs...)
	case imapsession.BodyEvent:
		h.body = ev
	case imapsession.FoldersEvent:
		h.folders = ev.Folders
	case imapsession.ResultEvent:
		h.results[ev.ID] = ev
	case imapsession.AlertEvent:
		if !ev.Bye {
			h.warnings = append(h.warnings, ev.Text)
		}
	}
}

// do has the session do a command and waits for its end.
func (h *headless) do(ctx context.Context, c imapsession.Command) (imapsession.ResultEvent, error) {
	id := h.session.Do(c)
	if err := h.until(ctx, func() bool { _, ended := h.results[id]; return ended }); err != nil {
		return imapsession.ResultEvent{}, err
	}
	r := h.results[id]
	delete(h.results, id)
	return r, r.Err
}

// target aims a command at messages of the mailbox.
func (h *headless) target(uids ...store.UID) imapsession.Target {
	return imapsession.Target{Mailbox: h.resync.Mailbox, UIDValidity: h.resync.UIDValidity, UIDs: uids}
}

// describe fetches the summaries of messages that are not known yet.
func (h *headless) describe(ctx context.Context, uids []store.UID) error {
	missing := slices.DeleteFunc(slices.Clone(uids), func(u store.UID) bool { return h.sums[u] != nil })
	const some = 200
	for len(missing) > 0 {
		n := min(len(missing), some)
		h.session.SetVisible(imapsession.Visible{Epoch: h.resync.Epoch, Missing: missing[:n]})
		wait, cancel := context.WithTimeout(ctx, longest)
		err := h.until(wait, func() bool {
			return !slices.ContainsFunc(missing[:n], func(u store.UID) bool { return h.sums[u] == nil })
		})
		cancel()
		if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			err = nil // what vanished meanwhile never comes
		}
		if err != nil {
			return err
		}
		missing = missing[n:]
	}
	return nil
}

// folderFor is the folder that has a role.
func (h *headless) folderFor(ctx context.Context, role, named string) (imapsession.Folder, error) {
	if _, err := h.do(ctx, imapsession.ListFolders{}); err != nil {
		return imapsession.Folder{}, err
	}
	f, ok := imapsession.FolderFor(h.folders, role, named)
	if !ok && named != "" {
		return f, fmt.Errorf("there is no folder %q, which the config names as %s: correct %s in the config", named, role, role)
	}
	if !ok {
		return f, fmt.Errorf("the server has no folder for %s: name one in the config (%s = \"...\")", role, role)
	}
	return f, nil
}
