package testserver

import (
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestFillKeepsOrderDatesAndFlags(t *testing.T) {
	for _, format := range []string{"maildir", "sdbox"} {
		t.Run(format, func(t *testing.T) { testFill(t, Dovecot(t, MailFormat(format))) })
	}
}

func testFill(t *testing.T, s *Server) {
	const n = 1200
	first := time.Unix(1_600_000_000, 0)
	s.Fill(t, "INBOX", n, func(i int) Mail {
		return Mail{Raw: Letter(i), Date: first.Add(time.Duration(i) * time.Hour), Flags: "S"}
	})
	client := s.Client(t)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	messages, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, RFC822Size: true,
	}).Collect()
	if err != nil || len(messages) != n {
		t.Fatalf("%d messages, %v; want %d", len(messages), err, n)
	}
	for i, m := range messages {
		if m.UID != imap.UID(i+1) || !m.InternalDate.Equal(first.Add(time.Duration(i)*time.Hour)) ||
			m.RFC822Size != int64(len(Letter(i))) || !slices.Contains(m.Flags, imap.FlagSeen) {
			t.Fatalf("row %d: UID %d, %v, %d octets, %v", i, m.UID, m.InternalDate, m.RFC822Size, m.Flags)
		}
	}
}

// BenchmarkFill100k is the price of a large mailbox on Dovecot: writing it, and
// opening it for the first time.
func BenchmarkFill100k(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := Dovecot(b)
		b.StartTimer()
		s.Fill(b, "INBOX", 100_000, func(i int) Mail { return Mail{Raw: Letter(i)} })
		client := s.Client(b)
		selected, err := client.Select("INBOX", nil).Wait()
		if err != nil || selected.NumMessages != 100_000 {
			b.Fatalf("select: %+v, %v", selected, err)
		}
		client.Close()
		b.StopTimer()
		s.Stop()
		b.StartTimer()
	}
}
