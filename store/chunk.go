package store

import "slices"

// chunkRows is how many rows a chunk holds: as many as make a chunk fill the
// allocator's class of 1,280 bytes. At five bytes a row two full copies of a
// List stay well under 16 bytes a message.
const chunkRows = 248

// A token stands for the right to write. A page or chunk may be written in
// place only by the List whose token it carries; Snapshot takes the token away
// from both sides, so that whoever writes first copies first.
type token struct{ _ byte }

// chunk holds consecutive rows, column by column. An unknown row has UID 0 and
// set 0. How many rows are in use stands in the entry that points here; what
// lies beyond is garbage.
type chunk struct {
	own *token
	// palette lists the flag sets in use, palette[0] being the zero Flags.
	// A chunk has fewer rows than a byte has values, so that a byte a row will
	// always do. A shared backing array is only ever appended to by its owner.
	palette []Flags
	uids    [chunkRows]UID
	set     [chunkRows]uint8
}

func newChunk(own *token) *chunk {
	return &chunk{own: own, palette: make([]Flags, 1, 4)}
}

// copyFor returns a copy that own may write.
func (c *chunk) copyFor(own *token) *chunk {
	d := *c
	d.own = own
	d.palette = slices.Clip(d.palette)
	return &d
}

func (c *chunk) row(i int) Row { return Row{c.uids[i], c.palette[c.set[i]]} }

// put writes row i of n.
func (c *chunk) put(i, n int, r Row) {
	c.uids[i] = r.UID
	c.setFlags(i, n, r.Flags)
}

// setFlags sets the flags of row i of n.
func (c *chunk) setFlags(i, n int, f Flags) {
	k, ok := c.named(f)
	if !ok {
		c.set[i] = 0
		c.cleanPalette(n)
		k, _ = c.named(f)
	}
	c.set[i] = k
}

// named returns the place of f in the palette, where it puts f if there is
// room; there always is after cleanPalette.
func (c *chunk) named(f Flags) (k uint8, ok bool) {
	i := slices.Index(c.palette, f)
	if i < 0 {
		if i = len(c.palette); i == 256 {
			return 0, false
		}
		c.palette = append(c.palette, f)
	}
	return uint8(i), true
}

// cleanPalette drops the flag sets that none of the n rows has any more.
func (c *chunk) cleanPalette(n int) {
	old := c.palette
	c.palette = make([]Flags, 1, 16)
	for i := range n {
		c.set[i], _ = c.named(old[c.set[i]])
	}
}

// remove takes row i of n out.
func (c *chunk) remove(i, n int) {
	copy(c.uids[i:], c.uids[i+1:n])
	copy(c.set[i:], c.set[i+1:n])
}

// blank makes rows [i,j) unknown.
func (c *chunk) blank(i, j int) {
	clear(c.uids[i:j])
	clear(c.set[i:j])
}

// makeRoom moves the n rows up by k and leaves unknown rows before them.
func (c *chunk) makeRoom(k, n int) {
	copy(c.uids[k:k+n], c.uids[:n])
	copy(c.set[k:k+n], c.set[:n])
	c.blank(0, k)
}

// take appends rows [i,j) of d to the n rows of c.
func (c *chunk) take(n int, d *chunk, i, j int) {
	m := n + j - i
	copy(c.uids[n:m], d.uids[i:j])
	clear(c.set[n:m])
	var to [256]uint8 // places in d's palette to places in c's; 0: not looked up
	for k := i; k < j; k++ {
		from := d.set[k]
		if from == 0 {
			continue
		}
		if to[from] == 0 {
			place, ok := c.named(d.palette[from])
			if !ok {
				c.cleanPalette(m)
				clear(to[:])
				place, _ = c.named(d.palette[from])
			}
			to[from] = place
		}
		c.set[n+k-i] = to[from]
	}
}

// search returns the first row of n whose UID is at least u; it exists where
// the chunk's highest UID is not below u.
func (c *chunk) search(u UID, n int, known uint32) int {
	if int(known) == n {
		i, _ := slices.BinarySearch(c.uids[:n], u)
		return i
	}
	for i, v := range c.uids[:n] {
		if v >= u {
			return i
		}
	}
	return n
}

// span returns what an entry says of the first n rows.
func (c *chunk) span(n int) span {
	s := span{n: uint32(n)}
	for _, u := range c.uids[:n] {
		if u != 0 {
			if s.known == 0 {
				s.min = u
			}
			s.max = u
			s.known++
		}
	}
	return s
}
