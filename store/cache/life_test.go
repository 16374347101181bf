package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
	"tidings/store/query"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
)

// rowsIn counts the rows of a table, as another program sees them.
func rowsIn(t testing.TB, path, table string) int64 {
	t.Helper()
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n, _, err := findInt(c, "SELECT count(*) FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestUIDValidity: another UIDVALIDITY leaves nothing of the old one.
func TestUIDValidity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c := open(t, path)
	old := soundCheckpoint(t)
	c.Keep(old)
	c.KeepSummaries(inbox, summariesOf(400))
	c.KeepBody(inbox, 3, []byte("old"), true)
	c.KeepSelected(inbox, 3)
	settled(t, c)
	now := old
	now.UIDValidity, now.List = 8, listOf(t, 5)
	c.Keep(now)
	c.KeepSummaries(inbox, summariesOf(400)) // came late
	settled(t, c)
	if got := load(t, c); got.UIDValidity != 8 || !got.List.Equal(now.List) || got.Selected != 0 {
		t.Errorf("loaded %+v", got)
	}
	for _, at := range []store.Place{inbox, now.Place} {
		if sums, err := c.Summaries(context.Background(), at, []store.UID{1, 2, 3}); err != nil || len(sums) > 0 {
			t.Errorf("%v: %d summaries, %v", at, len(sums), err)
		}
		if data, err := c.Body(context.Background(), at, 3); err != nil || data != nil {
			t.Errorf("%v: body %q, %v", at, data, err)
		}
	}
	for n := 1; n > 0; {
		n = 0
		if err := sweepOnce(c, &n); err != nil {
			t.Fatal(err)
		}
	}
	c.Close(time.Minute)
	for table, want := range map[string]int64{"row": 5, "message": 0, "summary": 0, "words_docsize": 0, "body": 0, "bodydata": 0, "gone": 0, "dropped": 0, "mailbox": 1} {
		if n := rowsIn(t, path, table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
}

// sweepOnce sweeps on another connection, beside the writer.
func sweepOnce(c *Cache, n *int) error {
	w, err := c.database(false).connect(readerPages)
	if err != nil {
		return err
	}
	defer w.Close()
	return (&database{writer: w}).sweep(n)
}

// TestGone: what is expunged is swept away, the rest stays.
func TestGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c := open(t, path)
	cp := soundCheckpoint(t)
	c.Keep(cp)
	c.KeepSummaries(inbox, summariesOf(400))
	c.KeepBody(inbox, 1, []byte("first"), true)
	c.KeepBody(inbox, 400, []byte("last"), true)
	settled(t, c)
	cp.List = cp.List.Snapshot()
	for range 300 {
		if _, err := cp.List.Apply(store.Change{Kind: store.Expunge, Seq: 1}); err != nil {
			t.Fatal(err)
		}
	}
	c.Keep(cp)
	settled(t, c)
	for n := 1; n > 0; {
		n = 0
		if err := sweepOnce(c, &n); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := c.Body(context.Background(), inbox, 400); err != nil || string(data) != "last" {
		t.Errorf("%q, %v", data, err)
	}
	settled(t, c)
	c.Close(time.Minute)
	for table, want := range map[string]int64{"row": 100, "message": 100, "summary": 100, "words_docsize": 100, "body": 1, "bodydata": 1, "gone": 0} {
		if n := rowsIn(t, path, table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
}

// TestBodies keeps messages within a budget: those read last stay.
func TestBodies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	o := Options{Path: path, Bodies: 10_000, Text: func(b []byte) string { return string(b[:4]) }, Say: func(s string) { t.Error(s) }}
	c := Open(o)
	ctx := context.Background()
	body := func(uid store.UID) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%04d", uid)), 500) }
	for uid := store.UID(1); uid <= 5; uid++ {
		c.KeepBody(inbox, uid, body(uid), true)
		settled(t, c)
	}
	c.KeepBody(inbox, 50, body(50), false)
	c.KeepBody(inbox, 51, make([]byte, 2501), true)
	if data, err := c.Body(ctx, inbox, 1); err != nil || !bytes.Equal(data, body(1)) {
		t.Errorf("%q, %v", data, err)
	}
	settled(t, c) // 1 was used last
	c.Close(time.Minute)
	c = Open(o)
	c.KeepBody(inbox, 6, body(6), true)
	if data, err := c.Body(ctx, inbox, 6); err != nil || !bytes.Equal(data, body(6)) {
		t.Errorf("what waits to be written is not found: %v", err)
	}
	settled(t, c)
	var kept []store.UID
	for uid := store.UID(1); uid <= 60; uid++ {
		if data, err := c.Body(ctx, inbox, uid); err != nil {
			t.Error(err)
		} else if data != nil {
			kept = append(kept, uid)
			if !bytes.Equal(data, body(uid)) {
				t.Errorf("message %d is another", uid)
			}
		}
	}
	if d := cmp.Diff([]store.UID{1, 3, 4, 5, 6}, kept); d != "" {
		t.Error(d)
	}
	c.Close(time.Minute)
	if n := rowsIn(t, path, "bodytext"); n != 5 {
		t.Errorf("%d texts", n)
	}
	o.Bodies = 0
	c = Open(o)
	defer c.Close(time.Minute)
	c.KeepBody(inbox, 7, body(7), true)
	c.KeepSummaries(inbox, summariesOf(1))
	settled(t, c)
	if n := rowsIn(t, path, "bodydata"); n != 0 {
		t.Errorf("%d messages are kept though none shall be", n)
	}
}

// TestFull: a disk that fills up. What was committed stays, writing is tried
// again, the person is told once.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	synctest.Test(t, func(t *testing.T) {
		var h heard
		c := Open(Options{Path: path, Say: h.say})
		defer c.Close(time.Minute)
		cp := soundCheckpoint(t)
		c.Keep(cp)
		settled(t, c)
		synctest.Wait()
		w := c.db.writer.Conn // the writer waits
		pages, _, err := findInt(w, "PRAGMA page_count")
		if err != nil {
			t.Fatal(err)
		}
		if err := exec(w, fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
		more := cp
		more.List, more.ModSeq = listOf(t, 9000), 10
		for range 3 {
			c.Keep(more)
			settled(t, c)
		}
		if got := load(t, c); got.ModSeq != 9 || !got.List.Equal(cp.List) {
			t.Errorf("what was committed is gone: %+v", got)
		}
		if said := h.said(); len(said) != 1 || !strings.Contains(said[0], "the disk is full") {
			t.Errorf("the person was told %q", said)
		}
		synctest.Wait()
		if err := exec(w, "PRAGMA max_page_count = 1000000"); err != nil {
			t.Fatal(err)
		}
		c.database(false) // its lock hands the connection back to the writer
		time.Sleep(retry + time.Second)
		synctest.Wait()
		if got := load(t, c); got.ModSeq != 10 || !got.List.Equal(more.List) {
			t.Errorf("it was not tried again: %+v", got)
		}
	})
}

// TestFullMemory: a cache in memory has a bound. Rows go on, summaries do not,
// and nobody is asked for them again.
func TestFullMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		c := Open(Options{Say: h.say})
		defer c.Close(time.Minute)
		cp := soundCheckpoint(t)
		c.Keep(cp)
		settled(t, c)
		synctest.Wait()
		if err := exec(c.db.writer.Conn, "PRAGMA max_page_count = 60"); err != nil {
			t.Fatal(err)
		}
		c.KeepSummaries(inbox, summariesOf(3000))
		settled(t, c)
		settled(t, c)
		if missing, err := c.Missing(context.Background(), inbox, []store.UID{1, 2}); err != nil || len(missing) > 0 {
			t.Errorf("%v are missing, %v", missing, err)
		}
		cp.ModSeq = 77
		c.Keep(cp)
		settled(t, c)
		if got := load(t, c); got.ModSeq != 77 || !got.List.Equal(cp.List) {
			t.Errorf("%+v", got)
		}
		if said := h.said(); len(said) != 1 || !strings.Contains(said[0], "in memory is full") {
			t.Errorf("the person was told %q", said)
		}
	})
}

