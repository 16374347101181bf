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
// of a mailbox on a Dovecot on loopback, beside two bare socket readers that throw
// away what they read: one with a single FETCH of it all, one that asks as the
// filling does. Each with Dovecot's own cache of headers cold and warm. It reports
// messages a second of all three, and what the filling took of this process's time.
// They take turns, and which comes first goes round; a round before the first is not
// counted, since what touches memory for the first time is slower on some machines.
//
//	go test -run X -bench ColdFill -benchtime 6x ./imapsession
func BenchmarkColdFill(b *testing.B) {
	srv := testserver.Dovecot(b)
	srv.Fill(b, "INBOX", fillRows, func(i int) testserver.Mail {
		return testserver.Mail{Raw: bench.Message(i), Flags: "S"}
	})
	bare(b, srv)()
	ways := []struct {
		name string
		run  func(testing.TB, *testserver.Server) (end func())
	}{{"bare", bare}, {"bare-in-chunks", bareInChunks}, {"fill", fill}}
	for _, name := range []string{"cold", "warm"} {
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, len(ways))
			spent := time.Duration(0)
			for round := range b.N + 1 {
				for k := range ways {
					i := (round + k) % len(ways)
					if name == "cold" {
						forgetHeaders(b, srv)
					}
					alike(b, srv)
					was, began := busy(), time.Now()
					end := ways[i].run(b, srv)
					lasted, cpu := time.Since(began), busy()-was
					end()
					if round == 0 {
						continue
					}
					took[i] += lasted
					if ways[i].name == "fill" {
						spent += cpu
					}
				}
			}
			rows := float64(fillRows) * float64(b.N)
			for i, w := range ways {
				b.ReportMetric(rows/took[i].Seconds(), w.name+"/s")
			}
			b.ReportMetric(float64(spent.Microseconds())/rows, "µs-of-CPU/message")
			b.ReportMetric(0, "ns/op") // of all three: tells nothing
		})
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

// alike has Dovecot bring its index in order, so that a run does not pay for what the
// one before it left in the log.
func alike(b *testing.B, srv *testserver.Server) {
	c := srv.Client(b)
	defer c.Close()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	if err := c.Logout().Wait(); err != nil {
		b.Fatal(err)
	}
}

// bareChunk is how many headers last fillFor with Dovecot's cache cold.
const bareChunk = 2000

// bare reads all headers through a socket and throws them away. end closes it.
func bare(t testing.TB, srv *testserver.Server) (end func()) {
	return bareReader(t, srv, fillRows)
}

// bareInChunks is bare with the commands of the filling: a chunk each, newest first,
// two under way.
func bareInChunks(t testing.TB, srv *testserver.Server) (end func()) {
	return bareReader(t, srv, bareChunk)
}

func bareReader(t testing.TB, srv *testserver.Server, chunk int) (end func()) {
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := bufio.NewReaderSize(conn, 256<<10)
	ask := func(tag, cmd string) { fmt.Fprintf(conn, "%s %s\r\n", tag, cmd) }
	answered := func(tag string) {
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
	ask("a1", "LOGIN "+srv.User+" "+srv.Password)
	answered("a1")
	ask("a2", "EXAMINE INBOX")
	answered("a2")
	before := ""
	for hi := fillRows; hi > 0; hi -= chunk {
		tag := fmt.Sprint("c", hi)
		ask(tag, fmt.Sprintf("UID FETCH %d:%d (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)])", max(1, hi-chunk+1), hi))
		if before != "" {
			answered(before)
		}
		before = tag
	}
	answered(before)
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
