package cache

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"tidings/internal/safetext"
	"tidings/store"
)

// anySummary draws a summary, strange ones included.
func anySummary(t *rapid.T) *store.Summary {
	text := func(name string) safetext.Text { return safetext.Clean(rapid.String().Draw(t, name)) }
	list := func(name string) []string {
		l := rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, name)
		if len(l) == 0 {
			return nil
		}
		return l
	}
	addresses := func(name string) []store.Address {
		var l []store.Address
		for range rapid.IntRange(0, 3).Draw(t, name) {
			raw := rapid.String().Draw(t, "raw")
			l = append(l, store.Address{Name: text("name"), Addr: safetext.Clean(raw), Raw: raw})
		}
		return l
	}
	at := func(name string) time.Time {
		if rapid.Bool().Draw(t, "no "+name) {
			return time.Time{}
		}
		offset := rapid.IntRange(-99*60, 99*60).Draw(t, "offset") * 60
		return time.Unix(rapid.Int64Range(-1<<36, 1<<36).Draw(t, name), 0).In(time.FixedZone("", offset))
	}
	return &store.Summary{
		UID: 5, Internal: at("internal"), Date: at("date"), Size: rapid.Int64().Draw(t, "size"),
		From: addresses("from"), To: addresses("to"), Cc: addresses("cc"), ReplyTo: addresses("reply-to"),
		Subject: text("subject"), MessageID: rapid.String().Draw(t, "id"),
		InReplyTo: list("in-reply-to"), References: list("references"), ListID: text("list"),
		Mixed: rapid.Bool().Draw(t, "mixed"), Unreadable: rapid.Bool().Draw(t, "unreadable"),
	}
}

func TestSummaryRoundTrip(t *testing.T) {
	if n := reflect.TypeFor[store.Summary]().NumField(); n != 15 {
		t.Errorf("a Summary has %d fields: is each of them kept?", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := anySummary(t)
		data := appendSummary([]byte("before"), s)[len("before"):]
		got, ok := decodeSummary(5, data)
		if !ok {
			t.Fatal("it cannot be read")
		}
		if d := cmp.Diff(s, got, same); d != "" {
			t.Fatal(d)
		}
		i := rapid.IntRange(0, len(data)*8-1).Draw(t, "bit")
		data[i/8] ^= 1 << (i % 8)
		if _, ok := decodeSummary(5, data); ok {
			t.Fatal("a changed bit goes unnoticed")
		}
	})
}

// FuzzSummary reads anything, with the right checksum.
func FuzzSummary(f *testing.F) {
	for uid := range store.UID(5) {
		data := appendSummary(nil, sumOf(uid))
		f.Add(data[:len(data)-crc32.Size])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = binary.LittleEndian.AppendUint32(bytes.Clone(data), crc32.Checksum(data, castagnoli()))
		s, ok := decodeSummary(7, data)
		if !ok {
			return
		}
		again, ok := decodeSummary(7, appendSummary(nil, s))
		if !ok {
			t.Fatal("what was read cannot be written")
		}
		if d := cmp.Diff(s, again, same); d != "" {
			t.Fatal(d)
		}
	})
}

// FuzzGaps reads anything.
func FuzzGaps(f *testing.F) {
	f.Add(encodeGaps([]gap{{0, 5}, {7, 1}, {1<<32 - 1, 9}}), int64(15))
	f.Add([]byte{0, 1, 0, 1}, int64(-1))
	f.Fuzz(func(t *testing.T, data []byte, rows int64) {
		gaps, ok := decodeGaps(data, rows)
		if !ok {
			return
		}
		last, sum := int64(-1), int64(0)
		for _, g := range gaps {
			if int64(g.after) <= last || g.n == 0 {
				t.Fatalf("gaps %v", gaps)
			}
			last = int64(g.after)
			sum += int64(g.n)
		}
		if rows >= 0 && sum != rows {
			t.Fatalf("%d rows, not %d", sum, rows)
		}
		again, ok := decodeGaps(encodeGaps(gaps), rows)
		if !ok || !cmp.Equal(gaps, again, cmp.AllowUnexported(gap{})) {
			t.Fatalf("%v became %v", gaps, again)
		}
	})
}
