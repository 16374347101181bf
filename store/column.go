package store

// stretchRows is how many rows a stretch of a column holds: as many as fill the
// allocator's class of 2,048 bytes.
const stretchRows = 1020

// column holds two bytes for each row of a List and keeps in line with it: rows
// come at the end and go anywhere. The zero value is empty.
type column struct {
	parts []*stretch
	sums  tally
	n     int
}

type stretch struct {
	n    int
	rows [stretchRows]uint16
}

// extend appends n rows of v.
func (c *column) extend(n int, v uint16) {
	c.n += n
	if k := len(c.parts) - 1; k >= 0 {
		if m := c.parts[k].put(n, v); m > 0 {
			c.sums.add(k, m)
			n -= m
		}
	}
	if n <= 0 {
		return
	}
	for n > 0 {
		s := new(stretch)
		n -= s.put(n, v)
		c.parts = append(c.parts, s)
	}
	c.count()
}

// put appends up to n rows of v, as many as there is room for.
func (s *stretch) put(n int, v uint16) int {
	n = min(n, stretchRows-s.n)
	if v != 0 {
		for i := range n {
			s.rows[s.n+i] = v
		}
	} else {
		clear(s.rows[s.n : s.n+n])
	}
	s.n += n
	return n
}

func (c *column) count() {
	c.sums = newTally(len(c.parts), func(i int) int { return c.parts[i].n })
}

func (c *column) at(i int) uint16 {
	k, off := c.sums.find(i)
	return c.parts[k].rows[off]
}

func (c *column) set(i int, v uint16) {
	k, off := c.sums.find(i)
	c.parts[k].rows[off] = v
}

// remove takes row i out and returns it.
func (c *column) remove(i int) uint16 {
	k, off := c.sums.find(i)
	s := c.parts[k]
	v := s.rows[off]
	copy(s.rows[off:], s.rows[off+1:s.n])
	s.n--
	c.n--
	// Neighbours that one stretch could hold with room to spare become one, so
	// that a storm does not leave the column mostly empty.
	switch {
	case k+1 < len(c.parts) && s.n+c.parts[k+1].n <= stretchRows*3/4:
		s.join(c.parts[k+1])
		c.drop(k + 1)
	case k > 0 && s.n+c.parts[k-1].n <= stretchRows*3/4:
		c.parts[k-1].join(s)
		c.drop(k)
	default:
		c.sums.add(k, -1)
	}
	return v
}

func (s *stretch) join(o *stretch) {
	copy(s.rows[s.n:], o.rows[:o.n])
	s.n += o.n
}

func (c *column) drop(k int) {
	c.parts = append(c.parts[:k], c.parts[k+1:]...)
	c.count()
}
