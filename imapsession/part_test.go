package imapsession

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/internal/message"
	"tidings/internal/testserver"
	"tidings/store"
)

// inLines is base64 as mail has it.
func inLines(b []byte) string {
	code := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(code) > 76 {
		out.WriteString(code[:76] + "\r\n")
		code = code[76:]
	}
	return out.String() + code
}

// noise is content that differs everywhere.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// structureOf asks what a message is made of.
func (f *follower) structureOf(c FetchStructure) (StructureEvent, ResultEvent) {
	f.t.Helper()
	id := f.s.Do(c)
	r := f.result(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.structures[id], r
}

// fetched reads a part to its end.
func fetched(f *follower, c FetchPart) ([]byte, ResultEvent, error) {
	f.t.Helper()
	c.Into = NewStream()
	id := f.s.Do(c)
	b, err := io.ReadAll(c.Into)
	return b, f.result(id), err
}

// TestSavingAPartCostsThatPart: of a message of 40 MB, an attachment of 1 MB costs
// what it has, encoded, and not the message.
func TestSavingAPartCostsThatPart(t *testing.T) {
	want := noise(1 << 20)
	raw := "Subject: two files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n" +
		"--b\r\nContent-Type: video/mp4; name=film.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inLines(make([]byte, 28<<20)) + "\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"a b.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inLines(want) + "\r\n" +
		"--b--\r\n"
	srv := testserver.Dovecot(t)
	srv.Fill(t, "INBOX", 1, func(int) testserver.Mail { return testserver.Mail{Raw: []byte(raw), Date: time.Unix(1_790_000_000, 0)} })
	link := testserver.NewLink(t, srv.Addr)
	f, _ := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
	f.live(1)
	f.until("the unread count", func() bool { return f.unseen.Known })
	link.ResetCounters()
	s, r := f.structureOf(FetchStructure{Target: f.target(1)})
	if r.Err != nil || len(s.Parts) != 2 || s.Type != "multipart/mixed" || s.Size != int64(len(raw)) {
		t.Fatalf("%v: %d octets, %s, %+v", r.Err, s.Size, s.Type, s.Parts)
	}
	p := s.Parts[1]
	if p.Name != "a b.pdf" || p.Section != "3" || p.Type != "application/pdf" || p.Octets != int64(len(inLines(want))) {
		t.Fatalf("the second file is listed as %+v", p)
	}
	code, r, err := fetched(f, FetchPart{Target: f.target(1), Section: p.Section, Octets: p.Octets})
	if err != nil || r.Err != nil || !r.Note.IsEmpty() {
		t.Fatalf("%v, %v, %q", err, r.Err, r.Note)
	}
	got, err := io.ReadAll(p.Decode(bytes.NewReader(code)))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets came, %d were sent, %v", len(got), len(want), err)
	}
	cost := link.Bytes(testserver.ToClient)
	t.Logf("a file of %d octets (%d encoded) in a message of %d cost %d from the server, %d of them beside the file", len(want), p.Octets, len(raw), cost, cost-p.Octets)
	if cost > p.Octets+16<<10 {
		t.Errorf("it cost %d octets", cost)
	}

	// The link drops in the middle: it goes on there.
	link.ResetCounters()
	link.CutAfter(testserver.ToClient, 700<<10)
	c := FetchPart{Target: f.target(1), Section: p.Section, Octets: p.Octets, Into: NewStream()}
	id := f.s.Do(c)
	half := make([]byte, 300<<10)
	if _, err := io.ReadFull(c.Into, half); err != nil {
		t.Fatal(err)
	}
	link.Heal()
	rest, err := io.ReadAll(c.Into)
	if r := f.result(id); err != nil || r.Err != nil {
		t.Fatalf("%v, %v", err, r.Err)
	}
	if both := append(half, rest...); !bytes.Equal(both, code) {
		t.Errorf("behind the drop it is another: %d octets, want %d", len(both), len(code))
	}
	asked := 0
	for _, line := range traced(f, "BODY.PEEK[3]") {
		if strings.Contains(line, "<0.") {
			asked++
		}
	}
	if asked != 2 { // once for each of the two times that it was fetched
		t.Errorf("the beginning of the part was asked for %d times", asked)
	}

	// All of the message goes the same way.
	all, r, err := fetched(f, FetchPart{Target: f.target(1), Octets: s.Size})
	if err != nil || r.Err != nil || !r.Note.IsEmpty() || string(all) != raw {
		t.Errorf("the message came as %d octets, %v, %v, %q", len(all), err, r.Err, r.Note)
	}
}

