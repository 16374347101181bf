package imapsession

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"tidings/imapsession/wire"
)

// BenchmarkSummaries is what one summary costs us from the socket to the list:
// tap, imapclient, header parsing. The peer writes what was prepared; its share
// is a copy.
func BenchmarkSummaries(b *testing.B) {
	fetch := summaryFetcher(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		fetch()
		n += summaryRows
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
	b.ReportMetric(0, "ns/op")
}

// What a summary costs in allocations does not depend on the machine.
func TestSummaryAllocations(t *testing.T) {
	const limit = 90
	fetch := summaryFetcher(t)
	per := testing.AllocsPerRun(5, fetch) / summaryRows
	t.Logf("%.1f allocations a summary", per)
	if per > limit {
		t.Errorf("%.1f allocations a summary, more than %d", per, limit)
	}
}

// summaryRows is how many summaries a summaryFetcher fetches at a time.
const summaryRows = 500

// summaryFetcher signs a session in at a scripted peer on loopback and returns
// what fetches summaryRows summaries through it.
func summaryFetcher(b testing.TB) func() {
	b.Helper()
	const rows = summaryRows
	var answer strings.Builder
	for i := range rows {
		raw := string(realistic(i + 2).Raw)
		var header strings.Builder
		for line := range strings.SplitSeq(raw, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if strings.Contains(strings.Join(summaryFields, " ")+" ", strings.ToUpper(name)+" ") {
				header.WriteString(line + "\r\n")
			}
		}
		header.WriteString("\r\n")
		fmt.Fprintf(&answer, "* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE \"20-Nov-2026 10:00:00 +0000\" RFC822.SIZE %d BODY[HEADER.FIELDS (%s)] {%d}\r\n%s)\r\n",
			i+1, i+1, len(raw), strings.Join(summaryFields, " "), header.Len(), header.String())
	}
	srv := newFake(b, rows)
	srv.on = func(c *fakeConn, tag, cmd string) bool {
		if !strings.HasPrefix(cmd, "FETCH") {
			return false
		}
		c.raw(answer.String() + tag + " OK done\r\n")
		return true
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		client, _ := srv.dial(context.Background(), "", "")
		client.Close()
		<-srv.last().ended
		c := srv.last()
		c.conn, c.ended = conn, make(chan struct{})
		c.br.Reset(conn)
		c.serve()
	}()
	cfg := srv.config()
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.FirstWindow = rows
	cfg.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", listener.Addr().String())
	}
	s := New(cfg)
	l, err := s.connect(b.Context(), asMonitor)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.close)
	if err := l.logIn(b.Context()); err != nil {
		b.Fatal(err)
	}
	l.tap.SetPhase(wire.PhaseCommand)
	if err := l.openMailbox(); err != nil {
		b.Fatal(err)
	}
	return func() {
		sums, err := l.fetchRows(seqRange(1, rows))
		if err != nil || len(sums) != rows {
			b.Fatalf("%d summaries, %v", len(sums), err)
		}
		s.box.take(0)
	}
}
