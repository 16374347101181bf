package message

import (
	"bytes"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attrs are the attributes of a tag that matter to the layout.
type attrs struct {
	href    string
	alt     string
	start   int
	hidden  bool // display:none and the like
	tight   bool // a paragraph without space around it (Outlook's)
	pixel   bool // an image too small to be seen
	preWrap bool // line breaks are kept
	ruled   bool // a line above it: Outlook's reply separator
}

const maxAttrs = 200 // attributes of one tag that are looked at

func readAttrs(z *html.Tokenizer, a atom.Atom) (at attrs) {
	for range maxAttrs {
		key, val, more := z.TagAttr()
		switch string(key) {
		case "href":
			if a == atom.A && at.href == "" {
				at.href = strings.TrimSpace(stripControls(val))
			}
		case "alt":
			if a == atom.Img {
				at.alt = string(val)
			}
		case "width", "height":
			if a == atom.Img {
				if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(val)), "px")); err == nil && n <= 2 {
					at.pixel = true
				}
			}
		case "start":
			if n, err := strconv.Atoi(strings.TrimSpace(string(val))); err == nil && n > 0 && n < 1e6 {
				at.start = n
			}
		case "hidden":
			at.hidden = true
		case "class":
			at.tight = a == atom.P && bytes.HasPrefix(val, []byte("Mso"))
		case "style":
			at.hidden = at.hidden || hides(val)
			at.preWrap = keepsBreaks(val)
			at.ruled = a == atom.Div && bytes.Contains(val, []byte("border-top:solid"))
		}
		if !more {
			break
		}
	}
	return at
}

// stripControls removes what browsers remove from URLs: tabs and line breaks.
func stripControls(b []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' || r == 0 {
			return -1
		}
		return r
	}, b))
}

// hides tells whether an inline style makes its element invisible. Font size
// zero alone does not count: layouts use it to swallow the space between cells
// that do have text.
func hides(style []byte) bool {
	if len(style) > 4096 {
		style = style[:4096]
	}
	overflow, zeroHeight := false, false
	for len(style) > 0 {
		var decl []byte
		decl, style, _ = bytes.Cut(style, []byte{';'})
		key, val, ok := bytes.Cut(decl, []byte{':'})
		if !ok {
			continue
		}
		key, val = bytes.TrimSpace(key), bytes.TrimSpace(val)
		val, _, _ = bytes.Cut(val, []byte{'!'})
		val = bytes.TrimSpace(val)
		switch {
		case is(key, "display"):
			if is(val, "none") {
				return true
			}
		case is(key, "visibility"):
			if is(val, "hidden") || is(val, "collapse") {
				return true
			}
		case is(key, "opacity"):
			if v, err := strconv.ParseFloat(string(val), 64); err == nil && v < 0.05 {
				return true
			}
		case is(key, "overflow"):
			overflow = overflow || is(val, "hidden")
		case is(key, "max-height"), is(key, "height"), is(key, "max-width"):
			switch strings.ToLower(string(val)) {
			case "0", "0px", "0em", "0pt", "0.0px":
				zeroHeight = true
			}
		}
	}
	return overflow && zeroHeight
}

// keepsBreaks: white-space: pre, pre-wrap, pre-line, break-spaces.
func keepsBreaks(style []byte) bool {
	i := bytes.Index(style, []byte("white-space"))
	if i < 0 {
		return false
	}
	v := bytes.TrimLeft(style[i+len("white-space"):], ": ")
	return bytes.HasPrefix(v, []byte("pre")) || bytes.HasPrefix(v, []byte("break-spaces"))
}
