package ui

import (
	"flag"
	"fmt"
	"html"
	"image/color"
	"os"
	"strings"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"

	"tidings/imapsession"
	"tidings/internal/safetext"
	"tidings/store"
)

var updatePicture = flag.Bool("picture", false, "draw docs/screen.svg anew")

const pictureFile = "../docs/screen.svg"

// scene is the inbox of the README's picture, oldest first.
var scene = []struct {
	ago           time.Duration
	from, subject string
	flags         string
	mixed         bool
}{
	{49 * time.Hour, "Zoé", "Choir on Monday", `\Seen`, false},
	{47 * time.Hour, "Railway tickets", "Your tickets to Oslo", `\Seen`, true},
	{30 * time.Hour, "Carol", "Draft of the announcement", `\Seen \Answered`, false},
	{29 * time.Hour, "さくら", "来週の打ち合わせについて", `\Seen`, false},
	{27 * time.Hour, "Frank", "Figures for the quarter", `\Seen \Flagged`, true},
	{26 * time.Hour, "Ελένη", "Καλημέρα από τη Θεσσαλονίκη", `\Seen`, false},
	{25 * time.Hour, "Bob", "lunch?", `\Seen \Answered`, false},
	{22 * time.Hour, "Build bot", "[beacon] Build #2721 FAILED (main)", `\Seen`, false},
	{6 * time.Hour, "Monitoring", "PROBLEM: cache2 disk usage 91 %", `\Seen \Flagged`, false},
	{5 * time.Hour, "Dan", "Review: tide#1568, bounded retries", ``, false},
	{4 * time.Hour, "Monitoring", "RECOVERY: cache2 disk usage 63 %", `\Seen`, false},
	{3 * time.Hour, "Иван", "Re: отчёт за месяц", ``, false},
	{2 * time.Hour, "Orders", "Your order 2006 is on its way", `\Seen`, true},
	{58 * time.Minute, "Carol", "Re: Notes from the planning meeting", ``, false},
	{31 * time.Minute, "Íñigo", "Vacaciones en agosto", `\Seen`, false},
}

// TestPicture holds the picture in the README against the screen as it is now:
// the same text in the same cells. "go test ./ui -run Picture -picture" draws it
// anew.
func TestPicture(t *testing.T) {
	atScreen(t, 100, 20, func(p *person) {
		s := p.server()
		s.live()
		var sums []*store.Summary
		n := uint32(0)
		add := func(ago time.Duration, from, subject, flags string, mixed bool) *store.Summary {
			n++
			uid := store.UID(1000 + n)
			s.apply(store.Change{Kind: store.Exists, N: n})
			s.apply(store.Change{Kind: store.Fill, Seq: n, UID: uid, Flags: store.MakeFlags(strings.Fields(flags))})
			return &store.Summary{UID: uid, Internal: fakeNow.Add(-ago), Subject: safetext.Clean(subject), Mixed: mixed,
				From: []store.Address{{Name: safetext.Clean(from)}}}
		}
		for _, m := range scene {
			sums = append(sums, add(m.ago, m.from, m.subject, m.flags, m.mixed))
		}
		s.say(s.resync())
		s.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: sums})
		s.count()
		p.idle()
		p.press("j j")

		const seq = 16
		s.change(store.Change{Kind: store.Exists, N: seq}, 0)
		s.change(store.Change{Kind: store.Fill, Seq: seq, UID: 1000 + seq, Flags: store.NoFlags}, 1000+seq)
		s.say(imapsession.SummariesEvent{UIDValidity: fakeValidity, Summaries: []*store.Summary{{UID: 1000 + seq,
			Internal: fakeNow, Subject: safetext.Const("Deploy window"), From: []store.Address{{Name: safetext.Const("Alice")}}}}})
		s.say(imapsession.NewMailEvent{UIDValidity: fakeValidity, UIDs: []store.UID{1000 + seq}, Count: 1})
		s.count()
		p.idle()
		p.sees("new: Alice – Deploy window")
		p.selects("Your order 2006")

		b := uv.NewScreenBuffer(p.m.w, p.m.h)
		b.Method = p.m.pen.method
		uv.NewStyledString(p.m.View().Content).Draw(b, b.Bounds())
		svg := drawSVG(b)
		if *updatePicture {
			if err := os.WriteFile(pictureFile, []byte(svg), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		have, err := os.ReadFile(pictureFile)
		if err != nil {
			t.Fatal(err)
		}
		if string(have) != svg {
			t.Errorf("%s is not what the screen looks like; draw it anew with: go test ./ui -run Picture -picture", pictureFile)
		}
	})
}

// drawSVG draws a screen cell by cell, so that it looks alike in every font.
func drawSVG(b uv.ScreenBuffer) string {
	const cw, ch, pad = 8.4, 19, 12
	bounds := b.Bounds()
	var s strings.Builder
	w, h := float64(bounds.Dx())*cw+2*pad, bounds.Dy()*ch+2*pad
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#d0d0d0">`+"\n", w, h)
	fmt.Fprintf(&s, `<rect width="%.0f" height="%d" rx="8" fill="#16181d"/>`+"\n", w, h)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			c := b.CellAt(x, y)
			if c == nil || c.IsZero() {
				continue
			}
			px, py := pad+float64(x)*cw, pad+y*ch
			if bg := hex(c.Style.Bg); bg != "" {
				fmt.Fprintf(&s, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", px, py, float64(c.Width)*cw+0.4, ch, bg)
			}
			if c.Content == "" || c.Content == " " {
				continue
			}
			attrs := ""
			if fg := hex(c.Style.Fg); fg != "" {
				attrs += ` fill="` + fg + `"`
			}
			if c.Style.Attrs&uv.AttrBold != 0 {
				attrs += ` font-weight="bold"`
			}
			if c.Style.Attrs&uv.AttrFaint != 0 {
				attrs += ` opacity="0.6"`
			}
			fmt.Fprintf(&s, `<text x="%.1f" y="%d"%s>%s</text>`+"\n", px, py+14, attrs, html.EscapeString(c.Content))
		}
	}
	s.WriteString("</svg>\n")
	return s.String()
}

func hex(c color.Color) string {
	if c == nil {
		return ""
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
