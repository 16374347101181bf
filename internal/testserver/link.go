package testserver

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is a way through a Link.
type Direction uint8

// The directions; Both is their union.
const (
	ToServer Direction = 1 << iota
	ToClient
	Both = ToServer | ToClient
)

// Link carries connections between a client and a server and does to them what
// networks do. It is controlled live: every method may be called from any
// goroutine and holds for bytes read from then on, of all connections.
//
// NewLink puts it before a TCP server. Pipe makes one of net.Pipes, which keeps
// virtual time (testing/synctest): all its waiting is done on timers, channels
// and conditions of the bubble.
type Link struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu         sync.Mutex
	changed    *sync.Cond // the settings or closed
	lanes      [2]laneSettings
	wires      map[*wire]struct{}
	refuse     bool
	closed     bool
	accepted   int
	roundTrips int
}

// laneSettings is what happens to the bytes of one direction.
type laneSettings struct {
	latency   time.Duration
	bandwidth int // bytes a second; 0: unlimited
	slice     int // bytes a write; 0: as they come
	swallow   bool
	stall     bool
	limited   bool
	left      int64  // bytes until the cut, where limited
	healed    func() // called once the cut is made, which is the only one then
	bytes     int64  // delivered
	read      int64  // taken from the sender
}

// wire is one connection through the link.
type wire struct {
	link           *Link
	client, server net.Conn
	closed         chan struct{}
	once           sync.Once
	asked          bool // bytes of the client were the last to pass; link.mu
}

func newLink() *Link {
	l := &Link{wires: map[*wire]struct{}{}}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// NewLink listens on loopback and carries every connection on to target. It
// ends with the test.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	l := newLink()
	l.listener, l.target = listener, target
	l.running.Go(l.accept)
	t.Cleanup(l.Close)
	return l
}

// Pipe returns the two ends of a connection in memory that goes through a Link.
// Close the Link before the synctest bubble ends; closing both ends does too.
func Pipe() (client, server net.Conn, link *Link) {
	client, near := net.Pipe()
	far, server := net.Pipe()
	l := newLink()
	l.carry(near, far)
	return client, server, l
}

// Addr is where a client connects.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Close cuts everything and waits for the link's goroutines.
func (l *Link) Close() {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	if l.listener != nil {
		_ = l.listener.Close()
	}
	l.Cut()
	l.running.Wait()
}

func (l *Link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		refuse := l.refuse || l.closed
		l.accepted++
		l.mu.Unlock()
		if refuse {
			reset(client)
			continue
		}
		server, err := net.Dial("tcp", l.target)
		if err != nil {
			reset(client)
			continue
		}
		l.carry(client, server)
	}
}

// carry starts a wire between two connections.
func (l *Link) carry(client, server net.Conn) {
	w := &wire{link: l, client: client, server: server, closed: make(chan struct{})}
	l.mu.Lock()
	closed := l.closed
	l.wires[w] = struct{}{}
	l.mu.Unlock()
	if closed {
		w.cut()
		return
	}
	w.lane(0, client, server)
	w.lane(1, server, client)
}

// SetLatency delays the bytes of each direction; a round trip takes the sum.
func (l *Link) SetLatency(toServer, toClient time.Duration) {
	l.set(ToServer, func(s *laneSettings) { s.latency = toServer })
	l.set(ToClient, func(s *laneSettings) { s.latency = toClient })
}

// SetBandwidth limits directions to bytes a second each; 0 lifts the limit.
func (l *Link) SetBandwidth(d Direction, bytesPerSecond int) {
	l.set(d, func(s *laneSettings) { s.bandwidth = bytesPerSecond })
}

// SetSlice hands bytes on at most n at a time; 0 as they come.
func (l *Link) SetSlice(d Direction, n int) { l.set(d, func(s *laneSettings) { s.slice = n }) }

// Swallow takes bytes and forgets them, while TCP goes on acknowledging: the
// silence of a dead NAT entry.
func (l *Link) Swallow(d Direction, on bool) { l.set(d, func(s *laneSettings) { s.swallow = on }) }

