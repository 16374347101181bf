package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"tidings/store"
)

const alice = "alice@imap.example.org:993"

// process is what one process has of a state directory.
type process struct {
	s *State
	o *Outbox
}

func startProcess(dir, account string) *process {
	s := Open(Options{Dir: dir})
	return &process{s, s.Outbox(account)}
}

// end ends a process as it should end; killed as kill -9 does: the system takes
// its locks, and it says no more.
func (p *process) end() {
	p.o.Close(patience)
	p.s.Close(patience)
}

func (p *process) killed() {
	p.settled()
	if p.o.lease != nil {
		p.o.lease.Close() // the file stays, as the system leaves it
		p.o.lease = nil
	}
	p.end()
}

// settled waits until all that was asked for is on the disk.
func (p *process) settled() {
	done := make(chan struct{})
	p.o.change(func(*sqlite.Conn) error { return nil }, func(error) { close(done) })
	<-done
}

func (p *process) put(e store.Entry) int64 {
	type answer struct {
		id  int64
		err error
	}
	done := make(chan answer, 1)
	p.o.Put(e, func(id int64, err error) { done <- answer{id, err} })
	a := <-done
	if a.err != nil {
		panic(a.err)
	}
	return a.id
}

func (p *process) claim() []store.Entry {
	done := make(chan []store.Entry, 1)
	p.o.Claim(func(entries []store.Entry, err error) {
		if err != nil {
			panic(err)
		}
		done <- entries
	})
	return <-done
}

func entry(n int) store.Entry {
	return store.Entry{
		Place:   store.Place{Mailbox: "B\xffx", UIDValidity: 1<<32 - 1}, // a name that is no text
		Command: []byte(fmt.Sprintf("command %d", n)),
		Created: time.UnixMilli(1_700_000_000_123 + int64(n)),
		Progress: store.Progress{
			Stage: 1, Landing: store.Landing{UIDValidity: 9, Next: 1<<32 - 1}, Attempts: n,
		},
	}
}

// TestWhatWaitsOutlivesTheProgram, in its order and as it was.
func TestWhatWaitsOutlivesTheProgram(t *testing.T) {
	for _, how := range []string{"ended", "killed"} {
		t.Run(how, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			p := startProcess(dir, alice)
			if found := p.claim(); len(found) > 0 {
				t.Fatalf("an empty outbox has %v", found)
			}
			var want []store.Entry
			for n := range 5 {
				e := entry(n)
				e.ID = p.put(e)
				want = append(want, e)
			}
			p.o.Remove(want[1].ID)
			want = append(want[:1], want[2:]...)
			want[2].Progress = store.Progress{Stage: 3, Landing: store.Landing{UIDValidity: 7, Next: 8}, Attempts: 2}
			p.o.Note(want[2].ID, want[2].Progress, nil)
			other := startProcess(dir, "bob@imap.example.org:993")
			other.put(entry(99))
			if found := p.claim(); len(found) > 0 {
				t.Errorf("a process is handed its own entries: %v", found)
			}
			if how == "killed" {
				p.killed()
			} else {
				p.end()
			}
			p = startProcess(dir, alice)
			defer p.end()
			if diff := cmp.Diff(want, p.claim()); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
			if found := p.claim(); len(found) > 0 {
				t.Errorf("handed over twice: %v", found)
			}
			other.end()
			left, err := filepath.Glob(filepath.Join(dir, "outbox-*.lease"))
			if err != nil || len(left) != 1 {
				t.Errorf("lease files: %q, %v", left, err)
			}
		})
	}
}

// TestWithoutAFile actions are not kept, and whoever puts them is told.
func TestWithoutAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no directory can be there
		t.Fatal(err)
	}
	var said []string
	s := Open(Options{Dir: dir, Say: func(text string) { said = append(said, text) }})
	p := &process{s, s.Outbox(alice)}
	done := make(chan error, 2)
	p.o.Put(entry(1), func(_ int64, err error) { done <- err })
	p.o.Claim(func(_ []store.Entry, err error) { done <- err })
	for range 2 {
		if err := <-done; !errors.Is(err, ErrNotKept) {
			t.Errorf("error %v", err)
		}
	}
	p.end()
	if len(said) != 1 || !strings.Contains(said[0], "waits to be sent") {
		t.Errorf("it is said: %q", said)
	}
}

// TestOneProcessClaims holds the outbox against a model, with processes that come,
// end and are killed in any order: nothing is lost, nothing is had by two, and
// each claim is in order.
func TestOneProcessClaims(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "outbox")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var running []*process
		has := map[*process]map[int64]store.Entry{}
		waiting := map[int64]store.Entry{} // owned by nobody
		drop := func(i int) {
			p := running[i]
			running = append(running[:i:i], running[i+1:]...)
			for id, e := range has[p] {
				waiting[id] = e
			}
			delete(has, p)
		}
		defer func() {
			for _, p := range running {
				p.end()
			}
		}()
		some := func(t *rapid.T) int {
			if len(running) == 0 {
				t.Skip("nobody is there")
			}
			return rapid.IntRange(0, len(running)-1).Draw(t, "process")
		}
		one := func(t *rapid.T, p *process) store.Entry {
			var ids []int64
			for id := range has[p] {
				ids = append(ids, id)
			}
			if len(ids) == 0 {
				t.Skip("it has nothing")
			}
			return has[p][rapid.SampledFrom(slices.Sorted(slices.Values(ids))).Draw(t, "entry")]
		}
		n := 0
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				if len(running) < 3 {
					p := startProcess(dir, alice)
					running = append(running, p)
					has[p] = map[int64]store.Entry{}
				}
			},
			"put": func(t *rapid.T) {
				p := running[some(t)]
				n++
				e := entry(n)
				e.ID = p.put(e)
				has[p][e.ID] = e
			},
			"note": func(t *rapid.T) {
				p := running[some(t)]
				e := one(t, p)
				e.Progress = store.Progress{Stage: rapid.Byte().Draw(t, "stage"), Landing: store.Landing{UIDValidity: rapid.Uint32().Draw(t, "v")}}
				p.o.Note(e.ID, e.Progress, nil)
				has[p][e.ID] = e
			},
			"remove": func(t *rapid.T) {
				p := running[some(t)]
				e := one(t, p)
				p.o.Remove(e.ID)
				delete(has[p], e.ID)
				p.settled()
			},
			"release": func(t *rapid.T) {
				p := running[some(t)]
				e := one(t, p)
				p.o.Release(e.ID)
				p.settled()
				delete(has[p], e.ID)
				waiting[e.ID] = e
			},
			"claim": func(t *rapid.T) {
				p := running[some(t)]
				found := p.claim()
				last := int64(0)
				for _, e := range found {
					if e.ID <= last {
						t.Fatalf("%d comes behind %d", e.ID, last)
					}
					last = e.ID
					want, ok := waiting[e.ID]
					if !ok {
						t.Fatalf("claimed %d, which is somebody's", e.ID)
					}
					if diff := cmp.Diff(want, e); diff != "" {
						t.Fatalf("-want +got:\n%s", diff)
					}
					delete(waiting, e.ID)
					has[p][e.ID] = e
				}
				if len(waiting) > 0 {
					t.Fatalf("not claimed: %v", waiting)
				}
			},
			"end": func(t *rapid.T) {
				i := some(t)
				running[i].end()
				drop(i)
			},
			"kill": func(t *rapid.T) {
				i := some(t)
				running[i].killed()
				drop(i)
			},
		})
	})
}
