package message

import (
	"strconv"
	"strings"
)

// contentType is a Content-Type or Content-Disposition value, read leniently
// where mime.ParseMediaType gives everything up for one bad parameter.
type contentType struct {
	mediaType string // lower case
	params    []param
}

type param struct{ name, value string }

const maxParams = 100

// param returns a parameter's value, the first one's where it stands twice.
// Names are lower case.
func (c *contentType) param(name string) string {
	for _, p := range c.params {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// text returns a parameter that a person reads, a file name: RFC 2231
// continuations and charsets, else encoded words, which should not be here and
// mostly are.
func (c *contentType) text(name, charset string) string {
	if v, ok := c.extended(name); ok {
		return v
	}
	return decodeText(c.param(name), charset)
}

// extended reads name*, name*0, name*0*, name*1 ... (RFC 2231 §3, §4).
func (c *contentType) extended(name string) (string, bool) {
	if v := c.param(name + "*"); v != "" {
		charset, v := cutExtended(v)
		return decodeCharset(percentDecode(v), charset), true
	}
	var raw []byte
	charset, found := "", false
	for i := 0; i < maxParams; i++ {
		key := name + "*" + strconv.Itoa(i)
		if v := c.param(key + "*"); v != "" {
			if i == 0 {
				charset, v = cutExtended(v)
			}
			raw = append(raw, percentDecode(v)...)
		} else if v := c.param(key); v != "" {
			raw = append(raw, v...)
		} else {
			break
		}
		found = true
	}
	if !found {
		return "", false
	}
	s := decodeCharset(raw, charset)
	if charset == "" {
		s = decodeText(s, "")
	}
	return s, true
}

// cutExtended cuts charset'language'percent-encoded.
func cutExtended(v string) (charset, rest string) {
	i := strings.IndexByte(v, '\'')
	if i < 0 {
		return "", v
	}
	j := strings.IndexByte(v[i+1:], '\'')
	if j < 0 {
		return "", v
	}
	return v[:i], v[i+j+2:]
}

func percentDecode(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

// parseContentType reads "type/subtype; name=value; ...". It knows quoted
// values with and without their closing quote, comments, and values that are
// not tokens ("boundary=a:b;").
func parseContentType(v string) contentType {
	var c contentType
	i := strings.IndexByte(v, ';')
	typ := v
	rest := ""
	if i >= 0 {
		typ, rest = v[:i], v[i+1:]
	}
	if j := strings.IndexByte(typ, '('); j >= 0 {
		typ = typ[:j]
	}
	typ = strings.Trim(typ, " \t\"'")
	if j := strings.IndexAny(typ, " \t"); j >= 0 {
		// "text/plain charset=utf-8": the semicolon is missing.
		if strings.IndexByte(typ[j:], '=') > 0 {
			rest = typ[j+1:] + ";" + rest
		}
		typ = typ[:j]
	}
	c.mediaType = strings.ToLower(typ)
	for rest != "" && len(c.params) < maxParams {
		rest = strings.TrimLeft(rest, "; \t")
		eq := strings.IndexAny(rest, "=;")
		if eq < 0 {
			break
		}
		if rest[eq] == ';' {
			rest = rest[eq+1:]
			continue
		}
		name := strings.ToLower(strings.TrimSpace(rest[:eq]))
		rest = strings.TrimLeft(rest[eq+1:], " \t")
		var value string
		if strings.HasPrefix(rest, `"`) {
			if end := closingQuote(rest[1:]); end >= 0 {
				value, rest = unquoteParam(rest[1:1+end]), rest[end+2:]
			} else {
				value, rest = rest[1:], ""
			}
			if j := strings.IndexByte(rest, ';'); j >= 0 {
				rest = rest[j+1:]
			} else if strings.IndexByte(rest, '=') < 0 {
				rest = ""
			}
		} else {
			end := strings.IndexByte(rest, ';')
			if end < 0 {
				end = len(rest)
			}
			value, rest = rest[:end], rest[end:]
			if j := strings.Index(value, " ("); j >= 0 {
				value = value[:j]
			}
			value = strings.Trim(value, " \t'")
		}
		if name != "" {
			c.params = append(c.params, param{name, value})
		}
	}
	return c
}

// unquoteParam is unquote, except that a backslash before what needs none stays:
// Windows paths are sent unescaped.
func unquoteParam(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\') {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
