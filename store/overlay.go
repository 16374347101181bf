package store

import "slices"

// Overlay holds the effects that the person asked for and the server has not
// confirmed, keyed by UID within one mailbox and UIDVALIDITY. Views read it; it
// never moves an index. It belongs to one goroutine. The zero value is empty.
type Overlay struct {
	commands map[uint64][]UID
	effects  map[UID][]effect // in the order of Put
}

// Effect is what one pending command does to its messages.
type Effect struct {
	Add, Remove []string // flags
	Dest        string   // raw name of the mailbox they move to; "" : they stay
}

// effect is an Effect on one message.
type effect struct {
	id uint64
	*Effect
}

// Put adds the effect of command id on uids, after those already there.
func (o *Overlay) Put(id uint64, uids []UID, e Effect) {
	if o.commands == nil {
		o.commands = make(map[uint64][]UID)
		o.effects = make(map[UID][]effect)
	}
	e.Add, e.Remove = slices.Clone(e.Add), slices.Clone(e.Remove)
	o.commands[id] = append(o.commands[id], uids...)
	for _, uid := range uids {
		o.effects[uid] = append(o.effects[uid], effect{id, &e})
	}
}

// End removes the effects of command id (confirmed or refused); those of other
// commands stay, in their order. An id that is not there is ignored.
func (o *Overlay) End(id uint64) {
	for _, uid := range o.commands[id] {
		rest := slices.DeleteFunc(o.effects[uid], func(e effect) bool { return e.id == id })
		if len(rest) == 0 {
			delete(o.effects, uid)
		} else {
			o.effects[uid] = rest
		}
	}
	delete(o.commands, id)
}

// Flags are the flags to draw for uid, given the server's; pending tells
// whether an effect had a part in it. Flags that the server has not told stay
// unknown.
func (o *Overlay) Flags(uid UID, server Flags) (f Flags, pending bool) {
	if len(o.effects) == 0 {
		return server, false
	}
	for _, e := range o.effects[uid] {
		if len(e.Add) > 0 || len(e.Remove) > 0 {
			server = server.With(e.Add, e.Remove)
			pending = true
		}
	}
	return server, pending
}

// Leaving tells whether uid is on its way to another mailbox, and which: the
// one that was asked for last.
func (o *Overlay) Leaving(uid UID) (dest string, ok bool) {
	if len(o.effects) == 0 {
		return "", false
	}
	for _, e := range slices.Backward(o.effects[uid]) {
		if e.Dest != "" {
			return e.Dest, true
		}
	}
	return "", false
}

// Len is the number of pending commands.
func (o *Overlay) Len() int { return len(o.commands) }

// Reset drops everything (UIDVALIDITY changed).
func (o *Overlay) Reset() { *o = Overlay{} }