// TestCloseInTime: what was kept before is written, unless it takes too long;
// then it is not written at all, and the end does not wait.
func TestCloseInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c := open(t, path)
	cp := soundCheckpoint(t)
	c.Keep(cp)
	c.Close(time.Minute)
	c = open(t, path)
	if got := load(t, c); got.List == nil || !got.List.Equal(cp.List) {
		t.Fatal("what was kept before is not written")
	}
	other, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec(other, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	cp.ModSeq = 1000
	c.Keep(cp)
	c.Close(time.Millisecond) // returns, though the file is locked
	c.Keep(cp)
	if err := exec(other, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	<-c.stopped
	c = open(t, path)
	if got := load(t, c); got.List == nil || !got.List.Equal(cp.List) || got.ModSeq != 9 {
		t.Errorf("%+v", got)
	}
}

// TestContents looks at a cache in use and clears it under the writer's hands.
func TestContents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	ctx := context.Background()
	if _, err := Look(ctx, path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking at nothing: %v", err)
	}
	if found, err := Clear(ctx, path, ""); found || err != nil {
		t.Errorf("clearing nothing: %v, %v", found, err)
	}
	c := open(t, path)
	cp := soundCheckpoint(t)
	other := cp
	other.Mailbox = "Archive"
	c.Keep(cp)
	c.Keep(other)
	c.KeepSummaries(inbox, summariesOf(100))
	c.KeepBody(inbox, 3, []byte("four"), true)
	settled(t, c)
	got, err := Look(ctx, path)
	if err != nil || got.Octets < 4096 {
		t.Errorf("%d octets, %v", got.Octets, err)
	}
	want := []Mailbox{
		{Name: "Archive", Messages: 400, AsOf: cp.AsOf},
		{Name: "INBOX", Messages: 400, Summaries: 100, Bodies: 1, Octets: 4, AsOf: cp.AsOf},
	}
	if d := cmp.Diff(want, got.Mailboxes); d != "" {
		t.Error(d)
	}
	if found, err := Clear(ctx, path, "Archive"); !found || err != nil {
		t.Error(found, err)
	}
	if found, err := Clear(ctx, path, "Archive"); found || err != nil {
		t.Error(found, err)
	}
	if got, err = Look(ctx, path); err != nil || len(got.Mailboxes) != 1 {
		t.Error(got, err)
	}
	if found, err := Clear(ctx, path, ""); !found || err != nil {
		t.Error(found, err)
	}
	if cp := load(t, c); cp.List != nil {
		t.Error("it is still there")
	}
	// The writer's idea of what is there is out of date now, and it knows.
	cp.List = cp.List.Snapshot()
	if _, err := cp.List.Apply(store.Change{Kind: store.Expunge, Seq: 1}); err != nil {
		t.Fatal(err)
	}
	c.Keep(cp)
	settled(t, c)
	if got := load(t, c); got.List == nil || !got.List.Equal(cp.List) {
		t.Error("after clearing, only the difference was written")
	}
	if err := os.WriteFile(path+".damaged", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Clear(ctx, path, ""); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + ".damaged"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what was set aside is still there")
	}
}

