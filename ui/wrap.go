package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"tidings/internal/safetext"
)

// piece is a stretch of an outside text: one line of it on screen.
type piece struct {
	text     safetext.Text
	from, to int
}

// wrapText breaks a text into lines of at most w cells, at blanks where there
// are any, between any two characters where not (CJK, long words, URLs). The
// blank at which a line was broken is drawn on neither.
func wrapText(dst []piece, t safetext.Text, w int, m ansi.Method) []piece {
	s := t.String()
	if w <= 0 {
		return dst
	}
	if s == "" {
		return append(dst, piece{t, 0, 0})
	}
	start := 0
	for start < len(s) {
		used, i := 0, start
		lastBlank := -1 // where a line may end, as an offset
		for i < len(s) {
			c, cw := clusterAt(s, i, m)
			if used+cw > w && i > start {
				break
			}
			if c == " " {
				lastBlank = i
			}
			i += len(c)
			used += cw
		}
		if i >= len(s) {
			dst = append(dst, piece{t, start, len(s)})
			return dst
		}
		end := i
		if s[i] == ' ' {
			lastBlank = i
		}
		if lastBlank > start {
			end = lastBlank
		}
		dst = append(dst, piece{t, start, len(strings.TrimRight(s[:end], " "))})
		if last := &dst[len(dst)-1]; last.to < last.from {
			last.to = last.from
		}
		start = end
		for start < len(s) && s[start] == ' ' {
			start++
		}
	}
	return dst
}

// clusterAt is the cluster at byte i of s and its width.
func clusterAt(s string, i int, m ansi.Method) (string, int) {
	if s[i] >= 0x20 && s[i] < 0x7f && (i+1 == len(s) || s[i+1] < 0x80) {
		return s[i : i+1], 1
	}
	c, w := ansi.FirstGraphemeCluster(s[i:], m)
	if c == "" {
		return s[i : i+1], 1
	}
	return c, w
}
