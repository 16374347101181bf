package state

import (
	"cmp"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"tidings/store"
)

// entriesOf reads the entries of an account that one process owns.
func entriesOf(c *sqlite.Conn, account, owner string) ([]store.Entry, error) {
	var out []store.Entry
	err := sqlitex.Execute(c, `SELECT id, mailbox, validity, command, created, stage, landing_validity, landing_next, attempts
		FROM outbox WHERE account = ? AND owner = ? ORDER BY id`, &sqlitex.ExecOptions{
		Args: []any{account, owner},
		ResultFunc: func(s *sqlite.Stmt) error {
			out = append(out, store.Entry{
				ID:      s.ColumnInt64(0),
				Place:   store.Place{Mailbox: string(blob(s, 1)), UIDValidity: uint32(s.ColumnInt64(2))},
				Command: blob(s, 3),
				Created: time.UnixMilli(s.ColumnInt64(4)),
				Progress: store.Progress{
					Stage:    uint8(s.ColumnInt64(5)),
					Landing:  store.Landing{UIDValidity: uint32(s.ColumnInt64(6)), Next: store.UID(s.ColumnInt64(7))},
					Attempts: s.ColumnInt(8),
				},
			})
			return nil
		},
	})
	return out, err
}

// blob copies a column's octets.
func blob(s *sqlite.Stmt, col int) []byte {
	b := make([]byte, s.ColumnLen(col))
	s.ColumnBytes(col, b)
	return b
}

// inOrder sorts entries as they were asked for.
func inOrder(entries []store.Entry) []store.Entry {
	slices.SortFunc(entries, func(a, b store.Entry) int { return cmp.Compare(a.ID, b.ID) })
	return entries
}
