package imapsession

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tidings/store"
)

// keptCommand is a command as it is written down. A field is never given another
// meaning: a later version reads what an earlier one wrote.
type keptCommand struct {
	Do     string   `json:"do"`
	UIDs   string   `json:"uids,omitempty"` // a set, as in IMAP
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
	Name   []byte   `json:"name,omitempty"` // of a mailbox; any octets
}

// changes tells whether a command changes anything on the server: those are kept
// until they are done.
func changes(c Command) bool {
	if _, makes := c.(CreateFolder); makes {
		return true
	}
	_, changes, _ := aim(c)
	return changes
}

// encodeCommand makes the entry of a command that changes something.
func encodeCommand(c Command) store.Entry {
	var k keptCommand
	switch c := c.(type) {
	case StoreFlags:
		k = keptCommand{Do: "flags", Add: c.Add, Remove: c.Remove}
	case Move:
		k = keptCommand{Do: "move", Name: []byte(c.Dest)}
	case Copy:
		k = keptCommand{Do: "copy", Name: []byte(c.Dest)}
	case Expunge:
		k = keptCommand{Do: "expunge"}
	case CreateFolder:
		k = keptCommand{Do: "create", Name: []byte(c.Name)}
	}
	t, _, _ := aim(c)
	k.UIDs = writeSet(t.UIDs)
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // strings and octets can always be written
	}
	return store.Entry{Place: store.Place{Mailbox: t.Mailbox, UIDValidity: t.UIDValidity}, Command: b}
}

// decodeCommand is the command of an entry. An error means that this version
// cannot do it.
func decodeCommand(e store.Entry) (Command, error) {
	var k keptCommand
	if err := json.Unmarshal(e.Command, &k); err != nil {
		return nil, err
	}
	t := Target{Mailbox: e.Place.Mailbox, UIDValidity: e.Place.UIDValidity}
	var err error
	if t.UIDs, err = readSet(k.UIDs); err != nil {
		return nil, err
	}
	if k.Do != "create" && (t.Mailbox == "" || len(t.UIDs) == 0) {
		return nil, errors.New("it is aimed at nothing")
	}
	if stage(e.Stage) > marked {
		return nil, fmt.Errorf("it is at stage %d, which this version does not know", e.Stage)
	}
	switch k.Do {
	case "flags":
		return StoreFlags{Target: t, Add: k.Add, Remove: k.Remove}, nil
	case "move":
		return Move{Target: t, Dest: string(k.Name)}, nil
	case "copy":
		return Copy{Target: t, Dest: string(k.Name)}, nil
	case "expunge":
		return Expunge{Target: t}, nil
	case "create":
		return CreateFolder{Name: string(k.Name)}, nil
	}
	return nil, fmt.Errorf("%q is nothing that this version knows", k.Do)
}

// writeSet writes UIDs in their order; those that follow one another take no more
// room than two.
func writeSet(uids []store.UID) string {
	var b strings.Builder
	for i := 0; i < len(uids); {
		last := i
		for last+1 < len(uids) && uids[last+1] == uids[last]+1 {
			last++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(uint64(uids[i]), 10))
		if last > i {
			b.WriteByte(':')
			b.WriteString(strconv.FormatUint(uint64(uids[last]), 10))
		}
		i = last + 1
	}
	return b.String()
}

// maxSet bounds the UIDs of one entry.
const maxSet = 1 << 22

func readSet(set string) ([]store.UID, error) {
	var uids []store.UID
	if set == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(set, ",") {
		first, last, ranged := strings.Cut(part, ":")
		if !ranged {
			last = first
		}
		lo, err1 := strconv.ParseUint(first, 10, 32)
		hi, err2 := strconv.ParseUint(last, 10, 32)
		if err1 != nil || err2 != nil || lo == 0 || hi < lo || hi-lo >= maxSet || len(uids)+int(hi-lo) >= maxSet {
			return nil, fmt.Errorf("%.40q is no set of UIDs", part)
		}
		for u := lo; u <= hi; u++ {
			uids = append(uids, store.UID(u))
		}
	}
	return uids, nil
}
