package state

import (
	"errors"
	"fmt"
	"strconv"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks the file as ours (PRAGMA application_id): "tids".
const applicationID = 0x74696473

// steps bring a file forward, each from the version that is its index to the
// next. What stands here is never changed, only added to.
var steps = []string{
	// at is when the person was told, in seconds since 1970.
	`CREATE TABLE told(
		account TEXT NOT NULL,
		mailbox BLOB NOT NULL,
		validity INTEGER NOT NULL,
		uid INTEGER NOT NULL,
		at INTEGER NOT NULL,
		PRIMARY KEY(account, mailbox)
	) STRICT, WITHOUT ROWID;`,

	// owner is the process that has claimed the entry, '' for none; created is in
	// milliseconds since 1970; an id is never given twice. The landing is what the
	// mailbox that is copied to said before that (store.Landing).
	`CREATE TABLE outbox(
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		account TEXT NOT NULL,
		owner TEXT NOT NULL,
		mailbox BLOB NOT NULL,
		validity INTEGER NOT NULL,
		command BLOB NOT NULL,
		created INTEGER NOT NULL,
		stage INTEGER NOT NULL,
		landing_validity INTEGER NOT NULL,
		landing_next INTEGER NOT NULL,
		attempts INTEGER NOT NULL
	) STRICT;
	CREATE INDEX outbox_owner ON outbox(account, owner);`,

	// What the session knows of the account's mailboxes, in its own words.
	`CREATE TABLE folders(
		account TEXT PRIMARY KEY,
		list BLOB NOT NULL
	) STRICT, WITHOUT ROWID;`,
}

// errForeign, errLater: the file is sound, and not for us.
var (
	errForeign = errors.New("the file is another program's")
	errLater   = errors.New("the file was written by a later version of Tidings")
)

// bringForward sees that the file is ours and makes or changes its tables.
func bringForward(c *sqlite.Conn) (err error) {
	defer sqlitex.Save(c)(&err)
	app, err := number(c, "PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := number(c, "PRAGMA user_version")
	if err != nil {
		return err
	}
	things, err := number(c, "SELECT count(*) FROM sqlite_schema")
	switch {
	case err != nil:
		return err
	case app != applicationID && (app != 0 || version != 0 || things != 0):
		return errForeign
	case version > len(steps):
		return fmt.Errorf("%w (%d; this one knows up to %d)", errLater, version, len(steps))
	case version == len(steps):
		return nil
	}
	for _, step := range steps[version:] {
		if err := sqlitex.ExecuteScript(c, step, nil); err != nil {
			return err
		}
	}
	for _, pragma := range []string{
		"PRAGMA application_id = " + strconv.Itoa(applicationID),
		"PRAGMA user_version = " + strconv.Itoa(len(steps)),
	} {
		if err := sqlitex.ExecuteTransient(c, pragma, nil); err != nil {
			return err
		}
	}
	return nil
}

// number returns the first column of the first row.
func number(c *sqlite.Conn, sql string) (n int, err error) {
	err = sqlitex.ExecuteTransient(c, sql, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		n = s.ColumnInt(0)
		return nil
	}})
	return n, err
}