// traced are the commands of the trace that contain what.
func traced(f *follower, what string) (out []string) {
	for _, line := range f.s.cfg.Trace.Lines() {
		if strings.Contains(line.Text, what) && !strings.HasPrefix(line.Text, "*") {
			out = append(out, line.Text)
		}
	}
	return out
}

// partServer is a fake server whose message has one part, of which a test can spoil
// everything.
type partServer struct {
	*fakeServer
	body   string // of section 2
	octets int    // what the structure says of it
	shape  string // the structure; "": the usual one
	short  int    // octets that are sent at most at a time
	before func(c *fakeConn, off int) (gone bool)
}

func newPartServer(t *testing.T, body string) *partServer {
	s := &partServer{fakeServer: newFake(t, 3), body: body, octets: len(body), short: 1 << 30}
	s.on = func(c *fakeConn, tag, cmd string) bool {
		var uid, off, n int
		if _, err := fmt.Sscanf(cmd, "UID FETCH %d ", &uid); err != nil || !s.has(uid) {
			return false
		}
		switch {
		case strings.Contains(cmd, "BODYSTRUCTURE"):
			shape := s.shape
			if shape == "" {
				shape = fmt.Sprintf(`(("text" "plain" NIL NIL NIL "7bit" 3 1)("application" "pdf" ("name" "a.pdf") NIL NIL "8bit" %d) "mixed")`, s.octets)
			}
			c.send(fmt.Sprintf("* 1 FETCH (UID %d RFC822.SIZE 4000000 BODYSTRUCTURE %s)", uid, shape), tag+" OK done")
			return true
		case strings.Contains(cmd, "BODY.PEEK[2]<"):
			_, _ = fmt.Sscanf(cmd[strings.Index(cmd, "BODY.PEEK[2]<"):], "BODY.PEEK[2]<%d.%d>", &off, &n)
			if s.before != nil && s.before(c, off) {
				return true
			}
			part := s.body[min(off, len(s.body)):min(off+min(n, s.short), len(s.body))]
			c.send(fmt.Sprintf("* 1 FETCH (UID %d RFC822.SIZE 4000000 BODY[2]<%d> {%d}\r\n%s)", uid, off, len(part), part), tag+" OK done")
			return true
		}
		return false
	}
	return s
}

func (s *partServer) has(uid int) (there bool) {
	s.with(func() {
		there = slices.ContainsFunc(s.rows, func(r fakeRow) bool { return int(r.uid) == uid })
	})
	return there
}

const partLength = 900_000

func (s *partServer) part(f *follower) FetchPart {
	return FetchPart{Target: f.target(1), Section: "2", Octets: int64(s.octets)}
}

func TestPartOfAServerThatMiscounts(t *testing.T) {
	body := string(noise(partLength))
	for _, test := range []struct {
		name   string
		octets int
		short  int
		note   string
		limit  int64
		want   string
	}{
		{"as it should be", partLength, 1 << 30, "", 0, body},
		{"more than it said", partLength - 1000, 1 << 30, "announced 899000 octets of it and sent 900000", 0, body},
		{"less than it said", partLength + 1000, 1 << 30, "announced 901000 octets of it and sent 900000", 0, body},
		{"small pieces", partLength, 10_000, "", 0, body},
		{"no more than is wanted", partLength, 1 << 30, "", 5000, body[:5000]},
		{"wanted more than there is", partLength, 1 << 30, "", partLength + 5000, body},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newPartServer(t, body)
				srv.octets, srv.short = test.octets, test.short
				f, _ := start(t, srv.config())
				f.live(1)
				c := srv.part(f)
				c.Limit = test.limit
				got, r, err := fetched(f, c)
				if err != nil || r.Err != nil || string(got) != test.want {
					t.Errorf("%d octets, want %d: %v, %v", len(got), len(test.want), err, r.Err)
				}
				if !strings.Contains(r.Note.String(), test.note) || test.note == "" && !r.Note.IsEmpty() {
					t.Errorf("it says %q, want %q", r.Note, test.note)
				}
				last := f.progress[len(f.progress)-1]
				if !last.Ended || last.Done != int64(len(test.want)) {
					t.Errorf("the last that was told of its progress is %+v", last)
				}
			})
		})
	}
}

// TestWholeMessageAsAPart: a message is one as well, unless it has another size than
// it was said to have.
func TestWholeMessageAsAPart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f, _ := start(t, newFake(t, 3).config())
		f.live(1)
		got, r, err := fetched(f, FetchPart{Target: f.target(3), Octets: int64(fakeSize(3))})
		if err != nil || r.Err != nil || string(got) != fakeBody(3) {
			t.Errorf("%d octets, %v, %v", len(got), err, r.Err)
		}
		_, r, err = fetched(f, FetchPart{Target: f.target(3), Octets: int64(fakeSize(3)) + 1})
		if err == nil || r.Err == nil || !strings.Contains(r.Err.Error(), "another size") {
			t.Errorf("of another size: %v, %v", err, r.Err)
		}
		_, r, err = fetched(f, FetchPart{Target: f.target(77), Octets: 5})
		if err == nil || r.Err == nil || !strings.Contains(r.Err.Error(), "gone") {
			t.Errorf("one that is not there: %v, %v", err, r.Err)
		}
	})
}

