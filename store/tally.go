package store

// tally sums up the rows of stretches that follow each other (a Fenwick tree):
// how many lie before one, and which holds row k, in a dozen steps among
// thousands. Stretches that come or go have it built anew.
type tally []int32

// newTally sums up n stretches, of which stretch i has count(i) rows.
func newTally(n int, count func(i int) int) tally {
	t := make(tally, n+1)
	for i := 1; i <= n; i++ {
		t[i] += int32(count(i - 1))
		if j := i + i&-i; j <= n {
			t[j] += t[i]
		}
	}
	return t
}

// add counts d more rows in stretch i.
func (t tally) add(i, d int) {
	for i++; i < len(t); i += i & -i {
		t[i] += int32(d)
	}
}

// before is the number of rows in the stretches [0,i).
func (t tally) before(i int) (n int) {
	for ; i > 0; i &= i - 1 {
		n += int(t[i])
	}
	return n
}

// find returns the stretch that holds row k, and which of its rows that is.
// Where there are no more than k rows it returns the number of stretches.
func (t tally) find(k int) (i, off int) {
	step := 1
	for step*2 < len(t) {
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if j := i + step; j < len(t) && int(t[j]) <= k {
			i, k = j, k-int(t[j])
		}
	}
	return i, k
}