// Stall stops reading from the sender, so that its buffers fill, until it is
// lifted; then everything goes on without loss.
func (l *Link) Stall(d Direction, on bool) { l.set(d, func(s *laneSettings) { s.stall = on }) }

// CutAfter cuts the connection once n more bytes have been delivered in a
// direction; the n-th still is.
func (l *Link) CutAfter(d Direction, n int64) {
	l.set(d, func(s *laneSettings) { s.limited, s.left = true, n })
}

// CutOnce is CutAfter for one cut: the connection that is made next is not cut
// again. cut is called before it can be made; it may call CutOnce.
func (l *Link) CutOnce(d Direction, n int64, cut func()) {
	l.set(d, func(s *laneSettings) { s.limited, s.left, s.healed = true, n, cut })
}

// Refuse resets new connections as soon as they are made.
func (l *Link) Refuse(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = on
}

// Heal lifts every fault; what was cut stays cut.
func (l *Link) Heal() {
	l.set(Both, func(s *laneSettings) { *s = laneSettings{bytes: s.bytes, read: s.read} })
	l.Refuse(false)
}

// Cut ends all connections with RST (in memory: at once).
func (l *Link) Cut() {
	for _, w := range l.all() {
		w.cut()
	}
}

// Fin ends a direction as a polite peer does: the receiver reads EOF. The other
// direction stays open where the transport can do that.
func (l *Link) Fin(d Direction) {
	for _, w := range l.all() {
		if d&ToServer != 0 {
			closeWrite(w.server)
		}
		if d&ToClient != 0 {
			closeWrite(w.client)
		}
	}
}

// Bytes is how many bytes were delivered in these directions.
func (l *Link) Bytes(d Direction) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := int64(0)
	for i := range l.lanes {
		if d&(1<<i) != 0 {
			sum += l.lanes[i].bytes
		}
	}
	return sum
}

// Read is how many bytes were taken from the senders of these directions,
// those that were swallowed or wait for their time included.
func (l *Link) Read(d Direction) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := int64(0)
	for i := range l.lanes {
		if d&(1<<i) != 0 {
			sum += l.lanes[i].read
		}
	}
	return sum
}

// RoundTrips counts how often the client had to wait for the server: a flight
// of the client's bytes followed by bytes that reach it. A greeting, which
// nobody asked for, is none. The count is right only with a latency well above
// what the client needs between two writes of one flight.
func (l *Link) RoundTrips() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.roundTrips
}

// Conns is how many connections were made to the link so far, refused ones
// included.
func (l *Link) Conns() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

// Open is how many connections are open now.
func (l *Link) Open() int { return len(l.all()) }

// ResetCounters sets bytes and round trips to zero.
func (l *Link) ResetCounters() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.roundTrips = 0
	for i := range l.lanes {
		l.lanes[i].bytes, l.lanes[i].read = 0, 0
	}
}

func (l *Link) set(d Direction, change func(*laneSettings)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.lanes {
		if d&(1<<i) != 0 {
			change(&l.lanes[i])
		}
	}
	l.changed.Broadcast()
}

func (l *Link) all() []*wire {
	l.mu.Lock()
	defer l.mu.Unlock()
	wires := make([]*wire, 0, len(l.wires))
	for w := range l.wires {
		wires = append(wires, w)
	}
	return wires
}

// chunk is bytes on their way; end follows the last of them.
type chunk struct {
	data []byte
	due  time.Time
	end  error
}

// chunkSize is how much is read at once, and inFlight how many chunks may wait
// for their time.
const (
	chunkSize = 16 << 10
	inFlight  = 1024
)

// lane starts the two goroutines of one direction of a wire.
func (w *wire) lane(i int, from, to net.Conn) {
	queue := make(chan chunk, inFlight)
	w.link.running.Go(func() { w.read(i, from, queue) })
	w.link.running.Go(func() { w.deliver(i, to, queue) })
}

