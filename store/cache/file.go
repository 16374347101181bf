package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
)

// readers is how many may read at once; more wait.
const readers = 3

// Pages are 4 KiB. The writer's share is what building the search index uses;
// whoever reads mostly passes through.
const (
	writerPages = 1024
	readerPages = 256
)

// busy is how long a connection waits for another process's transaction.
const busy = 5 * time.Second

// maxMemory bounds a cache in memory, in pages: 96 MiB.
const maxMemory = 96 << 20 / 4096

// database is the open file, or a database in memory.
type database struct {
	path   string // "" in memory
	uri    string
	info   fs.FileInfo // of the file that was opened
	writer *conn       // the writer's goroutine alone
	// idle has a place for each reader: nil where none is open.
	idle chan *conn
	// ended interrupts whoever reads.
	ended   chan struct{}
	rolling bool // no WAL: the file system refuses it
}

// conn is a connection, with what it remembers of the file.
type conn struct {
	*sqlite.Conn
	flags diskFlags
}

// errForeign, errVersion: the file is sound, and not for us.
var (
	errForeign = errors.New("the file is another program's")
	errVersion = errors.New("the file is another version's")
)

var memories atomic.Int64

// openMemory makes a database in memory.
func openMemory() (*database, error) {
	db := &database{uri: "file:/tidings-cache-" + strconv.FormatInt(memories.Add(1), 10) + "?vfs=memdb"}
	err := db.open()
	return db, err
}

