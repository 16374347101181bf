package demo_test

import (
	"bytes"
	"net/mail"
	"strconv"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/goleak"

	"tidings/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, opts demo.Options) *demo.Server {
	t.Helper()
	s, err := demo.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func login(t testing.TB, s *demo.Server) *imapclient.Client {
	t.Helper()
	client, err := imapclient.DialInsecure(s.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login(s.User(), s.Password()).Wait(); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestEveryLetterIsAWholeMessage(t *testing.T) {
	s := start(t, demo.Options{Seed: 1, Messages: 300})
	client := login(t, s)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	all := &imap.FetchItemBodySection{Peek: true}
	messages, err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
		UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{all},
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) != 300 {
		t.Fatalf("%d messages, want 300", len(messages))
	}
	for _, m := range messages {
		raw := m.FindBodySection(all)
		if int64(len(raw)) != m.RFC822Size {
			t.Errorf("UID %d: %d octets, RFC822.SIZE says %d", m.UID, len(raw), m.RFC822Size)
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("UID %d: %v\n%s", m.UID, err, raw)
		}
		if _, err := parsed.Header.AddressList("From"); err != nil {
			t.Errorf("UID %d: From: %v", m.UID, err)
		}
		if _, err := parsed.Header.Date(); err != nil {
			t.Errorf("UID %d: Date: %v", m.UID, err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for _, n := range []int{300, 100_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				s, err := demo.Start(b.Context(), demo.Options{Messages: n})
				if err != nil {
					b.Fatal(err)
				}
				_ = s.Close()
			}
		})
	}
}

// BenchmarkOpen is SELECT and the summaries of the newest 60 messages, as a
// monitor's first screen needs them, on a connection that is logged in.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{300, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := start(b, demo.Options{Messages: n})
			client := login(b, s)
			options := &imap.FetchOptions{UID: true, Flags: true, InternalDate: true, RFC822Size: true,
				BodySection: []*imap.FetchItemBodySection{{Specifier: imap.PartSpecifierHeader, Peek: true,
					HeaderFields: []string{"DATE", "FROM", "TO", "CC", "REPLY-TO", "SUBJECT", "MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "CONTENT-TYPE", "LIST-ID"}}}}
			for b.Loop() {
				selected, err := client.Select("INBOX", nil).Wait()
				if err != nil {
					b.Fatal(err)
				}
				var last imap.SeqSet
				last.AddRange(selected.NumMessages-59, selected.NumMessages)
				messages, err := client.Fetch(last, options).Collect()
				if err != nil || len(messages) != 60 {
					b.Fatalf("%d messages, %v", len(messages), err)
				}
			}
		})
	}
}

// BenchmarkLarge is what clients ask of a mailbox of 100,000.
func BenchmarkLarge(b *testing.B) {
	s := start(b, demo.Options{Messages: 100_000})
	client := login(b, s)
	if _, err := client.Select("INBOX", nil).Wait(); err != nil {
		b.Fatal(err)
	}
	b.Run("count unseen", func(b *testing.B) {
		for b.Loop() {
			data, err := client.Search(&imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagSeen}}, &imap.SearchOptions{ReturnCount: true}).Wait()
			if err != nil || data.Count == 0 {
				b.Fatal(data, err)
			}
		}
	})
	b.Run("all uids", func(b *testing.B) {
		for b.Loop() {
			if _, err := client.UIDSearch(&imap.SearchCriteria{}, &imap.SearchOptions{ReturnAll: true}).Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all flags", func(b *testing.B) {
		for b.Loop() {
			if err := client.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{UID: true, Flags: true}).Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("store one", func(b *testing.B) {
		op := imap.StoreFlagsAdd
		for b.Loop() {
			set := imap.UIDSetNum(50_000)
			if err := client.Store(set, &imap.StoreFlags{Op: op, Flags: []imap.Flag{imap.FlagFlagged}}, nil).Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("arrive", func(b *testing.B) {
		for b.Loop() {
			s.Arrive()
		}
		if err := client.Noop().Wait(); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("expunge 1000", func(b *testing.B) {
		for b.Loop() {
			rows := s.Rows("INBOX")
			uids := make([]uint32, 0, 1000)
			for i := range 1000 {
				uids = append(uids, rows[i*len(rows)/1000].UID)
			}
			if err := s.Expunge("INBOX", uids...); err != nil {
				b.Fatal(err)
			}
			for range 1000 {
				s.Arrive()
			}
			if err := client.Noop().Wait(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
