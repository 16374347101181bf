package cli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tidings/imapsession"
	"tidings/internal/config"
)

// TestQuittingWaitsForNobody: when the screen ends, the program does within
// goodbye, whatever the sessions do.
func TestQuittingWaitsForNobody(t *testing.T) {
	broken := errors.New("the terminal is gone")
	cases := []struct {
		name     string
		sessions []time.Duration // what each still does once it was told to end
		err      error
		took     time.Duration
	}{
		{"none", nil, nil, 0},
		{"polite ones", []time.Duration{0, 20 * time.Millisecond, 50 * time.Millisecond}, nil, 50 * time.Millisecond},
		{"one that hangs", []time.Duration{0, time.Hour}, nil, goodbye},
		{"the screen failed", []time.Duration{0}, broken, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sessions []task
				for _, late := range c.sessions {
					sessions = append(sessions, task{"session", func(ctx context.Context) {
						<-ctx.Done()
						time.Sleep(late)
					}})
				}
				var quit time.Time
				err := beside(t.Context(), sessions, func(context.Context) error {
					time.Sleep(time.Minute)
					quit = time.Now()
					return c.err
				})
				if took := time.Since(quit); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				if !errors.Is(err, c.err) {
					t.Errorf("error %v, want %v", err, c.err)
				}
				time.Sleep(2 * time.Hour) // the one that hangs ends with the bubble
			})
		})
	}
}

// TestSignalEndsCleanly: the end of the context is no error, whatever the
// screen makes of it.
func TestSignalEndsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ended := false
		err := beside(ctx, []task{{"session", func(ctx context.Context) { <-ctx.Done(); ended = true }}},
			func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if err != nil || !ended {
			t.Errorf("error %v, session ended %v", err, ended)
		}
	})
}

// TestSessionConfig: what the config says reaches the session.
func TestSessionConfig(t *testing.T) {
	a := config.Account{
		Name: "work", Host: "imap.example.org", Port: 1143, TLS: config.TLSStart, User: "alice",
		Mailbox: "Lists/tide", Watch: config.WatchVisit, Poll: 2 * time.Minute, Probe: 3 * time.Minute,
		IdleRenew: 4 * time.Minute, MaxAge: 5 * time.Hour, Connections: 1, ReadOnly: true,
	}
	got, err := sessionConfig(a, typed{})
	if err != nil {
		t.Fatal(err)
	}
	if got.TLS == nil || got.TLS.ServerName != "imap.example.org" {
		t.Errorf("TLS is %+v", got.TLS)
	}
	got.TLS, got.Credentials = nil, nil
	want := imapsession.Config{
		Account: "work", Host: "imap.example.org", Port: 1143, Security: imapsession.StartTLS,
		Mailbox: "Lists/tide", Watch: imapsession.WatchVisit, Poll: 2 * time.Minute, Probe: 3 * time.Minute,
		IdleRenew: 4 * time.Minute, MaxAge: 5 * time.Hour, Connections: 1, ReadOnly: true,
	}
	if !equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	a.IdleRenew = config.DefaultIdleRenew
	if got, _ := sessionConfig(a, nil); got.IdleRenew != 0 {
		t.Errorf("idle_renew is %v, want the session's own default, which knows Gmail", got.IdleRenew)
	}
	a.TLS, a.Insecure, a.Watch = config.TLSNone, true, config.WatchPoll
	if got, _ := sessionConfig(a, nil); got.Security != imapsession.Plaintext || !got.Insecure || got.TLS != nil || got.Watch != imapsession.WatchPoll {
		t.Errorf("plaintext: %+v", got)
	}
	a.TLS, a.Insecure, a.Watch = config.TLSImplicit, false, config.WatchIdle
	if got, _ := sessionConfig(a, nil); got.Security != imapsession.Implicit || got.Insecure || got.Watch != imapsession.WatchIdle {
		t.Errorf("implicit: %+v", got)
	}
	a.CAFile = "/nonexistent/ca.pem"
	if _, err := sessionConfig(a, nil); err == nil {
		t.Error("a ca_file that has gone is no error")
	}
}

// equal compares configs, which hold functions that == refuses.
func equal(a, b imapsession.Config) bool {
	return a.Account == b.Account && a.Host == b.Host && a.Port == b.Port && a.Security == b.Security &&
		a.Insecure == b.Insecure && a.Mailbox == b.Mailbox && a.Watch == b.Watch && a.Poll == b.Poll &&
		a.Probe == b.Probe && a.IdleRenew == b.IdleRenew && a.MaxAge == b.MaxAge && a.Connections == b.Connections && a.ReadOnly == b.ReadOnly
}
