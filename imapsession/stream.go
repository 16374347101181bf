package imapsession

import (
	"io"
	"slices"
	"sync"

	"tidings/internal/safetext"
)

// streamRoom is how many octets a Stream holds before its command has to wait.
const streamRoom = 2 * bodyChunk

// Stream carries the octets of a part from a session to whoever wants them, in
// order, however often the link breaks between two of them. It holds no more than
// streamRoom and a chunk: a reader who is slow makes the command wait, and nothing
// else.
//
// The session puts and ends; one goroutine reads. Any goroutine may close it.
type Stream struct {
	mu     sync.Mutex
	chunks [][]byte
	held   int
	ended  bool
	err    error
	note   safetext.Text
	wake   func()        // tells the session that there is room again
	ready  chan struct{} // capacity 1
}

// NewStream makes a Stream for one FetchPart.
func NewStream() *Stream { return &Stream{ready: make(chan struct{}, 1)} }

// Read waits for octets. Behind the last it returns io.EOF or why there are no
// more, each time.
func (s *Stream) Read(p []byte) (int, error) {
	for {
		if n, err, ok := s.take(p); ok {
			return n, err
		}
		<-s.ready
	}
}

func (s *Stream) take(p []byte) (n int, err error, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil, true
	}
	if len(s.chunks) == 0 {
		if !s.ended {
			return 0, nil, false
		}
		nudge(s.ready) // for the next Read
		if s.err != nil {
			return 0, s.err, true
		}
		return 0, io.EOF, true
	}
	was := s.held >= streamRoom
	n = copy(p, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; len(s.chunks[0]) == 0 {
		s.chunks = slices.Delete(s.chunks, 0, 1)
	}
	s.held -= n
	if was && s.held < streamRoom && s.wake != nil {
		s.wake()
	}
	return n, nil, true
}

// Close makes a Read that waits, and all others, return err. The command is not
// ended by it: Session.Cancel does that.
func (s *Stream) Close(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chunks, s.held = nil, 0
	s.ended, s.err = true, err
	nudge(s.ready)
}

// Put adds octets, which are the Stream's from then on. Only a session, or who
// plays one, calls it.
func (s *Stream) Put(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(b) == 0 {
		return
	}
	s.chunks = append(s.chunks, b)
	s.held += len(b)
	nudge(s.ready)
}

// End says that nothing more comes, because of err, or because that was all; there
// may be something to tell of it.
func (s *Stream) End(err error, note safetext.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.err, s.note = true, err, note
		nudge(s.ready)
	}
}

// Note is what there is to tell the person of what came, once Read has returned
// io.EOF: that it is not what the server announced. It is empty where all is well.
func (s *Stream) Note() safetext.Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.note
}

// full tells whether the reader has to catch up first.
func (s *Stream) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held >= streamRoom
}

// attach has wake called, which must not block, when there is room again.
func (s *Stream) attach(wake func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = wake
}