// TestNear finds a day.
func TestNear(t *testing.T) {
	c := open(t, "")
	ctx := context.Background()
	l := listOf(t, 400)
	if _, err := l.Apply(store.Change{Kind: store.Exists, N: 401}); err != nil {
		t.Fatal(err)
	}
	c.Keep(store.Checkpoint{Place: inbox, List: l, AsOf: time.UnixMilli(1)})
	var sums []*store.Summary
	for uid := store.UID(101); uid <= 400; uid++ {
		s := sumOf(uid)
		s.Internal = time.Date(2024, 1, int(uid-1)/100, 23, 30, 0, 0, time.FixedZone("", -5*3600))
		sums = append(sums, s)
	}
	c.KeepSummaries(inbox, sums)
	settled(t, c)
	for _, q := range []struct {
		day  int
		uid  store.UID
		sure bool
	}{{1, 101, false}, {2, 201, false}, {3, 301, false}, {4, 0, false}} {
		uid, sure, err := c.Near(ctx, inbox, time.Date(2024, 1, q.day, 12, 0, 0, 0, time.UTC))
		if uid != q.uid || sure != q.sure || err != nil {
			t.Errorf("day %d: %d, %v, %v", q.day, uid, sure, err)
		}
	}
	c.KeepSummaries(inbox, summariesOf(100)) // of 2023
	settled(t, c)
	if uid, sure, err := c.Near(ctx, inbox, time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)); uid != 201 || !sure || err != nil {
		t.Errorf("%d, %v, %v", uid, sure, err)
	}
	if uid, sure, err := c.Near(ctx, inbox, time.Date(2025, 1, 2, 0, 0, 0, 0, time.UTC)); uid != 0 || sure || err != nil {
		t.Errorf("with an unknown row on top: %d, %v, %v", uid, sure, err)
	}
}

