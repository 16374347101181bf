package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// suffix ends the name of every cache.
const suffix = ".db"

// FileName is the name of an account's cache. An account that is moved to
// another server or user gets another: UIDs of one server mean nothing at
// another.
func FileName(account, user, host string, port int) string {
	sum := sha256.Sum256([]byte(user + "\x00" + strings.ToLower(host) + "\x00" + strconv.Itoa(port)))
	var b strings.Builder
	for i := 0; i < len(account) && b.Len() < 100; i++ {
		switch c := account[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String() + "-" + hex.EncodeToString(sum[:4]) + suffix
}

// Contents is what a cache has.
type Contents struct {
	Path      string
	Octets    int64 // on disk, with what is not yet merged into the file
	Mailboxes []Mailbox
}

// Mailbox is what a cache has of one.
type Mailbox struct {
	Name      string // raw
	Messages  int64  // in the mailbox, as the server had it at AsOf
	Summaries int64  // of which so many headers are kept
	Bodies    int64  // and so many whole messages
	Octets    int64  // of the whole messages
	AsOf      time.Time
}

// Files returns the paths of all caches in dir, in the order of their names.
func Files(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace(dir), "*"+suffix))
}

// Look reads what the cache at path has. It may be in use. Where there is none
// the error is fs.ErrNotExist.
func Look(ctx context.Context, path string) (Contents, error) {
	c := Contents{Path: path}
	db, err := reopen(path)
	if err != nil {
		return c, err
	}
	defer db.close()
	w := db.writer
	w.SetInterrupt(ctx.Done())
	err = transaction(w.Conn, "DEFERRED", func() error {
		var ids []int64
		err := each(w.Conn, func(s *sqlite.Stmt) error {
			m := Mailbox{Name: string(columnBytes(s, 1)), Messages: s.ColumnInt64(2)}
			if at := s.ColumnInt64(3); at != 0 {
				m.AsOf = time.UnixMilli(at)
			}
			ids = append(ids, s.ColumnInt64(0))
			c.Mailboxes = append(c.Mailboxes, m)
			return nil
		}, "SELECT id, name, total, asof FROM mailbox ORDER BY name")
		if err != nil {
			return err
		}
		for i, id := range ids {
			m := &c.Mailboxes[i]
			from, to := boxRow{id: id}.ids()
			if m.Summaries, _, err = findInt(w.Conn, "SELECT count(*) FROM message WHERE id BETWEEN ? AND ?", from, to); err != nil {
				return err
			}
			if m.Bodies, _, err = findInt(w.Conn, "SELECT count(*) FROM body WHERE id BETWEEN ? AND ?", from, to); err != nil {
				return err
			}
			if m.Octets, _, err = findInt(w.Conn, "SELECT coalesce(sum(size), 0) FROM body WHERE id BETWEEN ? AND ?", from, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return c, err
	}
	for _, companion := range []string{"", "-wal", "-shm"} {
		if info, err := os.Stat(path + companion); err == nil {
			c.Octets += info.Size()
		}
	}
	return c, nil
}

// Clear empties the cache at path, which may be in use: all of it, or what it has
// of one mailbox (raw name). What was set aside of it goes too, where it was
// ours. It tells whether there was anything.
func Clear(ctx context.Context, path, mailbox string) (found bool, err error) {
	if mailbox == "" {
		for _, old := range []string{".damaged", ".version"} {
			for _, companion := range []string{"", "-wal", "-shm", "-journal"} {
				if os.Remove(path+old+companion) == nil {
					found = true
				}
			}
		}
	}
	db, err := reopen(path)
	if isDamage(err) && mailbox == "" && !errors.Is(err, errForeign) {
		if _, err := setAside(path, nil, err); err != nil {
			return found, err
		}
		return Clear(ctx, path, mailbox)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	if err != nil {
		return found, err
	}
	defer db.close()
	w := db.writer
	w.SetInterrupt(ctx.Done())
	if mailbox != "" {
		err := transaction(w.Conn, "IMMEDIATE", func() error {
			m, ok, err := mailboxOf(w, mailbox)
			if err == nil && ok {
				found = true
				err = dropMailbox(w, m.id)
			}
			return err
		})
		for n := 1; err == nil && n > 0 && found; {
			n = 0
			err = db.sweep(&n)
		}
		return found, err
	}
	boxes, err := ints(w, "SELECT id FROM mailbox UNION ALL SELECT mailbox FROM dropped")
	if err != nil {
		return found, err
	}
	found = found || len(boxes) > 0
	err = transaction(w.Conn, "IMMEDIATE", func() error {
		for _, table := range []string{"mailbox", "row", "keywords", "message", "summary", "body", "bodydata", "bodytext", "gone", "dropped"} {
			if err := exec(w.Conn, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		for _, index := range []string{"words", "bodywords"} {
			if err := exec(w.Conn, "INSERT INTO "+index+"("+index+") VALUES('delete-all')"); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		// Who reads at this moment keeps the file large until the next time.
		_ = exec(w.Conn, "VACUUM")
		_ = exec(w.Conn, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return found, err
}

// reopen opens a cache that is there.
func reopen(path string) (*database, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, err
	}
	return openFile(path)
}
