package wire

import "bytes"

// pendingCommand is a command that was sent and not answered yet.
type pendingCommand struct {
	tag  string
	kind commandKind
	want items  // FETCH and STORE
	sole uint32 // UID FETCH of one message: its UID
	// conts is how many continuation requests are waited for.
	conts int
	raw   *rawCommand
}

type commandKind uint8

const (
	cmdOther    commandKind = iota
	cmdFetch                // FETCH or STORE by sequence number
	cmdUIDFetch             // UID FETCH or UID STORE
	cmdSearch
	cmdIdle
	cmdAuth
	cmdLogin
)

// begin registers a command by its first line, before it is sent, so that no
// answer can come earlier. For a log-in it returns what learns the secrets of
// its arguments, once they are complete.
func (t *Tap) begin(text []byte, raw *rawCommand) (learn func(*secrets, []byte)) {
	c := cursor{b: text}
	p := pendingCommand{tag: string(c.word()), raw: raw}
	c.space()
	verb := c.word()
	uid := equalFold(verb, "UID")
	if uid {
		c.space()
		verb = c.word()
	}
	switch {
	case equalFold(verb, "LOGIN"):
		p.kind = cmdLogin
		learn = (*secrets).learnLogin
	case equalFold(verb, "AUTHENTICATE"):
		if raw == nil {
			p.kind, p.conts = cmdAuth, 1
		}
		learn = func(s *secrets, args []byte) {
			if f := bytes.Fields(args); len(f) > 3 {
				s.learnSASL(f[3])
			}
		}
	case raw != nil:
	case equalFold(verb, "SEARCH"):
		p.kind = cmdSearch
	case equalFold(verb, "FETCH"), equalFold(verb, "STORE"):
		p.kind = cmdFetch
		if uid {
			p.kind = cmdUIDFetch
			c.space()
			p.sole, _ = number32(c.word())
		}
		p.want = itemFlags
		if equalFold(verb, "FETCH") {
			p.want = wantedItems(text)
		}
	case equalFold(verb, "IDLE"):
		p.kind, p.conts = cmdIdle, 1
	}
	t.mu.Lock()
	t.pending = append(t.pending, p)
	t.stats.Commands++
	t.mu.Unlock()
	return learn
}

func (t *Tap) learn(f func(*secrets)) {
	t.mu.Lock()
	f(&t.secrets)
	t.mu.Unlock()
}

// searching is the tag of the oldest SEARCH in flight, or "".
func (t *Tap) searching() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if t.pending[i].kind == cmdSearch {
			return t.pending[i].tag
		}
	}
	return ""
}

// wantedItems reads which data items a FETCH asks for.
func wantedItems(text []byte) items {
	var want items
	i := bytes.IndexByte(text, '(')
	if i < 0 {
		return 0
	}
	c := cursor{b: text, i: i}
	for c.i++; !c.end(); {
		c.space()
		name := c.name()
		switch {
		case equalFold(name, "UID"):
			want |= itemUID
		case equalFold(name, "FLAGS"):
			want |= itemFlags
		case equalFold(name, "MODSEQ"):
			want |= itemModSeq
		case equalFold(name, "INTERNALDATE"):
			want |= itemDate
		case equalFold(name, "RFC822.SIZE"):
			want |= itemSize
		case equalFold(name, "BODY"), equalFold(name, "BODY.PEEK"):
			if c.peek() == '[' {
				section(&c)
				want |= itemBody
			}
		}
		if c.take(')') {
			break
		}
		if len(name) == 0 {
			c.i++
		}
	}
	return want
}

// wanted decides whether a FETCH response with these items goes to imapclient:
// only if a command in flight asked for its kind (see the package comment).
func (t *Tap) wanted(have items, uid uint32) fetchPath {
	t.mu.Lock()
	defer t.mu.Unlock()
	path := swallowed
	for i := range t.pending {
		p := &t.pending[i]
		if p.kind != cmdFetch && p.kind != cmdUIDFetch || !answers(have, p.want) {
			continue
		}
		if p.kind == cmdFetch || uid != 0 {
			return passing
		}
		path = holding
	}
	return path
}

// soleUID is the UID of the message whose content these items must be, if the
// only command they can answer asked for one message; else 0.
func (t *Tap) soleUID(have items) (uid uint32) {
	if have&itemContent == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		p := &t.pending[i]
		if p.kind != cmdFetch && p.kind != cmdUIDFetch || !answers(have, p.want) {
			continue
		}
		if uid != 0 || p.sole == 0 {
			return 0
		}
		uid = p.sole
	}
	return uid
}

// answers reports whether a response that has these items answers a command
// that wants those: by any content where content is wanted, since nothing but
// the answer has any; else only by all of UID and FLAGS that is wanted, since a
// change of flags that happens meanwhile may come without its UID.
func answers(have, want items) bool {
	if want&itemContent != 0 {
		return have&want&itemContent != 0
	}
	need := want & (itemUID | itemFlags)
	if need == 0 {
		need = want
	}
	return have&need == need
}

// handing notes the message that imapclient is about to decode.
func (t *Tap) handing(seq, uid uint32) {
	t.mu.Lock()
	t.seq, t.uid = seq, uid
	t.mu.Unlock()
}

// finish takes the command with this tag off the list.
func (t *Tap) finish(tag []byte) (cmd pendingCommand, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if t.pending[i].tag == string(tag) {
			cmd = t.pending[i]
			t.pending = append(t.pending[:i], t.pending[i+1:]...)
			return cmd, true
		}
	}
	return cmd, false
}

// exchanging reports whether an AUTHENTICATE is under way: lines are then
// answers, not commands.
func (t *Tap) exchanging() bool { return t.running(cmdAuth) }

func (t *Tap) idling() bool { return t.running(cmdIdle) }

func (t *Tap) running(k commandKind) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		if t.pending[i].kind == k {
			return true
		}
	}
	return false
}

// expectContinuation notes that somebody waits for one more continuation
// request, for the command that was sent last.
func (t *Tap) expectContinuation() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.pending); n > 0 {
		t.pending[n-1].conts++
	}
}

// takeContinuation reports whether somebody waits for a continuation request,
// whether that is an Upload, to whom it has been passed on, and whether it
// belongs to a log-in.
func (t *Tap) takeContinuation() (waited, ours, secret bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.pending {
		p := &t.pending[i]
		secret = secret || p.kind == cmdAuth || p.kind == cmdLogin
		if !waited && p.conts > 0 {
			p.conts--
			waited = true
			if p.raw != nil {
				ours = true
				p.raw.goAhead <- struct{}{} // there is room: one is waited for at a time
			}
		}
	}
	return waited, ours, secret
}
