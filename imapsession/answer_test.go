package imapsession

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A server that sends less than was asked for, or says another size than the
// message has, does not make us take a part for the whole.
func TestBodyInTheServersPortions(t *testing.T) {
	whole := fakeBody(200) // 44 KB
	for _, test := range []struct {
		name string
		most int // octets the server sends at once
		size int // what it says of the message
	}{
		{"small portions", 10_000, len(whole)},
		{"small portions, size too large", 10_000, len(whole) + 5},
		{"small portions, size too small", 10_000, 15_000},
		{"size too large", 1 << 20, len(whole) + 5},
		{"size too small", 1 << 20, 3},
		{"no size", 1 << 20, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 200)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					i := strings.Index(cmd, "BODY.PEEK[]<")
					if i < 0 {
						return false
					}
					var off, n int
					fmt.Sscanf(cmd[i:], "BODY.PEEK[]<%d.%d>", &off, &n)
					part := whole[min(off, len(whole)):min(off+min(n, test.most), len(whole))]
					c.send(fmt.Sprintf("* 200 FETCH (UID 200 RFC822.SIZE %d BODY[]<%d> {%d}\r\n%s)", test.size, off, len(part), part), tag+" OK done")
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				id := f.s.Do(FetchBody{Target: f.target(200)})
				if r := f.result(id); r.Err != nil {
					t.Fatal(r.Err)
				}
				b := f.bodies[id]
				if !b.Complete || b.Truncated {
					t.Errorf("complete %v, truncated %v", b.Complete, b.Truncated)
				}
				if string(b.Data) != whole {
					t.Errorf("%d of %d octets", len(b.Data), len(whole))
				}
				if n := len(srv.said("BODY.PEEK[]")); n > len(whole)/min(test.most, len(whole))+2 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

// The unread count is the server's, or not known.
func TestUnseenFromAServerThatAnswersOtherwise(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(tag string) []string
		known  bool
	}{
		{"a SEARCH from one that offers ESEARCH", func(tag string) []string { return []string{"* SEARCH 1 2 3 4 5", tag + " OK done"} }, true},
		{"an ESEARCH of which messages", func(tag string) []string {
			return []string{`* ESEARCH (TAG "` + tag + `") UID ALL 1:5`, tag + " OK done"}
		}, true},
		{"an ESEARCH of nothing", func(tag string) []string {
			return []string{`* ESEARCH (TAG "` + tag + `") UID`, tag + " OK done"}
		}, false},
		{"OK and nothing", func(tag string) []string { return []string{tag + " OK done"} }, false},
		{"more than there are", func(tag string) []string {
			return []string{`* ESEARCH (TAG "` + tag + `") UID COUNT 4000000000`, tag + " OK done"}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(cmd, "UID SEARCH") {
						return false
					}
					c.send(test.answer(tag)...)
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if f.unseen.Known != test.known || f.unseen.Known && f.unseen.N != 5 {
					t.Errorf("unread: %+v", f.unseen)
				}
				if n := len(srv.said("UID SEARCH")); n > 2 {
					t.Errorf("asked %d times in five minutes", n)
				}
			})
		})
	}
}

// A server that finds nothing where something must be has not told that all
// messages are gone.
func TestReconcileWithAServerThatFindsNothing(t *testing.T) {
	for _, answer := range []string{"", "* SEARCH", `* ESEARCH (TAG "%s") UID`} {
		t.Run(answer, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 5)
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					if !strings.HasPrefix(cmd, "UID SEARCH RETURN (ALL)") {
						return false
					}
					if answer != "" {
						c.send(strings.Replace(answer, "%s", tag, 1))
					}
					c.send(tag + " OK done")
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				srv.last().conn.Close()
				f.live(2)
				f.inStep(srv)
				if got := f.resyncs[len(f.resyncs)-1]; len(got.Gone) > 0 || got.Arrived > 0 {
					t.Errorf("gone %v, arrived %d", got.Gone, got.Arrived)
				}
			})
		})
	}
}

// A message that is expunged while it is being fetched has not become shorter.
// Dovecot answers for it as if it were empty.
func TestBodyOfAMessageThatIsExpungedMeanwhile(t *testing.T) {
	for _, test := range []struct {
		name  string
		parts int // that come before
		told  string
	}{
		{"before the first part, told with it", 0, "FETCH"},
		{"before the second part, told with it", 1, "FETCH"},
		{"before the first part, told when asked", 0, "NOOP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 2000)
				parts := 0
				tell := func(c *fakeConn, where string) {
					if where == test.told && len(srv.rows) == 2000 {
						srv.with(func() { srv.rows = srv.rows[:1999] })
						c.send("* 2000 EXPUNGE")
					}
				}
				srv.on = func(c *fakeConn, tag, cmd string) bool {
					switch {
					case strings.Contains(cmd, "BODY.PEEK[]"):
						if parts++; parts <= test.parts {
							return false
						}
						off := cmd[strings.Index(cmd, "<")+1 : strings.LastIndex(cmd, ".")]
						c.send("* 2000 FETCH (UID 2000 RFC822.SIZE 0 BODY[]<" + off + "> {0}\r\n)")
						tell(c, "FETCH")
						c.send(tag + " OK [EXPUNGEISSUED] Some messages were already expunged")
					case cmd == "NOOP" && parts > 0:
						tell(c, "NOOP")
						c.send(tag + " OK done")
					default:
						return false
					}
					return true
				}
				f, _ := start(t, srv.config())
				f.live(1)
				srv.idling(t)
				id := f.s.Do(FetchBody{Target: f.target(2000)})
				if r := f.result(id); !errors.Is(r.Err, errGone) {
					t.Errorf("result %v", r.Err)
				}
				if b := f.bodies[id]; b.Complete {
					t.Errorf("%d octets are said to be all", len(b.Data))
				}
				if n := f.list.Len(); n != 1999 {
					t.Errorf("%d rows", n)
				}
			})
		})
	}
}

func TestEmptyMessageIsEmpty(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 3)
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			if !strings.Contains(cmd, "BODY.PEEK[]") {
				return false
			}
			c.send(`* 3 FETCH (UID 3 RFC822.SIZE 0 BODY[]<0> "")`, tag+" OK done")
			return true
		}
		f, _ := start(t, srv.config())
		f.live(1)
		srv.idling(t)
		id := f.s.Do(FetchBody{Target: f.target(3)})
		if r := f.result(id); r.Err != nil || !f.bodies[id].Complete {
			t.Errorf("result %v, %+v", r.Err, f.bodies[id])
		}
	})
}