// TestPartEndsWhereItCannotGoOn: nothing that is not the rest of the same part ever
// follows its beginning.
func TestPartEndsWhereItCannotGoOn(t *testing.T) {
	body := string(noise(partLength))
	for _, test := range []struct {
		name  string
		spoil func(s *partServer)
		err   string
	}{
		{"another structure", func(s *partServer) { s.octets = partLength + 1 }, "not what it was"},
		{"no such part", func(s *partServer) { s.shape = `("text" "plain" NIL NIL NIL "7bit" 3 1)` }, "not what it was"},
		{"a structure that cannot be read", func(s *partServer) { s.shape = `("text" "plain" ("name" """") NIL NIL "7bit" 3 1)` }, "does not say clearly"},
		{"renumbered", func(s *partServer) { s.validity = 8 }, "renumbered"},
		{"expunged", func(s *partServer) { s.body, s.rows = "", s.rows[1:] }, "gone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newPartServer(t, body)
				broken := false
				srv.before = func(c *fakeConn, off int) bool {
					if off == 0 || broken {
						return false
					}
					broken = true
					srv.with(func() { test.spoil(srv) })
					c.conn.Close()
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				got, r, err := fetched(f, srv.part(f))
				if r.Err == nil || !strings.Contains(r.Err.Error(), test.err) || err == nil {
					t.Errorf("it ended with %v (%v), want %q", r.Err, err, test.err)
				}
				if !strings.HasPrefix(body, string(got)) {
					t.Error("something else was fetched")
				}
			})
		})
	}
}

// TestPartGoesOnAfterDrops: however often the link breaks, no octet is missing and
// none comes twice.
func TestPartGoesOnAfterDrops(t *testing.T) {
	bubble(t, func(t *testing.T) {
		body := string(noise(3_000_000))
		srv := newPartServer(t, body)
		n := 0
		srv.before = func(c *fakeConn, off int) bool {
			if n++; n%2 == 0 {
				// Half a literal, and then nothing.
				c.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[2]<%d> {100000}\r\n%s", off, body[off:off+1000]))
				c.conn.Close()
				return true
			}
			return false
		}
		f, _ := start(t, srv.config())
		f.live(1)
		got, r, err := fetched(f, srv.part(f))
		if err != nil || r.Err != nil || string(got) != body {
			t.Errorf("%d octets of %d: %v, %v", len(got), len(body), err, r.Err)
		}
	})
}

// TestPartWaitsForItsReader: a disk that does not write makes the part wait, and
// nothing else.
func TestPartWaitsForItsReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newPartServer(t, string(noise(5_000_000)))
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.part(f)
		c.Into = NewStream()
		id := f.s.Do(c)
		time.Sleep(time.Second) // of virtual time
		synctest.Wait()
		if held := c.Into.held; held < streamRoom || held > streamRoom+bodyChunk {
			t.Errorf("%d octets are held", held)
		}
		if r := f.do(StoreFlags{Target: f.target(2), Add: []string{`\Seen`}}); r.Err != nil {
			t.Error(r.Err)
		}
		if b, err := io.ReadAll(c.Into); err != nil || string(b) != srv.body {
			t.Errorf("%d octets, %v", len(b), err)
		}
		if r := f.result(id); r.Err != nil {
			t.Error(r.Err)
		}
	})
}

// TestPartIsTakenBack: at once, while it waits for its reader as well, and the link
// serves the next command.
func TestPartIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newPartServer(t, string(noise(5_000_000)))
		f, _ := start(t, srv.config())
		f.live(1)
		c := srv.part(f)
		c.Into = NewStream()
		id := f.s.Do(c)
		time.Sleep(time.Second) // of virtual time
		synctest.Wait()
		f.s.Cancel(id)
		if r := f.result(id); !errors.Is(r.Err, context.Canceled) {
			t.Errorf("it ended with %v", r.Err)
		}
		if _, err := io.ReadAll(c.Into); !errors.Is(err, context.Canceled) {
			t.Errorf("who reads it is told %v", err)
		}
		if got, r, err := fetched(f, srv.part(f)); err != nil || r.Err != nil || string(got) != srv.body {
			t.Errorf("again: %d octets, %v, %v", len(got), err, r.Err)
		}
	})
}

func TestStructureThatCannotBeRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newPartServer(t, "x")
		srv.shape = `("text" "plain" ("name" """") NIL NIL "7bit" 3 1)`
		f, _ := start(t, srv.config())
		f.live(1)
		if _, r := f.structureOf(FetchStructure{Target: f.target(1)}); !errors.Is(r.Err, ErrNoStructure) {
			t.Errorf("%v", r.Err)
		}
		srv.with(func() {
			srv.on = func(c *fakeConn, tag, cmd string) bool {
				if strings.Contains(cmd, "BODYSTRUCTURE") {
					c.send(tag + " NO not today")
					return true
				}
				return false
			}
		})
		if _, r := f.structureOf(FetchStructure{Target: f.target(1)}); !errors.Is(r.Err, ErrNoStructure) || !strings.Contains(r.Err.Error(), strconv.Quote("not today")) {
			t.Errorf("%v", r.Err)
		}
		if _, r := f.structureOf(FetchStructure{Target: f.target(77)}); r.Err == nil {
			t.Error("a message that is not there has a structure")
		}
		// And the link lives.
		if r := f.do(StoreFlags{Target: f.target(2), Add: []string{`\Seen`}}); r.Err != nil || len(srv.conns) != 1 {
			t.Errorf("%v, %d connections", r.Err, len(srv.conns))
		}
	})
}

// TestStructureOfDeepNesting: what only nests does not end the link.
func TestStructureOfDeepNesting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newPartServer(t, "x")
		srv.shape = strings.Repeat("(", 90) + `"application" "pdf" NIL NIL NIL "7bit" 3` + strings.Repeat(`) "mixed"`, 89) + ")"
		f, _ := start(t, srv.config())
		f.live(1)
		s, r := f.structureOf(FetchStructure{Target: f.target(1)})
		want := strings.TrimSuffix(strings.Repeat("1.", 89), ".")
		if r.Err != nil || len(s.Parts) != 1 || s.Parts[0].Section != want || len(srv.conns) != 1 {
			t.Errorf("%v %+v, %d connections", r.Err, s.Parts, len(srv.conns))
		}
	})
}

// TestPartsOfTheCorpus: what Dovecot says of odd messages, and what it gives of
// their parts, is what is found in the messages when they are at hand; or the two
// disagree on a part's type, where the number is not used.
func TestPartsOfTheCorpus(t *testing.T) {
	names, err := filepath.Glob("../internal/message/testdata/mail/*.eml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	srv := testserver.Dovecot(t)
	raws := make([][]byte, len(names))
	srv.Fill(t, "INBOX", len(names), func(i int) testserver.Mail {
		if raws[i], err = os.ReadFile(names[i]); err != nil {
			t.Fatal(err)
		}
		return testserver.Mail{Raw: raws[i], Date: time.Unix(1_790_000_000+int64(i), 0)}
	})
	f, _ := start(t, configFor(t, srv.Addr, srv.User, srv.Password))
	f.live(1)
	same, other := 0, 0
	for i, raw := range raws {
		name, uid := filepath.Base(names[i]), store.UID(i+1)
		s, r := f.structureOf(FetchStructure{Target: f.target(uid)})
		if r.Err != nil {
			t.Errorf("%s: %v", name, r.Err)
			continue
		}
		theirs := map[string]message.Remote{}
		for _, p := range s.Parts {
			theirs[p.Section] = p
		}
		for _, ours := range message.Parse(raw, false).Attachments {
			p, ok := theirs[ours.Section]
			if ours.File > 0 || ours.Section == "" {
				continue
			}
			if !ok || p.Type != ours.Type {
				t.Logf("%s: part %s is %s here and %q there", name, ours.Section, ours.Type, p.Type)
				other++
				continue
			}
			code, r, err := fetched(f, FetchPart{Target: f.target(uid), Section: p.Section, Octets: p.Octets})
			if err != nil || r.Err != nil || !r.Note.IsEmpty() {
				t.Errorf("%s: part %s: %v, %v, %q", name, p.Section, err, r.Err, r.Note)
				continue
			}
			got, err := io.ReadAll(p.Decode(bytes.NewReader(code)))
			want, _ := message.Content(raw, ours)
			if p.Name != ours.Name {
				t.Logf("%s: part %s is called %q here and %q there", name, p.Section, ours.Name, p.Name)
			}
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: part %s (%s): %d octets, at hand %d: %v\n%.80q\n%.80q", name, p.Section, p.Type, len(got), len(want), err, got, want)
			}
			same++
		}
	}
	t.Logf("%d parts of %d messages are the same, %d are taken for something else", same, len(names), other)
	if same < 10 {
		t.Error("there is nothing to be compared")
	}
}
