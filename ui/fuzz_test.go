package ui

import (
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"tidings/internal/safetext"
	"tidings/store"
)

// FuzzRow draws a row from any sender and subject: it must be exactly as wide
// as it was begun, by both width methods, whatever the text does.
func FuzzRow(f *testing.F) {
	for _, s := range append(append([]string{}, fakeNames...), fakeWords...) {
		f.Add(s, s, uint16(80))
	}
	f.Add("\u0301a", "\u0301\u0301", uint16(40))
	f.Add("👩\u200d", "\u200d🚀", uint16(30))
	f.Add("🇩", "🇪", uint16(44))
	f.Add("क्", "ष", uint16(61))
	f.Fuzz(func(t *testing.T, from, subject string, width uint16) {
		w := int(width % 200)
		for _, m := range []ansi.Method{ansi.WcWidth, ansi.GraphemeWidth} {
			p := &pen{theme: newTheme(true, colorprofile.ANSI256, false), method: m}
			p.reset()
			p.begin(w)
			s := &store.Summary{
				UID: 1, Internal: fakeNow, Subject: safetext.Clean(subject),
				From: []store.Address{{Name: safetext.Clean(from), Addr: safetext.Clean(from)}},
			}
			drawRow(p, layoutColumns(w), row{summary: s, flags: store.NoFlags}, selected, false, fakeNow)
			if got := m.StringWidth(string(p.buf)); got != w {
				t.Errorf("method %d: %d cells instead of %d: %q", m, got, w, p.buf)
			}
		}
	})
}
