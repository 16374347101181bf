package imapsession

import (
	"sync"
	"testing"

	"tidings/store"
)

// memoryOutbox is an Outbox in memory. Its disk writes when it is told to, or at
// once.
type memoryOutbox struct {
	mu      sync.Mutex
	lastID  int64
	entries map[int64]store.Entry
	owned   map[int64]bool
	stuck   bool // the disk does not answer
	broken  error
	pending []func() func()
	folders []byte
	calls   chan func()
}

func newMemoryOutbox(t *testing.T) *memoryOutbox {
	o := &memoryOutbox{entries: map[int64]store.Entry{}, owned: map[int64]bool{}, calls: make(chan func(), 1000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for f := range o.calls {
			f()
		}
	}()
	t.Cleanup(func() {
		close(o.calls)
		<-ended
	})
	return o
}

// write does something to the disk, and then what is to be told of it.
func (o *memoryOutbox) write(do func() func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, do)
	o.flush()
}

func (o *memoryOutbox) flush() {
	if o.stuck {
		return
	}
	for _, do := range o.pending {
		if then := do(); then != nil {
			o.calls <- then
		}
	}
	o.pending = nil
}

// answers has the disk write all that waits, and from now on at once.
func (o *memoryOutbox) answers(yes bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stuck = !yes
	o.flush()
}

func (o *memoryOutbox) Put(e store.Entry, written func(int64, error)) {
	o.write(func() func() {
		if o.broken != nil {
			return func() { written(0, o.broken) }
		}
		o.lastID++
		e.ID = o.lastID
		o.entries[e.ID], o.owned[e.ID] = e, true
		return func() { written(e.ID, nil) }
	})
}

func (o *memoryOutbox) Note(id int64, p store.Progress, written func(error)) {
	o.write(func() func() {
		if e, ok := o.entries[id]; ok {
			e.Progress = p
			o.entries[id] = e
		}
		if written == nil {
			return nil
		}
		return func() { written(nil) }
	})
}

func (o *memoryOutbox) Remove(id int64) {
	o.write(func() func() {
		delete(o.entries, id)
		return nil
	})
}

func (o *memoryOutbox) Release(id int64) {
	o.write(func() func() {
		delete(o.owned, id)
		return nil
	})
}

func (o *memoryOutbox) Claim(take func([]store.Entry, error)) {
	o.write(func() func() {
		var found []store.Entry
		for id := int64(1); id <= o.lastID; id++ {
			if e, ok := o.entries[id]; ok && !o.owned[id] {
				found = append(found, e)
				o.owned[id] = true
			}
		}
		return func() { take(found, nil) }
	})
}

func (o *memoryOutbox) KeepFolders(folders []byte) {
	o.write(func() func() {
		o.folders = folders
		return nil
	})
}

func (o *memoryOutbox) Folders(take func([]byte)) {
	o.write(func() func() {
		folders := o.folders
		return func() { take(folders) }
	})
}

// kept returns what is on the disk, oldest first; after the program was killed
// nobody owns it.
func (o *memoryOutbox) kept(killed bool) []store.Entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	if killed {
		o.owned = map[int64]bool{}
	}
	var out []store.Entry
	for id := int64(1); id <= o.lastID; id++ {
		if e, ok := o.entries[id]; ok {
			out = append(out, e)
		}
	}
	return out
}
