package ui

import (
	"time"

	"github.com/charmbracelet/x/ansi"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// readerLine is one line of the reader.
type readerLine struct {
	style style
	mark  ink // before the text: a field's name, a bullet
	own   ink // the program's own words, else:
	text  safetext.Text
}

// measure is how wide text is set at most: longer lines are hard to read.
const measure = 100

// layoutMessage turns a message into lines of w cells.
func layoutMessage(msg *message.Message, w int, method ansi.Method, emoji bool, now time.Time) []readerLine {
	lay := layouter{w: min(max(w-2, 1), measure), method: method, emoji: emoji}
	lay.addresses("From", msg.From)
	lay.addresses("To", msg.To)
	lay.addresses("Cc", msg.Cc)
	if len(msg.ReplyTo) > 0 && (len(msg.From) == 0 || msg.ReplyTo[0] != msg.From[0]) {
		lay.addresses("Reply", msg.ReplyTo)
	}
	if !msg.Date.IsZero() {
		lay.lines = append(lay.lines, readerLine{style: sDim, mark: "Date    ", own: ink(msg.Date.In(now.Location()).Format("Mon 2 Jan 2006 15:04 -0700"))})
	}
	lay.field("Subject", sBold, safetext.Clean(msg.Subject))
	lay.blank()
	return append(lay.lines, layoutText(msg, w, method, emoji, now)...)
}

// layoutText is what stands below the header.
func layoutText(msg *message.Message, w int, method ansi.Method, emoji bool, _ time.Time) []readerLine {
	lay := layouter{w: min(max(w-2, 1), measure), method: method, emoji: emoji}
	lay.body(msg.Lines)
	if len(msg.Attachments) > 0 {
		lay.blank()
		for _, x := range msg.Attachments {
			name := safetext.Clean(x.Name)
			if name.IsEmpty() {
				name = safetext.Const("(no name)")
			}
			size := safetext.Clean(octets(x.Size))
			if x.Cut {
				size = safetext.Format("more than %s", size)
			}
			lay.wrapped(sAnswered, "@ ", safetext.Format("%s  %s  %s", name, safetext.Clean(x.Type), size))
		}
	}
	if len(msg.Links) > 0 {
		lay.blank()
		for _, x := range msg.Links {
			s := sLink
			t := safetext.Format("[%s] %s", safetext.Int(x.N), safetext.Clean(x.URL))
			if reads := x.Reads(); !reads.IsEmpty() {
				s = sWarn
				t = safetext.Format("[%s] goes to %s, which looks like %s: %s", safetext.Int(x.N), safetext.Clean(x.Host), reads, safetext.Clean(x.URL))
			}
			if x.Mismatch {
				s = sWarn
				t = safetext.Format("[%s] really goes to %s: %s", safetext.Int(x.N), safetext.Clean(x.Host), safetext.Clean(x.URL))
			}
			lay.wrapped(s, "", t)
		}
	}
	if len(msg.Problems) > 0 {
		lay.blank()
		for _, t := range msg.Problems {
			lay.wrapped(sWarn, "", t)
		}
	}
	return lay.lines
}

// layoutEnd stands below what is shown of a message that is too long.
func layoutEnd(w int, method ansi.Method) []readerLine {
	lay := layouter{w: min(max(w-2, 1), measure), method: method}
	lay.blank()
	lay.wrapped(sWarn, "", safetext.Const("The message goes on. s lists all that is attached to it."))
	return lay.lines
}

type layouter struct {
	w      int
	method ansi.Method
	emoji  bool
	lines  []readerLine
}

func (l *layouter) blank() { l.lines = append(l.lines, readerLine{}) }

// addresses shows names with the real addresses beside them.
func (l *layouter) addresses(label ink, as []message.Address) {
	if len(as) == 0 {
		return
	}
	parts := make([]safetext.Text, 0, len(as))
	for i, a := range as {
		if i == 50 {
			parts = append(parts, safetext.Format("and %s more", safetext.Int(len(as)-i)))
			break
		}
		parts = append(parts, a.Text())
	}
	l.field(label, sPlain, safetext.Join(parts, ", "))
}

const fieldWidth = 8

func (l *layouter) field(label ink, s style, t safetext.Text) {
	l.wrapped(s, label+ink(blanks[:fieldWidth-len(label)]), t)
}

// wrapped lays out a text behind a mark; what follows its first line is
// indented by as much.
func (l *layouter) wrapped(s style, mark ink, t safetext.Text) {
	for _, row := range l.wrap([]message.Line{{Text: t}}, len(mark)) {
		l.lines = append(l.lines, readerLine{style: s, mark: mark, text: row.Text})
		mark = ink(blanks[:len(mark)])
	}
}

// body lays out the text; quotes are coloured by their depth.
func (l *layouter) body(lines []message.Line) {
	for _, row := range l.wrap(lines, 0) {
		s := sPlain
		if row.Quote > 0 {
			s = [...]style{sQuote3, sQuote1, sQuote2}[row.Quote%3]
		}
		l.lines = append(l.lines, readerLine{style: s, text: row.Text})
	}
}

func (l *layouter) wrap(lines []message.Line, indent int) []message.DisplayLine {
	if l.emoji {
		plain := make([]message.Line, len(lines))
		for i, x := range lines {
			x.Text = x.Text.EmojiText()
			plain[i] = x
		}
		lines = plain
	}
	return message.Wrap(lines, max(l.w-indent, 1), l.method.StringWidth)
}

// octets says a size as people do.
func octets(n int64) string {
	switch {
	case n < 1000:
		return thousands(int(n)) + " B"
	case n < 1_000_000:
		return thousands(int((n+512)/1024)) + " KiB"
	default:
		return thousands(int(n>>20)) + "." + thousands(int(n%(1<<20)*10>>20)) + " MiB"
	}
}
