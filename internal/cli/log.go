package cli

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// logLines is how many lines of an account's log are kept in memory.
const logLines = 500

// accountLog is what the L view shows of one account: what the session logged
// (states and reasons), merged by time with the redacted trace of the wire. It
// is bounded; any goroutine may use it.
type accountLog struct {
	trace *wire.Trace

	mu   sync.Mutex
	ring []logLine
	next int
}

type logLine struct {
	at   time.Time
	text safetext.Text
}

func newAccountLog() *accountLog { return &accountLog{trace: wire.NewTrace(logLines)} }

func (l *accountLog) add(line logLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < logLines {
		l.ring = append(l.ring, line)
		return
	}
	l.ring[l.next] = line
	l.next = (l.next + 1) % logLines
}

// lines returns the log and the trace, oldest first, each line with its time of
// day.
func (l *accountLog) lines() []safetext.Text {
	l.mu.Lock()
	all := slices.Concat(l.ring[l.next:], l.ring[:l.next])
	l.mu.Unlock()
	for _, t := range l.trace.Lines() {
		all = append(all, logLine{t.Time, safetext.Clean("  " + t.Conn + " " + t.Dir.String() + " " + t.Text)})
	}
	slices.SortStableFunc(all, func(a, b logLine) int { return a.at.Compare(b.at) })
	texts := make([]safetext.Text, len(all))
	for i, line := range all {
		texts[i] = safetext.Format("%s %s", safetext.Time(line.at, "15:04:05.000"), line.text)
	}
	return texts
}

// logger is the session's slog.Logger: into the ring, and into also where that
// is not nil.
func (l *accountLog) logger(also slog.Handler) *slog.Logger {
	return slog.New(&logHandler{log: l, also: also})
}

// logHandler is a slog.Handler that puts records into an accountLog.
type logHandler struct {
	log    *accountLog
	also   slog.Handler
	attrs  string // already formatted
	groups string // "a.b."
}

// Enabled keeps debugging out.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

// Handle formats the record as one safe line.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	if r.Level > slog.LevelInfo {
		b.WriteString(r.Level.String() + " ")
	}
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.groups, a)
		return true
	})
	h.log.add(logLine{r.Time, safetext.Clean(b.String())})
	if h.also != nil {
		return h.also.Handle(ctx, r)
	}
	return nil
}

// WithAttrs and WithGroup are slog.Handler's.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		if a.Key != "account" { // the whole log is one account's
			writeAttr(&b, h.groups, a)
		}
	}
	c := *h
	c.attrs += b.String()
	if h.also != nil {
		c.also = h.also.WithAttrs(attrs)
	}
	return &c
}

// WithGroup is slog.Handler's.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.groups += name + "."
	if h.also != nil {
		c.also = h.also.WithGroup(name)
	}
	return &c
}

func writeAttr(b *strings.Builder, groups string, a slog.Attr) {
	v := a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return
	}
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			groups += a.Key + "."
		}
		for _, member := range v.Group() {
			writeAttr(b, groups, member)
		}
		return
	}
	b.WriteString(" " + groups + a.Key + "=" + v.String())
}
