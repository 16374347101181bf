package imapsession

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestTextThatNobodyAskedForIsNotKept: a server answers every FETCH with a large
// text, asked for or not.
func TestTextThatNobodyAskedForIsNotKept(t *testing.T) {
	const (
		size   = 24 << 20 // of each
		budget = size / 2 // what all of them together may make us allocate
	)
	chunk := bytes.Repeat([]byte("All work and no play.\r\n"), 64<<10/23)
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2)
		sent := 0
		srv.on = func(c *fakeConn, tag, cmd string) bool {
			_, args, isFetch := strings.Cut(cmd, "FETCH ")
			if !isFetch {
				return false
			}
			set, items, _ := strings.Cut(args, " ")
			c.wmu.Lock()
			defer c.wmu.Unlock()
			for i, r := range srv.rows {
				n := uint32(i + 1)
				if strings.HasPrefix(cmd, "UID ") {
					n = r.uid
				}
				if !inSet(set, n, 2) {
					continue
				}
				fmt.Fprintf(c.conn, "* %d FETCH (%s BODY[TEXT] {%d}\r\n", i+1, fakeItems(r, items), size)
				for left := size; left > 0; {
					k, err := c.conn.Write(chunk[:min(left, len(chunk))])
					if err != nil {
						return true
					}
					left -= k
				}
				fmt.Fprint(c.conn, ")\r\n")
				sent++
			}
			fmt.Fprintf(c.conn, "%s OK done\r\n", tag)
			return true
		}
		cfg := srv.config()
		cfg.Cache, cfg.Prefetch = newFakeCache(), true
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f, _ := start(t, cfg)
		f.live(1)
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 1, Hi: 2})
		srv.idling(t)
		runtime.ReadMemStats(&after)
		if n := len(srv.said("(UID RFC822.SIZE)")); n == 0 {
			t.Error("no size was asked for: the test is about nothing")
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > budget {
			t.Errorf("%d texts of %d MiB made us allocate %d MiB", sent, size>>20, got>>20)
		}
		f.inStep(srv)
	})
}
