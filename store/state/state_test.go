package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"tidings/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("TIDINGS_TEST_TELL"); dir != "" {
		tellChild(dir)
	}
	goleak.VerifyTestMain(m)
}

const patience = 10 * time.Second

// opened is a State and its Marks in dir, and what was said.
func opened(t *testing.T, dir string) (*Marks, *[]string, func()) {
	t.Helper()
	var said []string
	s := Open(Options{Dir: dir, Say: func(text string) { said = append(said, text) }})
	m := s.Marks("alice@imap.example.org:993", "INBOX")
	return m, &said, func() {
		m.Close()
		s.Close(patience)
	}
}

func (m *Marks) tell(t *testing.T, at store.Place, uid store.UID) {
	t.Helper()
	done := make(chan struct{})
	m.Tell(at, uid, func() { close(done) })
	wait(t, done, "the mark to be written")
}

func wait(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("waiting for %s took %v", what, patience)
	}
}

func at(validity uint32) store.Place { return store.Place{Mailbox: "INBOX", UIDValidity: validity} }

func TestAMarkOutlivesTheProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	m, said, end := opened(t, dir)
	if _, ok := m.Told(at(7)); ok {
		t.Error("something is known of a mailbox never seen")
	}
	wait(t, m.Turn(), "the turn")
	m.tell(t, at(7), 0) // an empty mailbox was seen
	if uid, ok := m.Told(at(7)); !ok || uid != 0 {
		t.Errorf("the mark is %d, %v", uid, ok)
	}
	m.tell(t, at(7), 41)
	m.tell(t, at(7), 40) // never back
	end()

	m, _, end = opened(t, dir)
	if uid, ok := m.Told(at(7)); !ok || uid != 41 {
		t.Errorf("the mark is %d, %v; want 41", uid, ok)
	}
	if _, when, _ := m.Mark(at(7)); time.Since(when) > time.Minute {
		t.Errorf("it was told at %v", when)
	}
	if _, ok := m.Told(at(8)); ok {
		t.Error("a mark holds for another UIDVALIDITY")
	}
	if _, ok := m.Told(store.Place{Mailbox: "Archive", UIDValidity: 7}); ok {
		t.Error("a mark holds for another mailbox")
	}
	m.tell(t, at(8), 3) // the mailbox was renumbered
	end()
	m, _, end = opened(t, dir)
	if uid, ok := m.Told(at(8)); !ok || uid != 3 {
		t.Errorf("the mark is %d, %v; want 3", uid, ok)
	}
	end()
	if len(*said) > 0 {
		t.Errorf("it is said: %q", *said)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, File: 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%q has the mode %v (%v), want %v", name, info.Mode(), err, mode)
		}
	}
}

// TestTheTurnPassesOn, and with it what the one before has told.
func TestTheTurnPassesOn(t *testing.T) {
	dir := t.TempDir()
	first, _, endFirst := opened(t, dir)
	wait(t, first.Turn(), "the turn")
	first.tell(t, at(7), 10)
	second, _, endSecond := opened(t, dir)
	defer endSecond()
	if uid, ok := second.Told(at(7)); !ok || uid != 10 {
		t.Errorf("the second knows %d, %v", uid, ok)
	}
	select {
	case <-second.Turn():
		t.Fatal("two processes tell")
	default:
	}
	first.tell(t, at(7), 12)
	endFirst()
	wait(t, second.Turn(), "the turn to pass on")
	if uid, _, ok := second.Mark(at(7)); !ok || uid != 12 {
		t.Errorf("taking over, the mark is %d, %v; want 12", uid, ok)
	}
}

// TestFilesThatAreNotOurs: a damaged one is set aside, others are left alone, and
// the program goes on.
func TestFilesThatAreNotOurs(t *testing.T) {
	execute := func(t *testing.T, path, sql string) {
		t.Helper()
		c, err := sqlite.OpenConn(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sqlitex.ExecuteScript(c, sql, nil), c.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name    string
		make    func(t *testing.T, path string)
		says    string
		aside   bool
		forever bool // what is told is kept
	}{
		{"nonsense", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("nonsense", 1000)), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "damaged", true, true},
		{"another program's", func(t *testing.T, path string) { execute(t, path, "CREATE TABLE x(y)") }, "another program's", false, false},
		{"a later version's", func(t *testing.T, path string) {
			execute(t, path, fmt.Sprintf("CREATE TABLE x(y); PRAGMA application_id = %d; PRAGMA user_version = 1000", applicationID))
		}, "later version", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, File)
			c.make(t, path)
			m, said, end := opened(t, dir)
			if _, ok := m.Told(at(7)); ok {
				t.Error("something is known")
			}
			m.tell(t, at(7), 5)
			if uid, ok := m.Told(at(7)); !ok || uid != 5 {
				t.Error("it does not work until the program ends")
			}
			end()
			if len(*said) != 1 || !strings.Contains((*said)[0], c.says) {
				t.Errorf("it is said: %q", *said)
			}
			if _, err := os.Stat(path + ".damaged-1"); (err == nil) != c.aside {
				t.Errorf("set aside: %v", err == nil)
			}
			m, _, end = opened(t, dir)
			if _, ok := m.Told(at(7)); ok != c.forever {
				t.Errorf("kept: %v", ok)
			}
			end()
		})
	}
}

// TestBegunWithTheFirstThingKept: looking makes no file, and does not wait for one;
// one that another process has begun meanwhile is seen.
func TestBegunWithTheFirstThingKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	path := filepath.Join(dir, File)
	first, second := startProcess(dir, alice), startProcess(dir, alice)
	marks := first.s.Marks(alice, "INBOX")
	if uid, ok := marks.Told(at(1)); ok {
		t.Errorf("told up to %d", uid)
	}
	if some := first.claim(); len(some) > 0 {
		t.Errorf("claimed %v", some)
	}
	folders := func(p *process) string {
		done := make(chan []byte)
		p.o.Folders(func(b []byte) { done <- b })
		return string(<-done)
	}
	if got := folders(first); got != "" {
		t.Errorf("folders %q", got)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("nothing is kept, and there is a file (%v)", err)
	}

	second.o.KeepFolders([]byte("Archive")) // nobody waits for it
	second.put(entry(1))
	second.killed()
	if got := folders(first); got != "Archive" {
		t.Errorf("folders %q after another process kept them", got)
	}
	if some := first.claim(); len(some) != 1 {
		t.Errorf("claimed %v after another process put one and ended", some)
	}
	marks.Close()
	first.end()
}

// TestKeptWithoutWaiting: what nobody waits for is written all the same, by itself
// and by the end.
func TestKeptWithoutWaiting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	for _, way := range []string{"after a while", "by the end"} {
		p := startProcess(dir, alice)
		p.o.KeepFolders([]byte(way))
		for end := time.Now().Add(patience); way == "after a while"; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Lstat(filepath.Join(dir, File)); err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("nothing is written %v later", patience)
			}
		}
		p.end()
		p = startProcess(dir, alice)
		done := make(chan []byte)
		p.o.Folders(func(b []byte) { done <- b })
		if got := string(<-done); got != way {
			t.Errorf("%q is kept, want %q", got, way)
		}
		p.end()
	}
}
