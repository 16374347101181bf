package state

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"tidings/internal/crash"
	"tidings/store"
)

// again is how often a process that is not the one that tells looks whether that
// one is gone.
const again = 2 * time.Second

// Marks is up to where the person was told of one account's mailbox. Its methods
// may be called from any goroutine.
type Marks struct {
	s                *State
	account, mailbox string
	ready            chan struct{} // closed when the file has been read
	turn             chan struct{} // closed when this process is the one that tells
	end              chan struct{}
	once             sync.Once

	mu   sync.Mutex
	mark mark
}

// mark is a row of the file.
type mark struct {
	known    bool
	validity uint32
	uid      store.UID
	at       time.Time
}

// Marks opens those of an account's mailbox. account is a name that stays the
// same, whatever the person calls the account.
func (s *State) Marks(account, mailbox string) *Marks {
	m := &Marks{
		s: s, account: account, mailbox: mailbox,
		ready: make(chan struct{}), turn: make(chan struct{}), end: make(chan struct{}),
	}
	crash.Go("turn to tell", m.await)
	return m
}

// Close gives the turn to another process, soon. It must come before the State's.
func (m *Marks) Close() { m.once.Do(func() { close(m.end) }) }

// await takes the lock as soon as it is free, and then keeps it.
func (m *Marks) await() {
	held, err := m.lock()
	m.read()
	// Without locks everybody tells: rather twice than never.
	mine := err != errLocked
	if mine {
		close(m.turn)
	}
	close(m.ready)
	timer := time.NewTimer(again)
	defer timer.Stop()
	for !mine {
		select {
		case <-m.end:
			return
		case <-timer.C:
			timer.Reset(again)
		}
		if held, err = m.lock(); err != errLocked {
			mine = true
			m.read() // how far the other came
			close(m.turn)
		}
	}
	<-m.end
	if held != nil {
		held()
	}
}

// lock takes the lock; release gives it back.
func (m *Marks) lock() (release func(), err error) {
	if err := os.MkdirAll(m.s.o.Dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(m.account + "\x00" + m.mailbox))
	f, err := lock(filepath.Join(m.s.o.Dir, "told-"+hex.EncodeToString(sum[:6])+".lease"), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}

// read brings the mark from the file and returns when it is here.
func (m *Marks) read() {
	done := make(chan struct{})
	m.s.look(func(c *sqlite.Conn) {
		defer close(done)
		if c == nil {
			return
		}
		var found mark
		err := sqlitex.Execute(c, "SELECT validity, uid, at FROM told WHERE account = ? AND mailbox = ?", &sqlitex.ExecOptions{
			Args: []any{m.account, []byte(m.mailbox)},
			ResultFunc: func(s *sqlite.Stmt) error {
				found = mark{true, uint32(s.ColumnInt64(0)), store.UID(s.ColumnInt64(1)), time.Unix(s.ColumnInt64(2), 0)}
				return nil
			},
		})
		if err != nil {
			m.s.failed(err)
			return
		}
		m.mu.Lock()
		m.mark = found
		m.mu.Unlock()
	})
	select {
	case <-done:
	case <-m.s.ended:
	}
}

// Turn is closed when it is this process that tells the person.
func (m *Marks) Turn() <-chan struct{} { return m.turn }

// Mark returns the highest UID of a place that the person was told of, and when
// that was all there was. ok is false where nothing is known of it.
func (m *Marks) Mark(at store.Place) (uid store.UID, when time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.mark.known || at.Mailbox != m.mailbox || m.mark.validity != at.UIDValidity {
		return 0, time.Time{}, false
	}
	return m.mark.uid, m.mark.at, true
}

// Told is Mark as a session asks for it: it waits until the file has been read.
func (m *Marks) Told(at store.Place) (store.UID, bool) {
	<-m.ready
	uid, _, ok := m.Mark(at)
	return uid, ok
}

// Tell records that the person was told of all mail up to uid, and calls recorded
// when that is on the disk, or cannot be brought there. A mark never goes back,
// but for another UIDVALIDITY.
func (m *Marks) Tell(at store.Place, uid store.UID, recorded func()) {
	now := time.Now()
	m.mu.Lock()
	if m.mark.known && m.mark.validity == at.UIDValidity {
		uid = max(uid, m.mark.uid)
	}
	m.mark = mark{true, at.UIDValidity, uid, now}
	m.mu.Unlock()
	m.s.do(func(c *sqlite.Conn) {
		defer recorded()
		if c == nil {
			return
		}
		m.s.failed(sqlitex.Execute(c,
			`INSERT INTO told(account, mailbox, validity, uid, at) VALUES(?, ?, ?, ?, ?)
			 ON CONFLICT DO UPDATE SET validity = excluded.validity, at = excluded.at,
			 uid = CASE validity WHEN excluded.validity THEN max(uid, excluded.uid) ELSE excluded.uid END`,
			&sqlitex.ExecOptions{Args: []any{m.account, []byte(m.mailbox), int64(at.UIDValidity), int64(uid), now.Unix()}}))
	})
}
