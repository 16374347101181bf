package message

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkParseHeader(b *testing.B) {
	h := []byte(typical)
	b.SetBytes(int64(len(h)))
	b.ReportAllocs()
	for b.Loop() {
		_ = ParseHeader(h)
	}
}

// bodySize is that of a long newsletter.
const bodySize = 457 << 10

func plainBody() []byte {
	var b strings.Builder
	b.WriteString("Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	for i := 0; b.Len() < bodySize; i++ {
		fmt.Fprintf(&b, "Line %d of a report, with numbers and words up to about this width.\r\n", i)
		if i%7 == 0 {
			b.WriteString("> a quoted line, grün und blau, https://example.org/ticket?id=1\r\n\r\n")
		}
	}
	return []byte(b.String())
}

func htmlBody() []byte {
	var b strings.Builder
	b.WriteString("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><table width=600>")
	for i := 0; b.Len() < bodySize; i++ {
		fmt.Fprintf(&b, `<tr><td style="font-family:Arial,sans-serif;font-size:14px;line-height:20px;color:#333333" align="left">`+
			`<table role="presentation"><tr><td style="padding:0 0 12px"><a href="https://shop.example/track?id=%d&amp;u=77" style="color:#0066cc;text-decoration:none">`+
			`<img src="https://img.example/%d.png" width="120" height="80" alt=""> Offer number %d</a></td></tr></table>`+
			`<p style="margin:0 0 12px">A few words about this <b>offer</b>, which costs 12&nbsp;&euro; and ends soon.</p></td></tr>`+"\n", i, i, i)
	}
	b.WriteString("</table></body></html>")
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range []struct {
		name string
		body []byte
	}{{"plain", plainBody()}, {"html", htmlBody()}} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.body)))
			b.ReportAllocs()
			for b.Loop() {
				_ = Parse(bb.body, false)
			}
		})
	}
}

func BenchmarkWrap(b *testing.B) {
	m := Parse(plainBody(), false)
	b.ReportAllocs()
	for b.Loop() {
		_ = Wrap(m.Lines, 60, runeWidth)
	}
}
