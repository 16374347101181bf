package imapsession_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidings/imapsession"
	"tidings/internal/bench"
	"tidings/internal/testserver"
	"tidings/store/cache"
)

// fillRows is how many messages the mailbox of BenchmarkColdFill holds.
const fillRows = 100_000

// BenchmarkColdFill fills an empty cache, search index and all, with the headers
// of a mailbox on a Dovecot on loopback, beside a bare socket reader that throws
// away what the same FETCH brings; each with Dovecot's own cache of headers cold and
// warm. It reports messages a second, and what they took of this process's time.
// Once is enough:
//
//	go test -run X -bench ColdFill -benchtime 1x ./imapsession
func BenchmarkColdFill(b *testing.B) {
	srv := testserver.Dovecot(b)
	srv.Fill(b, "INBOX", fillRows, func(i int) testserver.Mail {
		return testserver.Mail{Raw: bench.Message(i), Flags: "S"}
	})
	bare(b, srv)()
	for _, cold := range []bool{true, false} {
		name := "warm"
		if cold {
			name = "cold"
		}
		measure := func(what string, run func(testing.TB, *testserver.Server) (end func())) {
			b.Run(name+"/"+what, func(b *testing.B) {
				spent := time.Duration(0)
				for range b.N {
					b.StopTimer()
					if cold {
						forgetHeaders(b, srv)
					}
					b.StartTimer()
					before := busy()
					end := run(b, srv)
					spent += busy() - before
					b.StopTimer()
					end()
					b.StartTimer()
				}
				b.ReportMetric(float64(spent.Microseconds())/float64(fillRows*b.N), "µs-of-CPU/message")
				b.ReportMetric(float64(fillRows)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
		measure("bare", bare)
		measure("fill", fill)
	}
}

// busy is how long this process has had a CPU: unlike the time on the wall, it
// does not depend on what else runs.
func busy() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// forgetHeaders makes Dovecot's cache of headers cold.
func forgetHeaders(b *testing.B, srv *testserver.Server) {
	files, err := filepath.Glob(filepath.Join(srv.Maildir, "dovecot.index.cache*"))
	if err != nil || len(files) == 0 {
		b.Fatalf("Dovecot has no cache of headers: %v", err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			b.Fatal(err)
		}
	}
}

// bare reads all headers through a socket and throws them away. end closes it.
func bare(t testing.TB, srv *testserver.Server) (end func()) {
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := bufio.NewReaderSize(conn, 256<<10)
	do := func(tag, cmd string) {
		fmt.Fprintf(conn, "%s %s\r\n", tag, cmd)
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(string(line), tag+" ") {
				return
			}
		}
	}
	if _, err := r.ReadSlice('\n'); err != nil {
		t.Fatal(err)
	}
	do("a1", "LOGIN "+srv.User+" "+srv.Password)
	do("a2", "EXAMINE INBOX")
	do("a3", "UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)])")
	return func() { conn.Close() }
}

type password string

func (p password) Secret(context.Context) (imapsession.Secret, error) {
	return imapsession.Secret{User: "alice", Password: string(p)}, nil
}

// fill runs a session with an empty cache until the cache has it all on disk. end
// ends the session.
func fill(t testing.TB, srv *testserver.Server) (end func()) {
	kept := cache.Open(cache.Options{Path: filepath.Join(t.TempDir(), "cache.db"), Say: func(s string) { t.Log(s) }})
	host, port, err := net.SplitHostPort(srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(port)
	session := imapsession.New(imapsession.Config{
		Host: host, Port: n, Security: imapsession.Plaintext, Credentials: password(srv.Password),
		Cache: kept, Backfill: -1, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		_ = session.Run(ctx)
	}()
	for ended := false; !ended; {
		evs, err := session.Events().Next(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range evs {
			if p, ok := ev.(imapsession.ProgressEvent); ok {
				ended = p.Ended && p.Done == fillRows
			}
		}
	}
	if err := kept.Settled(ctx); err != nil {
		t.Fatal(err)
	}
	return func() {
		cancel()
		<-ran
		kept.Close(time.Second)
	}
}
