package store

import "slices"

// Threads sorts messages into conversations. Two messages are of one if one
// names the other in References or In-Reply-To, or both name a third, there or
// missing; or if neither names any and their subjects are the same but for what
// replying puts before them. So a conversation holds without its first message,
// and its messages may come in any order: which are together depends on which
// have ever come, not on when.
//
// What Remove takes out goes on holding a conversation together: a conversation
// on screen does not fall apart because a message in its midst is expunged.
//
// A message costs some 100 bytes. Add and Remove cost a few look-ups, Add for
// each of up to 18 names; two long conversations that turn out to be one cost
// what they are long. Threads belongs to one goroutine. Use NewThreads.
type Threads struct {
	byUID map[UID]int32    // to nodes
	byKin map[uint64]int32 // to groups
	nodes []node
	free  []int32
	named []uint32 // the references of all nodes, cut to four octets
	lost  int      // how many of those belong to none any more
	group []group
}

// node is a message in a conversation, which links its messages by UID.
type node struct {
	uid        UID
	group      int32
	prev, next int32  // -1: none
	own        uint32 // its own name, cut to four octets; 0: none
	refs       uint32 // its references are named[refs:refs+nrefs]
	nrefs      uint8
	unread     bool
}

// group is a conversation, or has become part of another.
type group struct {
	up         int32 // the group it is part of; -1: it is one
	head, tail int32 // nodes; -1 while there are none
	n, unread  int32
	open       bool
}

// NewThreads returns no conversations, with room for n messages.
func NewThreads(n int) *Threads {
	return &Threads{byUID: make(map[UID]int32, n), byKin: make(map[uint64]int32, n)}
}

// find is the group that g has become part of.
func (t *Threads) find(g int32) int32 {
	for t.group[g].up >= 0 {
		if up := t.group[g].up; t.group[up].up >= 0 {
			t.group[g].up = t.group[up].up
		}
		g = t.group[g].up
	}
	return g
}

// of is the conversation of a message that is there.
func (t *Threads) of(uid UID) *group { return &t.group[t.find(t.nodes[t.byUID[uid]].group)] }

// Len is the number of messages.
func (t *Threads) Len() int { return len(t.byUID) }

// Has tells whether a message is there. What follows may only be asked about
// messages that are.
func (t *Threads) Has(uid UID) bool {
	_, ok := t.byUID[uid]
	return ok
}

// Same tells whether two messages are of one conversation.
func (t *Threads) Same(a, b UID) bool { return t.of(a) == t.of(b) }

// Newest is the highest UID of uid's conversation.
func (t *Threads) Newest(uid UID) UID { return t.nodes[t.of(uid).tail].uid }

// Before is the message before uid in its conversation, 0 where it is the first.
func (t *Threads) Before(uid UID) UID {
	if i := t.nodes[t.byUID[uid]].prev; i >= 0 {
		return t.nodes[i].uid
	}
	return 0
}

// Size is the number of messages of uid's conversation, and of those unread.
func (t *Threads) Size(uid UID) (n, unread int) {
	g := t.of(uid)
	return int(g.n), int(g.unread)
}

// Open tells whether uid's conversation is unfolded.
func (t *Threads) Open(uid UID) bool { return t.of(uid).open }

// SetOpen folds or unfolds it.
func (t *Threads) SetOpen(uid UID, open bool) { t.of(uid).open = open }

// SetUnread says whether uid is unread.
func (t *Threads) SetUnread(uid UID, unread bool) {
	x := &t.nodes[t.byUID[uid]]
	if x.unread != unread {
		t.of(uid).unread += count(unread) - count(x.unread)
		x.unread = unread
	}
}

func count(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// Members are the messages of uid's conversation, ascending.
func (t *Threads) Members(uid UID) []UID {
	g := t.of(uid)
	out := make([]UID, 0, g.n)
	for i := g.head; i >= 0; i = t.nodes[i].next {
		out = append(out, t.nodes[i].uid)
	}
	return out
}

// Heads calls yield with the newest message of each conversation, in no
// particular order, until it returns false.
func (t *Threads) Heads(yield func(newest UID) bool) {
	for i := range t.group {
		if g := &t.group[i]; g.up < 0 && g.n > 0 && !yield(t.nodes[g.tail].uid) {
			return
		}
	}
}

// Joins returns the newest message of each conversation of which k would be.
func (t *Threads) Joins(k Kin) []UID {
	var found []int32
	var out []UID
	k.names(func(id uint64) bool {
		if g, ok := t.byKin[id]; ok {
			if g = t.find(g); !slices.Contains(found, g) {
				found = append(found, g)
				if t.group[g].n > 0 {
					out = append(out, t.nodes[t.group[g].tail].uid)
				}
			}
		}
		return true
	})
	return out
}

// Add takes a message in. One that is there is left as it is.
func (t *Threads) Add(k Kin) {
	if k.UID == 0 || t.Has(k.UID) {
		return
	}
	g := int32(-1)
	k.names(func(id uint64) bool {
		if h, ok := t.byKin[id]; ok {
			if h = t.find(h); g < 0 {
				g = h
			} else if h != g {
				g = t.unite(g, h)
			}
		}
		return true
	})
	if g < 0 {
		g = int32(len(t.group))
		t.group = append(t.group, group{up: -1, head: -1, tail: -1})
	}
	k.names(func(id uint64) bool {
		t.byKin[id] = g
		return true
	})
	x := node{uid: k.UID, own: uint32(k.ID), refs: uint32(len(t.named)), unread: k.Unread}
	for _, id := range k.near() {
		t.named = append(t.named, uint32(id))
		x.nrefs++
	}
	i := int32(len(t.nodes))
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
		t.nodes[i] = x
	} else {
		t.nodes = append(t.nodes, x)
	}
	t.byUID[k.UID] = i
	after := t.group[g].tail
	for after >= 0 && t.nodes[after].uid > k.UID {
		after = t.nodes[after].prev
	}
	t.link(g, after, i)
}

