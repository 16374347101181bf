package cache

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// errDamaged: what stands in the file cannot have been written by this program.
var errDamaged = errors.New("the file is damaged")

// prepare returns a statement of c, which keeps it, with args bound.
func prepare(c *sqlite.Conn, sql string, args ...any) (*sqlite.Stmt, error) {
	s, err := c.Prepare(sql)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		switch a := a.(type) {
		case nil:
			s.BindNull(i + 1)
		case int:
			s.BindInt64(i+1, int64(a))
		case int64:
			s.BindInt64(i+1, a)
		case uint32:
			s.BindInt64(i+1, int64(a))
		case string:
			s.BindText(i+1, a)
		case []byte:
			s.BindBytes(i+1, a)
		default:
			panic(fmt.Sprintf("cache: a %T cannot be bound", a))
		}
	}
	return s, nil
}

// exec runs a statement that has no rows of interest.
func exec(c *sqlite.Conn, sql string, args ...any) error {
	return each(c, func(*sqlite.Stmt) error { return nil }, sql, args...)
}

// each calls row for each row.
func each(c *sqlite.Conn, row func(*sqlite.Stmt) error, sql string, args ...any) error {
	s, err := prepare(c, sql, args...)
	if err != nil {
		return err
	}
	for {
		more, err := s.Step()
		if err == nil && more {
			err = row(s)
		}
		if err != nil || !more {
			reset := s.Reset()
			if err == nil {
				err = reset
			}
			return err
		}
	}
}

// findInt returns the first column of the first row.
func findInt(c *sqlite.Conn, sql string, args ...any) (n int64, found bool, err error) {
	err = each(c, func(s *sqlite.Stmt) error {
		if !found {
			n, found = s.ColumnInt64(0), true
		}
		return nil
	}, sql, args...)
	return n, found, err
}

// findBytes returns the first column of the first row.
func findBytes(c *sqlite.Conn, sql string, args ...any) (b []byte, found bool, err error) {
	err = each(c, func(s *sqlite.Stmt) error {
		if !found {
			b, found = columnBytes(s, 0), true
		}
		return nil
	}, sql, args...)
	return b, found, err
}

// columnBytes returns a copy of a blob.
func columnBytes(s *sqlite.Stmt, col int) []byte {
	b := make([]byte, s.ColumnLen(col))
	s.ColumnBytes(col, b)
	return b
}

// transaction runs f in a transaction, which is committed where f returns nil.
// kind is "DEFERRED" to read, "IMMEDIATE" to write.
func transaction(c *sqlite.Conn, kind string, f func() error) error {
	if err := exec(c, "BEGIN "+kind); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = exec(c, "COMMIT")
	}
	if err != nil && !c.AutocommitEnabled() {
		// An interrupted connection refuses the ROLLBACK as well.
		done := c.SetInterrupt(nil)
		_ = exec(c, "ROLLBACK")
		c.SetInterrupt(done)
	}
	return err
}

// run steps a statement without rows, the arguments of which are bound.
func run(s *sqlite.Stmt) error {
	_, err := s.Step()
	if reset := s.Reset(); err == nil {
		err = reset
	}
	return err
}

// ints returns the first column of all rows.
func ints(c *conn, sql string, args ...any) (all []int64, err error) {
	err = each(c.Conn, func(s *sqlite.Stmt) error {
		all = append(all, s.ColumnInt64(0))
		return nil
	}, sql, args...)
	return all, err
}
