package store

import "slices"

// Overlay holds the effects that the person asked for and the server has not
// confirmed, keyed by UID within one mailbox and UIDVALIDITY. Views read it; it
// never moves an index. It belongs to one goroutine. The zero value is empty.
//
// A command on many messages costs a bit for each of them, not an entry.
type Overlay struct {
	commands map[uint64][]UID // what of a command stands in effects
	effects  map[UID][]effect // of commands on few messages, in the order of Put
	wide     []wideEffect     // of those on many, in the order of Put
	puts     uint64
}

// Effect is what one pending command does to its messages. The zero value only
// says that something is under way.
type Effect struct {
	Add, Remove []string // flags
	Dest        string   // raw name of the mailbox they move to; "" : they stay
}

// effect is an Effect on one message; at numbers the Puts.
type effect struct {
	id, at uint64
	*Effect
}

// wideEffect is an Effect on many messages.
type wideEffect struct {
	effect
	uids *UIDSet
}

// fewUIDs is up to how many messages a command has an entry for each.
const fewUIDs = 64

// Put adds the effect of command id on uids, after those already there.
func (o *Overlay) Put(id uint64, uids []UID, e Effect) {
	if o.commands == nil {
		o.commands = make(map[uint64][]UID)
		o.effects = make(map[UID][]effect)
	}
	e.Add, e.Remove = slices.Clone(e.Add), slices.Clone(e.Remove)
	o.puts++
	x := effect{id, o.puts, &e}
	few := o.commands[id]
	if len(uids) > fewUIDs {
		w := wideEffect{x, new(UIDSet)}
		for _, uid := range uids {
			w.uids.Add(uid)
		}
		o.wide = append(o.wide, w)
	} else {
		few = append(few, uids...)
		for _, uid := range uids {
			o.effects[uid] = append(o.effects[uid], x)
		}
	}
	o.commands[id] = few
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
	o.wide = slices.DeleteFunc(o.wide, func(w wideEffect) bool { return w.id == id })
	delete(o.commands, id)
}

// on calls yield for each effect on uid, in the order of Put.
func (o *Overlay) on(uid UID, yield func(*Effect)) {
	few := o.effects[uid]
	for _, w := range o.wide {
		if !w.uids.Has(uid) {
			continue
		}
		for len(few) > 0 && few[0].at < w.at {
			yield(few[0].Effect)
			few = few[1:]
		}
		yield(w.Effect)
	}
	for _, e := range few {
		yield(e.Effect)
	}
}

// Flags are the flags to draw for uid, given the server's; pending tells
// whether an effect had a part in it. Flags that the server has not told stay
// unknown.
func (o *Overlay) Flags(uid UID, server Flags) (f Flags, pending bool) {
	if len(o.commands) == 0 {
		return server, false
	}
	o.on(uid, func(e *Effect) {
		if len(e.Add) > 0 || len(e.Remove) > 0 {
			server = server.With(e.Add, e.Remove)
			pending = true
		}
	})
	return server, pending
}

// Leaving tells whether uid is on its way to another mailbox, and which: the
// one that was asked for last.
func (o *Overlay) Leaving(uid UID) (dest string, ok bool) {
	if len(o.commands) == 0 {
		return "", false
	}
	o.on(uid, func(e *Effect) {
		if e.Dest != "" {
			dest, ok = e.Dest, true
		}
	})
	return dest, ok
}

// Pending tells whether anything is under way for uid.
func (o *Overlay) Pending(uid UID) bool {
	if len(o.commands) == 0 {
		return false
	}
	if len(o.effects[uid]) > 0 {
		return true
	}
	return slices.ContainsFunc(o.wide, func(w wideEffect) bool { return w.uids.Has(uid) })
}

// Len is the number of pending commands.
func (o *Overlay) Len() int { return len(o.commands) }

// Reset drops everything (UIDVALIDITY changed).
func (o *Overlay) Reset() { *o = Overlay{} }
