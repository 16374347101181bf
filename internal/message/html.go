package message

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tidings/internal/safetext"
)

const (
	maxListDepth = 12
	maxTag       = 1 << 20 // octets of one tag
)

// html shows a text/html part.
func (w *walker) html(p part) {
	s := w.take(p)
	before, links := len(w.lines), len(w.m.Links)
	hidden := w.render(s, p.open, false)
	if hidden && len(w.lines) == before && before < maxLines {
		// Everything was inside an element that hides: more likely a broken
		// document than an empty message.
		w.dropLinks(links)
		w.render(s, p.open, true)
	}
}

// maxMends is how many tags without their end are stepped over in one text.
const maxMends = 8

// render makes HTML readable: blocks become lines, quoting becomes depth, data
// tables become columns, links get numbers. It reads tokens, not a tree, so
// that nesting costs nothing. It reports whether anything was hidden; showAll
// shows that too.
func (w *walker) render(s string, open, showAll bool) (hidden bool) {
	r := renderer{w: w, showAll: showAll}
	for mends := 0; ; mends++ {
		rest := r.tokens(s)
		// What is left is a tag that does not end: cut off, or its quote is not
		// closed. What stands behind its first ">" is text to people.
		i := strings.IndexByte(rest, '>')
		if i < 0 || open || mends == maxMends || strings.HasPrefix(rest, "<!") {
			break
		}
		s = rest[i+1:]
	}
	r.end()
	return r.hidden
}

// tokens renders s up to its end, or to a tag that does not end, which it
// returns with all behind it.
func (r *renderer) tokens(s string) (rest string) {
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(maxTag)
	at := 0
	for !r.w.full {
		typ := z.Next()
		if typ == html.ErrorToken {
			return s[min(at, len(s)):]
		}
		at += len(z.Raw())
		switch typ {
		case html.TextToken:
			r.text(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z, typ == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.close(name)
		}
	}
	return ""
}

// renderer holds what is open. Only what changes the layout is tracked; a
// closing tag that closes nothing is ignored.
type renderer struct {
	w *walker

	cur   []byte // the line so far, raw
	space bool   // white space waits for text behind it
	// gap is what has to come before the next text: 0 nothing, 1 a new line,
	// 2 an empty line.
	gap   int
	par   int // the gap around the paragraph that is open
	quote int
	pre   int
	lists []list
	depth int // of lists, beyond maxListDepth too
	mark  string

	link     string // the URL of the open <a>
	linkText []byte

	grid   *grid // the innermost table, while it may be one of data
	tables int

	skip    skipper
	hidden  bool // something was
	showAll bool
	preWrap preWrap
}

type list struct {
	ordered bool
	n       int
}

func (r *renderer) start(z *html.Tokenizer, selfClosing bool) {
	name, more := z.TagName()
	a := atom.Lookup(name)
	if r.skip.active() && r.skip.start(a, name) {
		return
	}
	var buf [32]byte
	tag := append(buf[:0], name...) // name does not outlive the attributes
	var at attrs
	if more {
		at = readAttrs(z, a)
	}
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Iframe, atom.Noframes:
		r.skip.begin(a, tag) // the tokenizer knows where these end
		return
	case atom.Template, atom.Object, atom.Svg, atom.Math, atom.Select, atom.Audio, atom.Video, atom.Canvas:
		if !r.showAll && !selfClosing {
			r.skip.begin(a, tag)
			r.hidden = true
		}
		return
	}
	if at.hidden && !r.showAll && !isVoid(a) && a != atom.Body && a != atom.Html {
		r.skip.begin(a, tag)
		r.hidden = true
		return
	}
	if !isVoid(a) && a != atom.Body && a != atom.Html {
		r.preWrap.start(a, at.preWrap)
	}
	switch a {
	case atom.Br:
		r.lineBreak()
	case atom.P:
		r.par = 2
		if at.tight {
			r.par = 1
		}
		r.block(r.par)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Dl, atom.Fieldset, atom.Figure:
		r.block(2)
	case atom.Hr:
		r.block(1)
		r.flush()
		r.emit(Line{Text: safetext.Const("----------"), Fixed: true})
		r.block(1)
	case atom.Blockquote:
		r.block(2)
		r.quote++
	case atom.Pre, atom.Listing, atom.Xmp:
		r.block(2)
		r.pre++
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		if r.depth == 0 {
			r.block(2)
		} else {
			r.block(1)
		}
		r.depth++
		if len(r.lists) < maxListDepth {
			r.lists = append(r.lists, list{ordered: a == atom.Ol, n: max(at.start, 1)})
		}
	case atom.Li:
		r.block(1)
		r.item()
	case atom.Dd:
		r.block(1)
		r.mark = "    "
	case atom.Dt:
		r.block(1)
		r.mark = ""
	case atom.Table:
		r.table()
	case atom.Tr:
		r.row()
	case atom.Td, atom.Th:
		r.cell()
	case atom.A:
		r.closeLink()
		if isWebLink(at.href) {
			r.link, r.linkText = at.href, r.linkText[:0]
		}
	case atom.Img:
		r.image(at)
	case atom.Q:
		r.write("\u201c")
	case atom.S, atom.Strike, atom.Del:
		r.write("~")
	case atom.Input, atom.Label, atom.Option:
	default:
		if at.ruled {
			r.block(2)
		} else if isBlock(a) {
			r.block(1)
		}
	}
}

func (r *renderer) close(name []byte) {
	a := atom.Lookup(name)
	if r.skip.active() && r.skip.close(a, name) {
		return
	}
	r.preWrap.close(a)
	switch a {
	case atom.P:
		r.block(r.par)
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Fieldset, atom.Figure:
		r.block(2)
	case atom.Dl:
		r.block(2)
		r.mark = ""
	case atom.Dd, atom.Li:
		r.block(1)
		r.mark = ""
	case atom.S, atom.Strike, atom.Del:
		r.append("~")
	case atom.Blockquote:
		r.block(2)
		r.quote = max(0, r.quote-1)
	case atom.Pre, atom.Listing, atom.Xmp:
		r.block(2)
		r.pre = max(0, r.pre-1)
	case atom.Ul, atom.Ol, atom.Menu, atom.Dir:
		if r.depth == 0 {
			return
		}
		if r.depth--; r.depth == 0 {
			r.block(2)
		} else {
			r.block(1)
		}
		if r.depth < len(r.lists) {
			r.lists = r.lists[:r.depth]
		}
		r.mark = ""
	case atom.Table:
		r.endTable()
	case atom.Tr:
		r.endRow()
	case atom.Td, atom.Th:
		r.endCell()
	case atom.A:
		r.closeLink()
	case atom.Q:
		r.append("\u201d")
	default:
		if isBlock(a) {
			r.block(1)
		}
	}
}

func isVoid(a atom.Atom) bool {
	switch a {
	case atom.Area, atom.Base, atom.Br, atom.Col, atom.Embed, atom.Hr, atom.Img, atom.Input,
		atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}

func isBlock(a atom.Atom) bool {
	switch a {
	case atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Caption,
		atom.Center, atom.Dd, atom.Details, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Fieldset,
		atom.Figcaption, atom.Figure, atom.Footer, atom.Form, atom.H1, atom.H2, atom.H3,
		atom.H4, atom.H5, atom.H6, atom.Header, atom.Hr, atom.Li, atom.Main, atom.Menu,
		atom.Nav, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Summary, atom.Table,
		atom.Tbody, atom.Tfoot, atom.Thead, atom.Ul:
		return true
	}
	return false
}
