package cache

import (
	"fmt"
	"strings"

	"tidings/store"
	"zombiezen.com/go/sqlite"
)

// keywordsLost is set in row.flags where the set is not Complete.
const keywordsLost = 1 << 62

const (
	systemMask    = 0xff // of store.Flags and of row.flags
	keywordsShift = 8
)

// diskFlags says Flags as row.flags has them, and back. It belongs to one
// connection.
type diskFlags struct {
	ids  map[store.Flags]int64 // keywords of a Flags (without system bits) to disk, shifted
	sets map[int64]store.Flags // and back
}

func newDiskFlags() diskFlags {
	return diskFlags{ids: make(map[store.Flags]int64), sets: make(map[int64]store.Flags)}
}

// forget drops what is remembered; ids of a transaction that was rolled back are
// not to be used.
func (d *diskFlags) forget() {
	clear(d.ids)
	clear(d.sets)
}

// encode gives f as row.flags has it; keywords never seen are added to the file.
func (d *diskFlags) encode(c *sqlite.Conn, f store.Flags) (int64, error) {
	system, rest := f&systemMask, f&^systemMask
	if rest == 0 || !f.Known() {
		return int64(system), nil
	}
	if v, ok := d.ids[rest]; ok {
		return int64(system) | v, nil
	}
	var v int64
	if names := f.Keywords(); len(names) > 0 {
		joined := []byte(strings.Join(names, "\x00"))
		id, found, err := findInt(c, "SELECT id FROM keywords WHERE names = ?", joined)
		if err == nil && !found {
			if err = exec(c, "INSERT INTO keywords(names) VALUES(?)", joined); err == nil {
				id = c.LastInsertRowID()
			}
		}
		if err != nil {
			return 0, err
		}
		v = id << keywordsShift
	}
	if !f.Complete() {
		v |= keywordsLost
	}
	d.ids[rest] = v
	return int64(system) | v, nil
}

// decode is encode's reverse.
func (d *diskFlags) decode(c *sqlite.Conn, v int64) (store.Flags, error) {
	system, rest := store.Flags(v&systemMask), v&^systemMask
	if rest == 0 {
		return system, nil
	}
	if f, ok := d.sets[rest]; ok {
		return system | f, nil
	}
	var f store.Flags
	if id := rest &^ keywordsLost >> keywordsShift; id != 0 {
		names, found, err := findBytes(c, "SELECT names FROM keywords WHERE id = ?", id)
		if err != nil {
			return 0, err
		}
		if !found || rest < 0 || system&store.NoFlags == 0 {
			return 0, fmt.Errorf("%w: there are no keywords %d", errDamaged, id)
		}
		f = store.MakeFlags(strings.Split(string(names), "\x00"))
	}
	if rest&keywordsLost != 0 {
		f = f.Incomplete()
	}
	d.sets[rest] = f &^ systemMask
	return system | d.sets[rest], nil
}
