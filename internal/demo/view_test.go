package demo

import (
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"
	"pgregory.net/rapid"
)

// replica is a client that believes only what it is told.
type replica struct {
	view *view
	rows []uint32 // UIDs by sequence number
}

func (r *replica) poll(t *rapid.T, allowExpunge bool, table *flagTable) {
	u := r.view.take(allowExpunge, table)
	for _, seq := range u.expunged {
		if seq < 1 || int(seq) > len(r.rows) {
			t.Fatalf("EXPUNGE %d of %d rows", seq, len(r.rows))
		}
		r.rows = slices.Delete(r.rows, int(seq)-1, int(seq))
	}
	if u.grown {
		for seq := uint32(len(r.rows)) + 1; seq <= u.exists; seq++ {
			i, ok := r.view.position(seq)
			if !ok {
				t.Fatalf("EXISTS %d, but message %d cannot be found", u.exists, seq)
			}
			r.rows = append(r.rows, r.view.mailbox.rows[i].uid)
		}
	}
	for _, f := range u.flags {
		if int(f.seq) > len(r.rows) || r.rows[f.seq-1] != f.uid {
			t.Fatalf("FETCH %d names UID %d, the client has %d", f.seq, f.uid, r.rows)
		}
	}
}

// check holds the view's numbering against the client's rows.
func (r *replica) check(t *rapid.T) {
	if r.view.told != len(r.rows) {
		t.Fatalf("the view counts %d, the client %d", r.view.told, len(r.rows))
	}
	for n, uid := range r.rows {
		seq := uint32(n + 1)
		at, exists := r.view.mailbox.index(uid)
		i, ok := r.view.position(seq)
		if ok != exists || ok && (i != at || r.view.seq(i) != seq) {
			t.Fatalf("message %d is UID %d: position %d %v, want %d %v", seq, uid, i, ok, at, exists)
		}
	}
}

// TestViewsTellTheTruth changes a mailbox at random under several clients that
// poll at random: whatever they are told adds up.
func TestViewsTellTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Server{}
		m := s.newMailbox("INBOX", "")
		for range rapid.IntRange(0, 12).Draw(t, "messages") {
			m.add(row{})
		}
		var replicas []*replica
		open := func() {
			r := &replica{view: newView(m, false)}
			for _, row := range m.rows {
				r.rows = append(r.rows, row.uid)
			}
			replicas = append(replicas, r)
		}
		open()
		open()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				m.add(row{})
			case 1, 2:
				if len(m.rows) > 0 {
					m.expunge(slices.Compact(slices.Sorted(slices.Values(
						rapid.SliceOfN(rapid.IntRange(0, len(m.rows)-1), 1, 5).Draw(t, "expunged")))))
				}
			case 3:
				if len(m.rows) > 0 {
					i := rapid.IntRange(0, len(m.rows)-1).Draw(t, "flagged")
					flag := rapid.SampledFrom([]imap.Flag{imap.FlagSeen, imap.FlagFlagged}).Draw(t, "flag")
					by := replicas[rapid.IntRange(0, len(replicas)-1).Draw(t, "by")].view
					m.setFlags(i, s.flags.change(m.rows[i].flags, []imap.Flag{flag}, nil), by)
				}
			case 4:
				if len(replicas) < 5 {
					open()
				}
			default:
				r := replicas[rapid.IntRange(0, len(replicas)-1).Draw(t, "who")]
				r.poll(t, rapid.Bool().Draw(t, "expunges"), &s.flags)
			}
			for _, r := range replicas {
				r.check(t)
			}
		}
		for _, r := range replicas {
			r.poll(t, true, &s.flags)
			r.check(t)
			if len(r.rows) != len(m.rows) || len(r.view.gone) != 0 || len(r.view.changed) != 0 {
				t.Fatalf("a client that has polled holds %d of %d", r.rows, len(m.rows))
			}
		}
	})
}
