package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"tidings/internal/crash"
	"tidings/store"
)

// Outbox is what one account's sessions were asked to do and have not done. Its
// methods may be called from any goroutine and never wait; what they are given to
// call is called on a goroutine of the Outbox, in the order of the calls, and must
// not wait.
//
// Each entry belongs to the process that put or claimed it. That one holds a lock
// on a file of its own, which the system takes back when it ends, however it does:
// that is the lease. An entry whose owner has lost it is claimed by the first who
// asks.
type Outbox struct {
	s       *State
	account string
	owner   string        // of this process's entries
	wake    chan struct{} // capacity 1
	end     chan struct{}
	ended   chan struct{}
	once    sync.Once
	lease   *os.File // run's

	mu      sync.Mutex
	pending []change
}

// change is something to be written, and whom to tell of it.
type change struct {
	write func(*sqlite.Conn) error
	then  func(error)
	looks bool // nothing comes of write where there is no file yet
	idle  bool // nobody waits for it
}

// linger is how long what nobody waits for is kept back, for others to come with
// it, and for the first frame of a start to be on the screen.
const linger = 200 * time.Millisecond

// ErrNotKept: there is no file. What would be in it works until the program ends.
var ErrNotKept = errors.New("the state file cannot be used")

// Outbox opens an account's. account is a name that stays the same, whatever the
// person calls the account.
func (s *State) Outbox(account string) *Outbox {
	token := make([]byte, 8)
	_, _ = rand.Read(token) // never fails
	o := &Outbox{
		s: s, account: account, owner: hex.EncodeToString(token),
		wake: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{}),
	}
	crash.Go("outbox", o.run)
	return o
}

// Close leaves what waits to whoever claims it next, when all is written or
// patience is over. It must come before the State's; nothing may be asked for
// after it.
func (o *Outbox) Close(patience time.Duration) {
	o.once.Do(func() { close(o.end) })
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-o.ended:
	case <-timer.C:
	}
}

