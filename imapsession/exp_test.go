package imapsession_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

func chunked(t testing.TB, srv *testserver.Server, size int, desc bool) (first time.Duration) {
	began := time.Now()
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 256<<10)
	wait := func(tag string) {
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				t.Fatal(err)
			}
			if first == 0 && strings.Contains(string(line[:min(40, len(line))]), " FETCH (UID") {
				first = time.Since(began)
			}
			if strings.HasPrefix(string(line), tag+" ") {
				return
			}
		}
	}
	do := func(tag, cmd string) {
		fmt.Fprintf(conn, "%s %s\r\n", tag, cmd)
		wait(tag)
	}
	_, _ = r.ReadSlice('\n')
	do("a1", "LOGIN "+srv.User+" "+srv.Password)
	do("a2", "EXAMINE INBOX")
	var sets []string
	for lo := 1; lo <= fillRows; lo += size {
		sets = append(sets, fmt.Sprintf("%d:%d", lo, min(lo+size-1, fillRows)))
	}
	if desc {
		for i, j := 0, len(sets)-1; i < j; i, j = i+1, j-1 {
			sets[i], sets[j] = sets[j], sets[i]
		}
	}
	for i, set := range sets {
		fmt.Fprintf(conn, "c%d UID FETCH %s (UID INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC REPLY-TO SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES CONTENT-TYPE LIST-ID)])\r\n", i, set)
		if i > 0 {
			wait(fmt.Sprintf("c%d", i-1))
		}
	}
	wait(fmt.Sprintf("c%d", len(sets)-1))
	return first
}

func BenchmarkChunked(b *testing.B) {
	srv := testserver.Dovecot(b)
	srv.Fill(b, "INBOX", fillRows, func(i int) testserver.Mail {
		return testserver.Mail{Raw: bench.Message(i), Flags: "S"}
	})
	bare(b, srv)
	for round := range 3 {
		for _, c := range []struct {
			size int
			desc bool
		}{{fillRows, false}, {2000, false}, {2000, true}, {1000, true}, {4000, true}, {8000, true}} {
			forgetHeaders(b, srv)
			at := time.Now()
			first := chunked(b, srv, c.size, c.desc)
			d := time.Since(at)
			b.Logf("round %d size %d desc %v: %.0f/s first %v", round, c.size, c.desc, fillRows/d.Seconds(), first.Round(time.Millisecond))
		}
	}
}