// link puts node i into group g, behind node after, -1 being the start.
func (t *Threads) link(g, after, i int32) {
	p, x := &t.group[g], &t.nodes[i]
	x.group, x.prev = g, after
	if after >= 0 {
		x.next = t.nodes[after].next
		t.nodes[after].next = i
	} else {
		x.next = p.head
		p.head = i
	}
	if x.next >= 0 {
		t.nodes[x.next].prev = i
	} else {
		p.tail = i
	}
	p.n++
	p.unread += count(x.unread)
}

// unite makes one conversation of g and h and returns it.
func (t *Threads) unite(g, h int32) int32 {
	if t.group[g].n < t.group[h].n {
		g, h = h, g
	}
	open := t.group[g].open || t.group[h].open
	after := t.group[g].tail
	// From the newest down, so that a walk is as long as what lies between.
	for i := t.group[h].tail; i >= 0; {
		prev := t.nodes[i].prev
		for after >= 0 && t.nodes[after].uid > t.nodes[i].uid {
			after = t.nodes[after].prev
		}
		t.link(g, after, i)
		i = prev
	}
	t.group[h] = group{up: g, head: -1, tail: -1}
	t.group[g].open = open
	return g
}

// Remove takes a message out; one that is not there is ignored.
func (t *Threads) Remove(uid UID) {
	i, ok := t.byUID[uid]
	if !ok {
		return
	}
	x := &t.nodes[i]
	g := &t.group[t.find(x.group)]
	if x.prev >= 0 {
		t.nodes[x.prev].next = x.next
	} else {
		g.head = x.next
	}
	if x.next >= 0 {
		t.nodes[x.next].prev = x.prev
	} else {
		g.tail = x.prev
	}
	g.n--
	g.unread -= count(x.unread)
	t.lost += int(x.nrefs)
	delete(t.byUID, uid)
	*x = node{}
	t.free = append(t.free, i)
	if t.lost > len(t.named)/2+1024 {
		t.compact()
	}
}

// compact drops the references of messages that were removed.
func (t *Threads) compact() {
	named := make([]uint32, 0, len(t.named)-t.lost)
	for i := range t.nodes {
		x := &t.nodes[i]
		at := uint32(len(named))
		named = append(named, t.named[x.refs:x.refs+uint32(x.nrefs)]...)
		x.refs = at
	}
	t.named, t.lost = named, 0
}

// Branch is a message in the tree of its conversation.
type Branch struct {
	UID    UID
	Depth  int    // 0: the first
	More   uint64 // bit d: further down there is another of depth d, under the same message
	Orphan bool   // what it answers is not there
}

// maxDepth is how deep a tree is told apart.
const maxDepth = 63

// Tree is uid's conversation as it is read: each message before the answers to
// it, those that answer the same as they arrived. Of several that answer none
// that is there, the first stands for the root that is missing and the others
// below it.
func (t *Threads) Tree(uid UID) []Branch {
	g := t.of(uid)
	members := make([]*node, 0, g.n)
	at := make(map[uint32]int, g.n)
	for i := g.head; i >= 0; i = t.nodes[i].next {
		x := &t.nodes[i]
		if _, twice := at[x.own]; x.own != 0 && !twice {
			at[x.own] = len(members)
		}
		members = append(members, x)
	}
	up := make([]int, len(members))
	below := make([][]int, len(members)+1) // the last: roots
	root := len(members)
	for i := range up {
		up[i] = root
	}
	leads := func(from, to int) bool {
		for ; from != root; from = up[from] {
			if from == to {
				return true
			}
		}
		return false
	}
	for i, x := range members {
		for k := int(x.nrefs) - 1; k >= 0; k-- {
			if j, ok := at[t.named[int(x.refs)+k]]; ok && !leads(j, i) {
				up[i] = j
				break
			}
		}
	}
	for i := range members {
		below[up[i]] = append(below[up[i]], i)
	}
	if roots := below[root]; len(roots) > 1 {
		below[roots[0]] = append(below[roots[0]], roots[1:]...)
	}
	out := make([]Branch, 0, len(members))
	type step struct {
		i, depth int
		more     uint64
	}
	todo := []step{{i: below[root][0]}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x := members[s.i]
		out = append(out, Branch{UID: x.uid, Depth: s.depth, More: s.more, Orphan: up[s.i] == root && x.nrefs > 0})
		depth := min(s.depth+1, maxDepth)
		for k := len(below[s.i]) - 1; k >= 0; k-- {
			more := s.more &^ (1 << depth)
			if k < len(below[s.i])-1 {
				more |= 1 << depth
			}
			todo = append(todo, step{below[s.i][k], depth, more})
		}
	}
	return out
}
