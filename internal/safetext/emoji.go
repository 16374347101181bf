package safetext

import (
	"strings"
)

// isEmoji tells the characters that take part in emoji sequences. It is a
// superset in the blocks where nearly everything is one.
func isEmoji(r rune) bool {
	switch {
	case r < 0xa9:
		return false
	case r >= 0x1f000 && r <= 0x1faff:
		return true
	case r >= 0x2600 && r <= 0x27bf:
		return true
	case r >= 0x2b00 && r <= 0x2bff, r >= 0x2190 && r <= 0x21ff, r >= 0x2300 && r <= 0x23ff:
		return true
	}
	switch r {
	case 0xa9, 0xae, 0x203c, 0x2049, 0x2122, 0x2139, 0x3030, 0x303d, 0x3297, 0x3299:
		return true
	}
	return false
}

// isRegional: the letters that flags are spelt with.
func isRegional(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// isPictograph tells the emoji that terminals may draw wider or narrower than
// they are counted: all beyond the BMP, and those of the BMP that are two
// cells wide in Unicode's own table.
func isPictograph(r rune) bool {
	if r >= 0x1f000 && r <= 0x1faff {
		return true
	}
	switch {
	case r == 0x231a, r == 0x231b, r >= 0x23e9 && r <= 0x23ec, r == 0x23f0, r == 0x23f3,
		r == 0x25fd, r == 0x25fe, r == 0x2614, r == 0x2615, r >= 0x2648 && r <= 0x2653,
		r == 0x267f, r == 0x2693, r == 0x26a1, r == 0x26aa, r == 0x26ab, r == 0x26bd,
		r == 0x26be, r == 0x26c4, r == 0x26c5, r == 0x26ce, r == 0x26d4, r == 0x26ea,
		r == 0x26f2, r == 0x26f3, r == 0x26f5, r == 0x26fa, r == 0x26fd, r == 0x2705,
		r == 0x270a, r == 0x270b, r == 0x2728, r == 0x274c, r == 0x274e,
		r >= 0x2753 && r <= 0x2755, r == 0x2757, r >= 0x2795 && r <= 0x2797, r == 0x27b0,
		r == 0x27bf, r == 0x2b1b, r == 0x2b1c, r == 0x2b50, r == 0x2b55:
		return true
	}
	return false
}

// EmojiText returns t with every emoji (a whole sequence as one) written in
// ASCII, for terminals that disagree with the renderer about how wide an emoji
// is (emoji = "text" in the config). The renderer counts wcwidth, and tmux,
// ssh clients and fonts each have their own opinion of sequences; of ASCII all
// have the same one.
func (t Text) EmojiText() Text {
	if !strings.ContainsFunc(t.s, isPictograph) {
		return t
	}
	var b strings.Builder
	b.Grow(len(t.s))
	rs := []rune(t.s)
	for i := 0; i < len(rs); i++ {
		r := rs[i]
		switch {
		case !isPictograph(r):
			b.WriteRune(r)
			continue
		case isRegional(r):
			if i+1 < len(rs) && isRegional(rs[i+1]) {
				b.WriteByte('[')
				b.WriteByte(byte('A' + r - 0x1f1e6))
				b.WriteByte(byte('A' + rs[i+1] - 0x1f1e6))
				b.WriteByte(']')
				i++
			} else {
				b.WriteByte(byte('A' + r - 0x1f1e6))
			}
			continue
		}
		if name, ok := emojiNames[r]; ok {
			b.WriteString(name)
		} else {
			b.WriteString("(*)")
		}
		for i+1 < len(rs) { // the rest of the sequence
			next := rs[i+1]
			if next >= 0x1f3fb && next <= 0x1f3ff || isMark(next) {
				i++
			} else if next == zwj && i+2 < len(rs) {
				i += 2
			} else {
				break
			}
		}
	}
	return Text{b.String()}
}

// emojiNames are the ones that mail subjects are full of.
var emojiNames = map[rune]string{
	0x1f600: ":D", 0x1f601: ":D", 0x1f602: ":'D", 0x1f603: ":D", 0x1f604: ":D",
	0x1f605: ":')", 0x1f606: "XD", 0x1f609: ";)", 0x1f60a: ":)", 0x1f60d: "<3",
	0x1f610: ":|", 0x1f614: ":(", 0x1f618: ":*", 0x1f61b: ":P", 0x1f622: ":'(",
	0x1f62d: ":'(", 0x1f62e: ":O", 0x1f641: ":(", 0x1f642: ":)", 0x1f643: "(:",
	0x1f44d: "(+1)", 0x1f44e: "(-1)", 0x1f44f: "(clap)", 0x1f64f: "(thanks)",
	0x1f389: "(party)", 0x1f38a: "(party)", 0x1f381: "(gift)", 0x1f382: "(cake)",
	0x1f525: "(fire)", 0x1f680: "(rocket)", 0x1f6a8: "(alarm)", 0x1f4a1: "(idea)",
	0x1f4b0: "(money)", 0x1f4c5: "(date)", 0x1f4c8: "(up)", 0x1f4c9: "(down)",
	0x1f4ce: "(clip)", 0x1f4e3: "(!)", 0x1f4e6: "(parcel)", 0x1f4e7: "(mail)",
	0x1f512: "(lock)", 0x1f514: "(bell)", 0x1f41b: "(bug)", 0x1f494: "</3",
	0x1f499: "<3", 0x1f49a: "<3", 0x1f49b: "<3", 0x1f49c: "<3", 0x1f9e1: "<3",
	0x2705: "[x]", 0x274c: "[X]", 0x274e: "[X]", 0x2728: "*", 0x2b50: "*",
	0x1f31f: "*", 0x26a1: "(!)", 0x2753: "?", 0x2757: "!", 0x23f0: "(clock)",
	0x2615: "(coffee)", 0x1f37a: "(beer)", 0x1f373: "(food)", 0x1f4a9: "(poo)",
}