func TestFileName(t *testing.T) {
	a := FileName("work", "u", "h.example", 993)
	if !strings.HasPrefix(a, "work-") || a != FileName("work", "u", "H.example", 993) {
		t.Error(a)
	}
	for _, b := range []string{FileName("work", "v", "h.example", 993), FileName("work", "u", "i.example", 993), FileName("work", "u", "h.example", 143)} {
		if a == b {
			t.Errorf("%s is the cache of two accounts", a)
		}
	}
	for _, name := range []string{"../etc/passwd", ".hidden", "a/b", strings.Repeat("ü", 300), "a\x00b"} {
		f := FileName(name, "u", "h", 1)
		if filepath.Base(f) != f || strings.HasPrefix(f, ".") || len(f) > 200 || strings.ContainsAny(f, "/\x00") {
			t.Errorf("%q becomes %q", name, f)
		}
	}
}

// TestTidied: a filling leaves the search index in many pieces; when nothing is
// written any more they are brought together, and what is found stays the same.
func TestTidied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	synctest.Test(t, func(t *testing.T) {
		c := open(t, path)
		defer c.Close(time.Minute)
		const n, chunk = 2000, 50
		c.Keep(store.Checkpoint{Place: inbox, List: listOf(t, n), AsOf: time.Now()})
		for from := n - chunk + 1; from > 0; from -= chunk {
			c.KeepSummaries(inbox, summariesOf(n)[from-1:from-1+chunk])
			settled(t, c)
		}
		pieces := func() (n int64) {
			err := c.read(context.Background(), func(r *conn) (err error) {
				n, _, err = findInt(r.Conn, "SELECT count(DISTINCT segid) FROM words_idx")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		q, err := query.Parse(`"quarter 17"`, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		found := func() []store.UID { return searchAll(t, c, q, 1000) }
		before, hits := pieces(), found()
		if len(hits) < 100 {
			t.Fatalf("only %d hits", len(hits))
		}
		if before < n/chunk {
			t.Errorf("%d pieces after %d writes", before, n/chunk)
		}
		time.Sleep(restBeforeTidying / 2)
		synctest.Wait()
		if got := pieces(); got != before {
			t.Errorf("%d pieces are %d while the filling takes a short rest", before, got)
		}
		time.Sleep(restBeforeTidying)
		synctest.Wait()
		if got := pieces(); got >= 16 {
			t.Errorf("%d pieces are %d when all is written", before, got)
		}
		if got := found(); !slices.Equal(got, hits) {
			t.Errorf("found %d, were %d", len(got), len(hits))
		}
	})
}

// TestLateFault: the file is found to be damaged and replaced while others still read
// the former one, or open it by its name, and find the next. Nobody is told of that.
func TestLateFault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	var h heard
	c := Open(Options{Path: path, Say: h.say})
	defer c.Close(time.Minute)
	c.Keep(soundCheckpoint(t))
	settled(t, c)
	former := c.database(false)
	c.fault(former, errDamaged)
	c.fault(former, errDamaged)
	c.fault(former, errors.New("no such table"))
	if said := h.said(); len(said) != 1 || !strings.Contains(said[0], "was damaged") {
		t.Errorf("the person was told %q", said)
	}
}
