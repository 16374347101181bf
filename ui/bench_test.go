package ui

import (
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
)

// benchModel is a screen with n messages, all of them known where known is set.
func benchModel(b testing.TB, n, w, h int, narrow bool) (*Model, *fakeSession) {
	b.Helper()
	f := newFakeSession()
	f.narrow = narrow
	f.start(n)
	m := newModel(Options{
		Accounts: []Account{{Name: safetext.Const("work"), Session: f}},
		Environ:  []string{"TERM=xterm-256color", "LANG=C.UTF-8"},
	})
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	for f.box.Pending() > 0 {
		evs, err := f.box.Next(b.Context(), pumpBatch)
		if err != nil {
			b.Fatal(err)
		}
		m.Update(batchMsg{0, evs})
	}
	return m, f
}

func BenchmarkView(b *testing.B) {
	for _, c := range []struct {
		name   string
		w, h   int
		narrow bool
	}{
		{"120x40", 120, 40, true}, {"120x40/wide characters", 120, 40, false}, {"300x100", 300, 100, true}, {"80x24", 80, 24, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			m, _ := benchModel(b, 1000, c.w, c.h, c.narrow)
			b.ReportAllocs()
			for b.Loop() {
				_ = m.View()
			}
		})
	}
}

func BenchmarkKey(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, _ := benchModel(b, n, 120, 40, true)
			keys := []tea.KeyPressMsg{keyPress("j"), keyPress("k")}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Update(keys[i%2])
			}
		})
	}
}

// BenchmarkStorm applies 2,048 flag changes and expunges of one batch.
func BenchmarkStorm(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m, f := benchModel(b, n, 120, 40, true)
			var evs []imapsession.Event
			for i := range pumpBatch {
				flags := store.MakeFlags([]string{`\Seen`})
				if i%2 == 0 {
					flags = store.NoFlags
				}
				evs = append(evs, imapsession.ListEvent{Epoch: f.epoch, Change: store.Change{Kind: store.SetFlags, Seq: uint32(i*4 + 1), Flags: flags}})
			}
			b.ReportAllocs()
			for b.Loop() {
				m.Update(batchMsg{0, evs})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pumpBatch, "ns/event")
		})
	}
}

// BenchmarkLayoutMessage wraps a letter of some 500 KiB.
func BenchmarkLayoutMessage(b *testing.B) {
	line := safetext.Const("Please have the rollback at hand, we will want it should the migration take longer than ten minutes, as it did the last time when nobody had it.")
	msg := &message.Message{}
	for range 3500 {
		msg.Lines = append(msg.Lines, message.Line{Text: line})
	}
	b.ReportAllocs()
	for b.Loop() {
		layoutMessage(msg, 100, 0, false, fakeNow)
	}
}