// openFile opens the database at path, or makes one there, for the person alone.
func openFile(path string) (*database, error) {
	if err := private(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Two processes must not begin the file at once, nor one begin it while
	// another sets it aside.
	l, err := lockFile(path+".lock", syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer l.release()
	// SQLite makes a file readable for all, and its companions like the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		f.Close()
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is no file", errForeign)
	}
	if info.Mode().Perm()&0o077 != 0 {
		for _, companion := range []string{"", "-wal", "-shm"} {
			if err := os.Chmod(path+companion, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	db := &database{path: path, uri: path, info: info}
	if fileQuery != "" {
		db.uri = "file:" + path + fileQuery
	}
	return db, db.open()
}

// fileQuery is how a test has SQLite treat files, as if their file system lacked
// something.
var fileQuery = ""

// private makes the directory, or takes the others' rights to it away.
func private(dir string, mode fs.FileMode) error {
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(dir, mode)
	}
	return err
}

// open opens the writer's connection and sees that the file is ours.
func (db *database) open() error {
	db.ended = make(chan struct{})
	db.idle = make(chan *conn, readers)
	for range readers {
		db.idle <- nil
	}
	w, err := db.connect(writerPages)
	if err != nil {
		return err
	}
	db.writer = w
	if err := db.prove(); err != nil {
		db.close()
		return err
	}
	return nil
}

// connect opens one more connection.
func (db *database) connect(pages int) (*conn, error) {
	flags := sqlite.OpenReadWrite
	if db.path == "" {
		flags |= sqlite.OpenURI | sqlite.OpenCreate
	} else if fileQuery != "" {
		flags |= sqlite.OpenURI
	}
	c, err := sqlite.OpenConn(db.uri, flags)
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busy)
	for _, pragma := range []string{
		"cache_size = " + strconv.Itoa(pages),
		"synchronous = NORMAL",
		"temp_store = MEMORY",
		"journal_size_limit = 8388608",
		"trusted_schema = OFF",
		"cell_size_check = ON",
	} {
		if err := exec(c, "PRAGMA "+pragma); err != nil {
			c.Close()
			return nil, err
		}
	}
	return &conn{c, newDiskFlags()}, nil
}

// prove sees that the file is of this program and version, and sound as far as a
// few pages can tell; an empty file is given the schema.
func (db *database) prove() error {
	c := db.writer.Conn
	app, _, err := findInt(c, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, _, err := findInt(c, "PRAGMA user_version")
	if err != nil {
		return err
	}
	things, _, err := findInt(c, "SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return err
	case things == 0 && app == 0 && version == 0:
		return db.begin()
	case app != applicationID:
		return errForeign
	case version != schemaVersion:
		return fmt.Errorf("%w: %d", errVersion, version)
	}
	if err := db.journal(); err != nil {
		return err
	}
	same, err := sameSchema(c)
	if err == nil && !same {
		err = fmt.Errorf("%w: its tables are others", errDamaged)
	}
	if err != nil {
		return err
	}
	// The ends of each table: a file that was cut off shows here.
	for _, table := range []string{"mailbox", "row", "keywords", "message", "summary", "body", "bodydata", "bodytext", "words_data", "words_docsize", "bodywords_data", "gone"} {
		for _, end := range []string{"min", "max"} {
			if _, _, err := findInt(c, "SELECT "+end+"(rowid) FROM "+table); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin makes the tables. It does not wait for the disk: should the power fail
// meanwhile, the file is damaged and nothing is lost.
func (db *database) begin() error {
	c := db.writer.Conn
	if err := exec(c, "PRAGMA synchronous = OFF"); err != nil {
		return err
	}
	if err := db.journal(); err != nil {
		return err
	}
	if db.path == "" {
		if err := exec(c, "PRAGMA max_page_count = "+strconv.Itoa(maxMemory)); err != nil {
			return err
		}
	}
	err := transaction(c, "IMMEDIATE", func() error {
		if err := script(c, schema); err != nil {
			return err
		}
		if err := exec(c, "PRAGMA application_id = "+strconv.Itoa(applicationID)); err != nil {
			return err
		}
		return exec(c, "PRAGMA user_version = "+strconv.Itoa(schemaVersion))
	})
	if err != nil {
		return err
	}
	return exec(c, "PRAGMA synchronous = NORMAL")
}

// journal asks for a write-ahead log, with which reading and writing do not wait
// for each other. A file system without shared memory refuses it.
func (db *database) journal() error {
	if db.path == "" {
		return nil
	}
	mode, _, err := findBytes(db.writer.Conn, "PRAGMA journal_mode = WAL")
	db.rolling = err == nil && string(mode) != "wal"
	return err
}

// script runs several statements.
func script(c *sqlite.Conn, sql string) error {
	for sql = strings.TrimSpace(sql); sql != ""; sql = strings.TrimSpace(sql) {
		s, rest, err := c.PrepareTransient(sql)
		if err != nil {
			return err
		}
		sql = sql[len(sql)-rest:]
		_, err = s.Step()
		if end := s.Finalize(); err == nil {
			err = end
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take gets a connection to read with; put gives it back.
func (db *database) take(done <-chan struct{}) (*conn, error) {
	select {
	case c := <-db.idle:
		if c == nil {
			var err error
			if c, err = db.connect(readerPages); err != nil {
				db.idle <- nil
				return nil, err
			}
		}
		return c, nil
	case <-done:
		return nil, errEnded
	case <-db.ended:
		return nil, errEnded
	}
}

// put gives a connection back, for the next who wants to read, or for good.
func (db *database) put(c *conn, keep bool) {
	if !keep {
		c.Close()
		c = nil
	}
	db.idle <- c
}

// errEnded: the cache is closed, or the file is set aside.
var errEnded = errors.New("the cache is closed")

// close ends all connections; it waits for whoever reads.
func (db *database) close() {
	close(db.ended)
	for range readers {
		if c := <-db.idle; c != nil {
			c.Close()
		}
	}
	if db.writer != nil {
		db.writer.Close()
	}
}

// plain says what is wrong with the disk in words for a person.
func plain(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull:
		return "the disk is full"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen, sqlite.ResultAuth:
		return "the file cannot be written"
	case sqlite.ResultIOErr:
		return "the disk reports an error"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return "another process holds it"
	}
	return err.Error()
}

// setAside renames what is at path, with its companions, and says to what. Where
// somebody else did so already it does nothing.
func setAside(path string, was fs.FileInfo, reason error) (name string, err error) {
	l, err := lockFile(path+".lock", syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer l.release()
	info, err := os.Lstat(path)
	if err != nil || was != nil && !os.SameFile(info, was) {
		return "", nil
	}
	name = path + ".damaged"
	switch {
	case errors.Is(reason, errVersion):
		name = path + ".version"
	case errors.Is(reason, errForeign):
		// Not ours: nothing of the same name may be lost for it.
		for n := 1; ; n++ {
			name = path + ".foreign-" + strconv.Itoa(n)
			if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
	}
	// The log goes first: it must never be taken for that of the next file.
	for _, companion := range []string{"-shm", "-wal", "-journal", ""} {
		err := os.Rename(path+companion, name+companion)
		if errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(name + companion) // of an earlier one
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			return "", err
		}
	}
	return name, nil
}

// sameSchema tells whether the file has the tables of this version, and no
// others.
func sameSchema(c *sqlite.Conn) (bool, error) {
	text, err := schemaOf(c)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8]) == schemaDigest, err
}

// schemaOf is what the file says of its tables.
func schemaOf(c *sqlite.Conn) (string, error) {
	var text []byte
	err := each(c, func(s *sqlite.Stmt) error {
		text = append(append(text, s.ColumnText(0)...), ';')
		return nil
	}, "SELECT coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name")
	return string(text), err
}
