package message

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"tidings/internal/safetext"
)

// addLink numbers a link; a URL that was there before keeps its number. n is 0
// where there is no number left.
func (w *walker) addLink(url, host string, text safetext.Text, mismatch bool) (n int) {
	if w.mute > 0 {
		return 0
	}
	key := linkKey(url, mismatch)
	if n, ok := w.links[key]; ok {
		return n
	}
	if len(w.m.Links) >= maxLinks {
		return 0
	}
	n = len(w.m.Links) + 1
	w.m.Links = append(w.m.Links, Link{N: n, URL: url, Host: host, Text: text, Mismatch: mismatch})
	if w.links == nil {
		w.links = map[string]int{}
	}
	w.links[key] = n
	return n
}

func linkKey(url string, mismatch bool) string {
	if mismatch {
		return "!" + url
	}
	return url
}

// findLinks collects the URLs of plain text, and returns it with each one's number
// behind it.
func (w *walker) findLinks(s string) string {
	if w.mute > 0 || !strings.Contains(s, "://") {
		return s
	}
	var b strings.Builder
	for {
		start, end := urlIn(s)
		if start < 0 {
			break
		}
		u := s[start:end]
		b.WriteString(s[:end])
		s = s[end:]
		n := 0
		if host := hostOf(u); host != "" {
			n = w.addLink(u, host, clean(u), false)
		}
		if n > 0 {
			if strings.HasPrefix(s, ">") { // <https://...>
				b.WriteByte('>')
				s = s[1:]
			}
			b.WriteString(" [" + strconv.Itoa(n) + "]")
		}
	}
	b.WriteString(s)
	return b.String()
}

// urlIn finds the first http, https or ftp URL in s.
func urlIn(s string) (start, end int) {
	from := 0
	for {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			return -1, -1
		}
		i += from
		from = i + 3
		start = i
		for start > 0 && i-start < 6 && isAlpha(s[start-1]) {
			start--
		}
		if !isLinkScheme(strings.ToLower(s[start:i])) {
			continue
		}
		end = from
		end += urlLen(s[end:])
		if end = trimURL(s, from, end); end > from {
			return start, end
		}
	}
}

// urlLen is how far the characters of a URL go. Punctuation that is wide, or
// typographic, stands around URLs and not in them.
func urlLen(s string) int {
	for i, r := range s {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"`", r) ||
			r >= utf8.RuneSelf && (unicode.IsSpace(r) || strings.ContainsRune("。，、；：！？（）「」『』【】《》〈〉“”‘’«»…", r)) {
			return i
		}
	}
	return len(s)
}

// trimURL takes off the end what ends the sentence and not the address: full
// stops and the like, and closing brackets whose opening ones stand before it.
func trimURL(s string, from, end int) int {
	round := strings.Count(s[from:end], ")") - strings.Count(s[from:end], "(")
	square := strings.Count(s[from:end], "]") - strings.Count(s[from:end], "[")
	for end > from {
		switch c := s[end-1]; {
		case strings.IndexByte(".,;:!?'*_", c) >= 0:
		case c == ')' && round > 0:
			round--
		case c == ']' && square > 0:
			square--
		default:
			return end
		}
		end--
	}
	return end
}

// isWebLink tells the links worth a number: those that lead somewhere outside.
func isWebLink(href string) bool {
	scheme, rest, ok := strings.Cut(href, ":")
	if !ok || rest == "" {
		return false
	}
	scheme = strings.ToLower(scheme)
	return isLinkScheme(scheme) || scheme == "mailto"
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isLinkScheme(s string) bool { return s == "http" || s == "https" || s == "ftp" }

// hostOf is the host that a browser would go to for an http, https or ftp URL:
// behind the last "@" of the authority, where a backslash is a slash too, in
// ASCII form (names in other scripts show as xn--...). It is "" where the URL
// has none. For mailto it is the domain of the address.
func hostOf(url string) string {
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok {
		return ""
	}
	scheme = strings.ToLower(scheme)
	if scheme == "mailto" {
		addr, _, _ := strings.Cut(rest, "?")
		if i := strings.LastIndexByte(addr, '@'); i >= 0 {
			return asciiHost(addr[i+1:])
		}
		return ""
	}
	if !isLinkScheme(scheme) {
		return ""
	}
	rest = strings.TrimLeft(rest, "/\\")
	if i := strings.IndexAny(rest, "/\\?#"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if strings.HasPrefix(rest, "[") {
		if i := strings.IndexByte(rest, ']'); i > 0 {
			return strings.ToLower(rest[:i+1])
		}
		return ""
	}
	rest, _, _ = strings.Cut(rest, ":")
	return asciiHost(rest)
}

func asciiHost(h string) string {
	h = strings.ToLower(strings.TrimRight(h, "."))
	if len(h) > 512 {
		h = h[:512]
	}
	if strings.Contains(h, "%") {
		h = string(percentDecode(h))
	}
	if !has8bit([]byte(h)) {
		return h
	}
	if a, err := idna.Lookup.ToASCII(h); err == nil {
		return a
	}
	if a, err := idna.Punycode.ToASCII(h); err == nil {
		return a
	}
	return h
}

// claimedHost is the host that a link's text names, "" where it names none:
// the text is a URL or looks like a host name, and nothing else.
func claimedHost(text string) string {
	text = strings.TrimSpace(text)
	if start, end := urlIn(text); start >= 0 {
		return hostOf(text[start:end])
	}
	word, _, _ := strings.Cut(text, "/")
	if strings.ContainsAny(word, " @") || len(word) > 253 {
		return ""
	}
	word = asciiHost(word)
	i := strings.LastIndexByte(word, '.')
	if i <= 0 || i == len(word)-1 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return ""
	}
	// A name ends in a domain that exists: "report.pdf" and "v1.2" do not.
	if _, icann := publicsuffix.PublicSuffix(word); !icann || strings.Trim(word, "0123456789.") == "" {
		return ""
	}
	return word
}

// sameSite: both hosts belong to whoever registered the domain.
func sameSite(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := publicsuffix.EffectiveTLDPlusOne(a)
	y, errY := publicsuffix.EffectiveTLDPlusOne(b)
	return errX == nil && errY == nil && x == y
}
