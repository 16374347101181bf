package message

import (
	"strings"

	"tidings/internal/safetext"
)

// maxQuote is the deepest quoting that is told apart.
const maxQuote = 100

// plain shows a text/plain part: flowed or as it stands.
func (w *walker) plain(p part) {
	s := w.take(p)
	if strings.EqualFold(p.ct.param("format"), "flowed") {
		for _, l := range flow(s, strings.EqualFold(p.ct.param("delsp"), "yes")) {
			w.plainLine(l.text, l.quote, l.fixed)
		}
		return
	}
	files := 0
	for s != "" {
		var line string
		line, s = nextLine(s)
		if f, rest, ok := cutUUFile(line, s); ok {
			files++
			a := f.Attachment
			if a.Section = p.number(); a.Section != "" {
				a.File = files
			}
			w.attach(a)
			s = rest
			continue
		}
		quote, text := cutQuote(line)
		w.plainLine(text, quote, isLaidOut(text))
	}
}

func (w *walker) plainLine(text string, quote int, fixed bool) {
	text = w.findLinks(text)
	lines := safetext.CleanLines(text)
	if len(lines) == 0 {
		w.add(Line{Quote: quote})
	}
	for _, t := range lines {
		w.add(Line{Text: trimRight(t), Quote: quote, Fixed: fixed})
	}
}

func trimRight(t safetext.Text) safetext.Text {
	return t.Slice(0, len(strings.TrimRight(t.String(), " ")))
}

// nextLine cuts s behind its first LF; a CR before it goes too.
func nextLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		line, rest = s[:i], s[i+1:]
	} else {
		line = s
	}
	return strings.TrimRight(line, "\r"), rest
}

// cutQuote counts the ">" that a line begins with and returns what they quote.
// ">From " is what mbox files make of "From ".
func cutQuote(line string) (depth int, text string) {
	if strings.HasPrefix(line, ">From ") {
		return 0, line[1:]
	}
	i := 0
	for i < len(line) && depth < maxQuote {
		switch {
		case line[i] == '>':
			depth++
			i++
			continue
		case line[i] == ' ' && depth > 0 && i+1 < len(line) && line[i+1] == '>':
			i++
			continue
		}
		break
	}
	if depth > 0 && i < len(line) && line[i] == ' ' {
		i++
	}
	return depth, line[i:]
}

// isLaidOut tells a line whose spaces are its layout: a table, code, a diff. A
// long line that is merely indented is prose.
func isLaidOut(s string) bool {
	if s == "" {
		return false
	}
	t := strings.TrimLeft(s, " \t")
	if (s[0] == '\t' || strings.HasPrefix(s, "   ")) && len(t) <= 80 {
		return true
	}
	if i := strings.Index(t, "   "); i > 0 && strings.TrimLeft(t[i:], " ") != "" {
		return true
	}
	return strings.IndexByte(strings.TrimRight(t, "\t"), '\t') > 0
}

// flowedLine is one paragraph, or one fixed line, of a flowed text.
type flowedLine struct {
	text  string
	quote int
	fixed bool
}

// flow joins the lines of a format=flowed text (RFC 3676 §4): a line that ends
// in a space goes on in the next line of the same quote depth. delSp removes
// that space when lines are joined.
func flow(s string, delSp bool) []flowedLine {
	var out []flowedLine
	var par strings.Builder
	open := false // par waits for its next line
	quote := 0
	end := func() {
		if open {
			out = append(out, flowedLine{text: par.String(), quote: quote})
			par.Reset()
			open = false
		}
	}
	for s != "" && len(out) < maxLines {
		var line string
		line, s = nextLine(s)
		depth := 0
		for depth < len(line) && line[depth] == '>' {
			depth++
		}
		line = line[depth:]
		depth = min(depth, maxQuote)
		line = strings.TrimPrefix(line, " ") // space-stuffing
		if open && depth != quote {
			end()
		}
		quote = depth
		signature := line == "-- " || line == "--"
		if signature {
			end()
			out = append(out, flowedLine{text: "--", quote: quote})
			continue
		}
		if strings.HasSuffix(line, " ") {
			if delSp {
				line = line[:len(line)-1]
			}
			par.WriteString(line)
			open = true
			continue
		}
		if open {
			par.WriteString(line)
			end()
			continue
		}
		out = append(out, flowedLine{text: line, quote: quote, fixed: isLaidOut(line)})
	}
	end()
	return out
}

// enriched shows text/enriched (RFC 1896) and the older richtext without their
// commands.
func (w *walker) enriched(p part) {
	s := w.take(p)
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		if strings.HasPrefix(s, "<<") {
			b.WriteByte('<')
			s = s[2:]
			continue
		}
		j := strings.IndexByte(s[:min(len(s), 64)], '>')
		if j < 0 {
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		command := strings.ToLower(s[1:j])
		s = s[j+1:]
		switch command {
		case "nl", "np", "paragraph":
			b.WriteByte('\n')
		case "param":
			if k := strings.Index(strings.ToLower(s[:min(len(s), 1024)]), "</param>"); k >= 0 {
				s = s[k+len("</param>"):]
			}
		}
	}
	b.WriteString(s)
	for _, t := range safetext.CleanLines(b.String()) {
		w.add(Line{Text: trimRight(t)})
	}
}