// Put adds an entry behind all others. written is told its ID when it is on the
// disk, or why it is not.
func (o *Outbox) Put(e store.Entry, written func(id int64, err error)) {
	id := int64(0)
	o.change(func(c *sqlite.Conn) error {
		err := sqlitex.Execute(c, `INSERT INTO outbox(account, owner, mailbox, validity, command, created, stage, landing_validity, landing_next, attempts)
			VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			&sqlitex.ExecOptions{Args: []any{
				o.account, o.owner, []byte(e.Place.Mailbox), int64(e.Place.UIDValidity), e.Command, e.Created.UnixMilli(),
				int64(e.Stage), int64(e.Landing.UIDValidity), int64(e.Landing.Next), e.Attempts,
			}})
		id = c.LastInsertRowID()
		return err
	}, func(err error) { written(id, err) })
}

// Note replaces what is known of how far an entry came; written is told when that
// is on the disk, or why it is not. nil: nobody needs to know.
func (o *Outbox) Note(id int64, p store.Progress, written func(error)) {
	o.change(func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, `UPDATE outbox SET stage = ?, landing_validity = ?, landing_next = ?, attempts = ? WHERE id = ?`,
			&sqlitex.ExecOptions{Args: []any{int64(p.Stage), int64(p.Landing.UIDValidity), int64(p.Landing.Next), p.Attempts, id}})
	}, written)
}

// Remove takes an entry out: it is done, or will never be.
func (o *Outbox) Remove(id int64) {
	o.change(func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, "DELETE FROM outbox WHERE id = ?", &sqlitex.ExecOptions{Args: []any{id}})
	}, nil)
}

// Release leaves an entry to whoever claims it next.
func (o *Outbox) Release(id int64) {
	o.change(func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, "UPDATE outbox SET owner = '' WHERE id = ? AND owner = ?",
			&sqlitex.ExecOptions{Args: []any{id, o.owner}})
	}, nil)
}

// Claim makes this process the owner of every entry of the account that has none
// any more, and hands them over, oldest first. No entry is handed over twice.
func (o *Outbox) Claim(take func([]store.Entry, error)) {
	var found []store.Entry
	o.look(func(c *sqlite.Conn) (err error) {
		found, err = o.claim(c)
		return err
	}, func(err error) {
		if err != nil {
			found = nil
		}
		take(found, err)
	})
}

func (o *Outbox) claim(c *sqlite.Conn) ([]store.Entry, error) {
	var owners []string
	err := sqlitex.Execute(c, "SELECT DISTINCT owner FROM outbox WHERE account = ? AND owner <> ?", &sqlitex.ExecOptions{
		Args: []any{o.account, o.owner},
		ResultFunc: func(s *sqlite.Stmt) error {
			owners = append(owners, s.ColumnText(0))
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	var found []store.Entry
	for _, owner := range owners {
		if !o.s.leaseOver(owner) {
			continue
		}
		some, err := entriesOf(c, o.account, owner)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		err = sqlitex.Execute(c, "UPDATE outbox SET owner = ? WHERE account = ? AND owner = ?",
			&sqlitex.ExecOptions{Args: []any{o.owner, o.account, owner}})
		if err != nil {
			return nil, err
		}
	}
	return inOrder(found), nil
}

// KeepFolders replaces what is known of the account's mailboxes.
func (o *Outbox) KeepFolders(folders []byte) {
	o.give(change{write: func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, "INSERT INTO folders(account, list) VALUES(?, ?) ON CONFLICT DO UPDATE SET list = excluded.list",
			&sqlitex.ExecOptions{Args: []any{o.account, folders}})
	}, idle: true})
}

// Folders tells what is known of them; nil where nothing is.
func (o *Outbox) Folders(take func([]byte)) {
	var found []byte
	o.look(func(c *sqlite.Conn) error {
		return sqlitex.Execute(c, "SELECT list FROM folders WHERE account = ?", &sqlitex.ExecOptions{
			Args: []any{o.account},
			ResultFunc: func(s *sqlite.Stmt) error {
				found = blob(s, 0)
				return nil
			},
		})
	}, func(error) { take(found) })
}

// change has something written, behind what was asked for before.
func (o *Outbox) change(write func(*sqlite.Conn) error, then func(error)) {
	o.give(change{write: write, then: then})
}

// look is change for what is of no use where there is no file yet: then is called
// without write.
func (o *Outbox) look(write func(*sqlite.Conn) error, then func(error)) {
	o.give(change{write: write, then: then, looks: true})
}

func (o *Outbox) give(x change) {
	o.mu.Lock()
	o.pending = append(o.pending, x)
	o.mu.Unlock()
	if x.idle {
		time.AfterFunc(linger, o.poke)
		return
	}
	o.poke()
}

func (o *Outbox) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run writes what waits, all of it at once: one wait for the disk serves many.
func (o *Outbox) run() {
	defer close(o.ended)
	defer o.dropLease()
	for {
		ending := false
		select {
		case <-o.wake:
		case <-o.end:
			ending = true
		}
		o.mu.Lock()
		some := o.pending
		o.pending = nil
		o.mu.Unlock()
		if len(some) > 0 {
			o.takeLease()
			o.write(some)
		}
		if ending {
			return
		}
	}
}

func (o *Outbox) write(some []change) {
	done := make(chan []error, 1)
	looks := !slices.ContainsFunc(some, func(x change) bool { return !x.looks })
	o.s.give(work{do: func(c *sqlite.Conn) { done <- o.transact(c, some) }, looks: looks})
	var errs []error
	select {
	case errs = <-done:
	case <-o.s.ended:
		errs = fill(ErrNotKept, len(some))
	}
	for i, x := range some {
		if x.then != nil {
			x.then(errs[i])
		}
	}
}

// transact writes changes in one transaction, and if that fails each in its own.
func (o *Outbox) transact(c *sqlite.Conn, some []change) []error {
	if !o.s.opened {
		return fill(nil, len(some)) // they look, and there is nothing
	}
	if c == nil {
		return fill(ErrNotKept, len(some))
	}
	errs := make([]error, len(some))
	if transaction(c, some) == nil {
		return errs
	}
	for i := range some {
		errs[i] = transaction(c, some[i:i+1])
		o.s.failed(errs[i])
	}
	return errs
}

func transaction(c *sqlite.Conn, some []change) (err error) {
	end, err := sqlitex.ImmediateTransaction(c)
	if err != nil {
		return err
	}
	defer end(&err)
	for _, x := range some {
		if err := x.write(c); err != nil {
			return err
		}
	}
	return nil
}

func fill(err error, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// leaseFile is what a process that owns entries has locked.
func (s *State) leaseFile(owner string) string {
	return filepath.Join(s.o.Dir, "outbox-"+owner+".lease")
}

// takeLease takes this process's lease, before it owns anything. Where that
// cannot be, its entries look like those of a process that has ended.
func (o *Outbox) takeLease() {
	if o.lease != nil {
		return
	}
	if os.MkdirAll(o.s.o.Dir, 0o700) == nil {
		o.lease, _ = lock(o.s.leaseFile(o.owner), syscall.LOCK_EX|syscall.LOCK_NB)
	}
}

// dropLease ends the lease. Nobody ever takes one of that name again, so that its
// file can go.
func (o *Outbox) dropLease() {
	if o.lease != nil {
		_ = os.Remove(o.s.leaseFile(o.owner))
		_ = o.lease.Close()
	}
}

// leaseOver tells whether the process that owns entries is no more. Those who ask
// stand in a transaction that only one of them can have. Without locks every
// process looks dead to the others: an entry may be done twice then, rather than
// never.
func (s *State) leaseOver(owner string) bool {
	if owner == "" {
		return true
	}
	name := s.leaseFile(owner)
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	f, err := lock(name, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == errLocked {
		return false
	}
	if err == nil {
		_ = os.Remove(name)
		_ = f.Close()
	}
	return true
}
