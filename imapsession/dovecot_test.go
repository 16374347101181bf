package imapsession_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/testserver"
)

type fixedSecret imapsession.Secret

func (s fixedSecret) Secret(context.Context) (imapsession.Secret, error) {
	return imapsession.Secret(s), nil
}

// configFor makes a Config for a plain-port server on loopback.
func configFor(t testing.TB, addr, user, password string) imapsession.Config {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return imapsession.Config{
		Account:     "test",
		Host:        host,
		Port:        n,
		Security:    imapsession.Plaintext,
		Credentials: fixedSecret{User: user, Password: password},
		Log:         slog.New(slog.NewTextHandler(testLog{t}, nil)),
	}
}

// testLog writes a session's log to the test's.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s %s", time.Now().Format("05.000"), p)
	return len(p), nil
}

func TestFirstLight(t *testing.T) {
	srv := testserver.Dovecot(t)
	srv.AppendN(t, "INBOX", 100)
	s := imapsession.New(configFor(t, srv.Addr, srv.User, srv.Password))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	go func() {
		time.Sleep(time.Second)
		srv.AppendN(t, "INBOX", 2)
	}()
	for {
		evs, err := s.Events().Next(ctx, 0)
		if err != nil {
			break
		}
		for _, ev := range evs {
			if sm, ok := ev.(imapsession.SummariesEvent); ok {
				t.Logf("%d summaries, %v", len(sm.Summaries), sm.Summaries[0])
				continue
			}
			t.Logf("%T %+v", ev, ev)
		}
	}
	t.Log(<-done)
}
