package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/xdg"
	"tidings/store"
)

// journal is what an append has done so far, in a file of its own under the state
// directory, so that a run that was interrupted, or killed, can be taken up. Each
// line is written whole, as soon as it is known; a last one that is torn counts
// for nothing.
//
//	of 1000 10485760       so many letters and octets: are they the same files?
//	into 1446393984 5001   UIDVALIDITY and UIDNEXT before the first was sent
//	done 17 5018           letter 17 (from 0) is there, as UID 5018 (0: not told)
type journal struct {
	path     string
	file     *os.File
	of       string
	validity uint32
	next     store.UID
	done     map[int]store.UID
}

const journalHead = "tidings append 1"

// openJournal reads what an earlier run of the same left, if there was one.
func openJournal(a config.Account, to string, files []string, letters int, octets int64) (*journal, error) {
	dir, err := xdg.StateDir()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "append")
	if err := xdg.MakeDir(dir); err != nil {
		return nil, fmt.Errorf("the state directory cannot be used: %w", err)
	}
	name := sha256.Sum256([]byte(strings.Join(append([]string{a.Name, a.Host, a.User, to}, absolute(files)...), "\x00")))
	j := &journal{
		path: filepath.Join(dir, hex.EncodeToString(name[:12])+".journal"),
		of:   fmt.Sprintf("of %d %d", letters, octets), done: map[int]store.UID{},
	}
	return j, j.read(letters)
}

func (j *journal) read(letters int) error {
	f, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("what an earlier run did cannot be read: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	if !lines.Scan() || lines.Text() != journalHead {
		return nil // torn at its very beginning: nothing had been sent
	}
	for lines.Scan() {
		line := lines.Text()
		var index int
		var uid, validity uint32
		if strings.HasPrefix(line, "of ") && line != j.of {
			return fmt.Errorf("an earlier run of this was interrupted, and the files are others since; remove %s to append all that they hold now", j.path)
		}
		if n, _ := fmt.Sscanf(line, "into %d %d.", &validity, &uid); n == 2 && strings.HasSuffix(line, ".") {
			j.validity, j.next = validity, store.UID(uid)
		}
		if n, _ := fmt.Sscanf(line, "done %d %d.", &index, &uid); n == 2 && strings.HasSuffix(line, ".") && index >= 0 && index < letters {
			j.done[index] = store.UID(uid)
		}
	}
	return nil
}

// interrupted tells whether there is a run to be taken up.
func (j *journal) interrupted() bool { return j.validity != 0 }

// resume is what the session has to know of it.
func (j *journal) resume() *imapsession.AppendResume {
	if !j.interrupted() {
		return nil
	}
	r := &imapsession.AppendResume{UIDValidity: j.validity, From: j.next, Known: map[store.UID]bool{}}
	for _, uid := range j.done {
		if uid != 0 {
			r.Known[uid] = true
		}
	}
	return r
}

// opened notes where a first run begins.
func (j *journal) opened(validity uint32, next store.UID) {
	if j.interrupted() {
		return
	}
	j.validity, j.next = validity, next
	j.write(fmt.Sprintf("%s\n%s\ninto %d %d.\n", journalHead, j.of, validity, next))
}

// appended notes that a letter is there.
func (j *journal) appended(index int, uid store.UID) {
	j.done[index] = uid
	j.write(fmt.Sprintf("done %d %d.\n", index, uid))
}

// write adds lines. If the disk does not take them, --resume has to look for more
// letters on the server, and that is all.
func (j *journal) write(lines string) {
	if j.file == nil {
		f, err := os.OpenFile(j.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return
		}
		j.file = f
	}
	_, _ = j.file.WriteString(lines)
}

// uids is the range of what was appended, as far as it is known.
func (j *journal) uids() (lo, hi store.UID, ok bool) {
	for _, uid := range j.done {
		if uid == 0 {
			return 0, 0, false
		}
		if lo == 0 || uid < lo {
			lo = uid
		}
		hi = max(hi, uid)
	}
	return lo, hi, lo != 0
}

// forget ends the story: nothing is left to be taken up.
func (j *journal) forget() {
	j.close()
	_ = os.Remove(j.path)
	j.validity, j.next, j.done = 0, 0, map[int]store.UID{}
}

func (j *journal) close() {
	if j.file != nil {
		j.file.Close()
		j.file = nil
	}
}