// read takes bytes from the sender and stamps them with the time at which the
// receiver gets them.
func (w *wire) read(i int, from net.Conn, queue chan<- chunk) {
	for {
		w.awaitFlow(i)
		buf := make([]byte, chunkSize)
		n, err := from.Read(buf)
		// What was already being read when the link was stalled waits here.
		s := w.awaitFlow(i)
		if n > 0 {
			w.link.mu.Lock()
			w.link.lanes[i].read += int64(n)
			if i == 0 && !s.swallow {
				w.asked = true
			}
			w.link.mu.Unlock()
		}
		c := chunk{data: buf[:n], due: time.Now().Add(s.latency), end: err}
		if s.swallow {
			if c.data = nil; err == nil {
				continue
			}
		}
		select {
		case queue <- c:
		case <-w.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// awaitFlow waits while the direction is stalled and returns its settings.
func (w *wire) awaitFlow(i int) laneSettings {
	w.link.mu.Lock()
	defer w.link.mu.Unlock()
	for w.link.lanes[i].stall && !w.isClosed() && !w.link.closed {
		w.link.changed.Wait()
	}
	return w.link.lanes[i]
}

func (w *wire) isClosed() bool {
	select {
	case <-w.closed:
		return true
	default:
		return false
	}
}

// deliver hands bytes on when they are due.
func (w *wire) deliver(i int, to net.Conn, queue <-chan chunk) {
	for {
		var c chunk
		select {
		case c = <-queue:
		case <-w.closed:
			return
		}
		if !w.wait(time.Until(c.due)) || !w.write(i, to, c.data) {
			return
		}
		if c.end != nil {
			w.end(to, c.end)
			return
		}
	}
}

// write hands one chunk on, in slices, at the bandwidth, up to the limit.
func (w *wire) write(i int, to net.Conn, data []byte) bool {
	for len(data) > 0 {
		s := w.awaitFlow(i)
		if s.swallow {
			return true
		}
		n := len(data)
		if s.slice > 0 {
			n = min(n, s.slice)
		}
		if s.bandwidth > 0 {
			// At least a hundred steps a second, so that it flows.
			n = min(n, max(1, s.bandwidth/100))
		}
		if s.limited {
			n = int(min(int64(n), s.left))
		}
		w.count(i, n)
		if n > 0 {
			if _, err := to.Write(data[:n]); err != nil {
				w.cut()
				return false
			}
		}
		if s.limited && s.left <= int64(n) {
			if s.healed != nil {
				w.link.set(1<<i, func(s *laneSettings) { s.limited, s.healed = false, nil })
				s.healed()
			}
			w.cut()
			return false
		}
		data = data[n:]
		if s.bandwidth > 0 && !w.wait(time.Duration(n)*time.Second/time.Duration(s.bandwidth)) {
			return false
		}
	}
	return true
}

// count books n bytes before they are written: who has received them finds
// them counted.
func (w *wire) count(i, n int) {
	w.link.mu.Lock()
	defer w.link.mu.Unlock()
	s := &w.link.lanes[i]
	s.bytes += int64(n)
	if s.limited {
		s.left -= int64(n)
	}
	if i == 1 && n > 0 && w.asked {
		w.asked = false
		w.link.roundTrips++
	}
}

// wait returns false if the wire was closed meanwhile.
func (w *wire) wait(d time.Duration) bool {
	if d <= 0 {
		return !w.isClosed()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.closed:
		return false
	}
}

// end passes the sender's end on.
func (w *wire) end(to net.Conn, err error) {
	if errors.Is(err, io.EOF) {
		if closeWrite(to) {
			return
		}
	}
	w.cut()
}

// cut ends both sides at once.
func (w *wire) cut() {
	w.once.Do(func() {
		close(w.closed)
		w.link.mu.Lock()
		delete(w.link.wires, w)
		w.link.changed.Broadcast()
		w.link.mu.Unlock()
		reset(w.client)
		reset(w.server)
	})
}

// reset closes a connection with RST where it is TCP.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// closeWrite sends FIN; false if the transport cannot.
func closeWrite(c net.Conn) bool {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() == nil
	}
	return false
}
