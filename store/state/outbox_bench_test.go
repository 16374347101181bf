package state

import "testing"

// BenchmarkPut is how long an action waits for the disk before it may be sent: one
// at a time, and a hundred at once.
func BenchmarkPut(b *testing.B) {
	for _, bench := range []struct {
		name string
		many int
	}{{"one", 1}, {"hundred", 100}} {
		b.Run(bench.name, func(b *testing.B) {
			p := startProcess(b.TempDir(), alice)
			defer p.end()
			done := make(chan struct{}, bench.many)
			for b.Loop() {
				for range bench.many {
					p.o.Put(entry(1), func(_ int64, err error) {
						if err != nil {
							b.Error(err)
						}
						done <- struct{}{}
					})
				}
				for range bench.many {
					<-done
				}
			}
		})
	}
}
