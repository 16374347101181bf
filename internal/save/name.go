package save

import (
	"strings"
	"unicode/utf8"

	"tidings/internal/safetext"
)

// maxName is how many octets a name has at most; most file systems allow 255,
// some encrypted ones 143.
const maxName = 140

// maxExt is the longest ending, with its dot, that is kept when a name is cut.
const maxExt = 16

// Name makes the name of a file out of one from outside: without a folder, a
// control or bidi character, a leading dot or dash, or anything else that a
// shell or another system would take amiss; "attachment" where nothing is left.
// It is the same for its own result.
func Name(raw string) string {
	name := once(raw)
	for range 4 { // what stood first may have protected what now stands first
		next := once(name)
		if next == name {
			break
		}
		name = next
	}
	return name
}

func once(raw string) string {
	if i := strings.LastIndexAny(raw, `/\`); i >= 0 {
		raw = raw[i+1:]
	}
	name := safetext.Clean(raw).String()
	name = strings.Map(func(r rune) rune {
		switch r {
		case '/', '\\', ':', '*', '?', '"', '<', '>', '|', 0:
			return '_'
		case '\n', '\r', '\t', '\u00a0':
			return ' '
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.TrimLeft(name, ".-~ ")
	stem, ext := splitExt(name)
	name = cut(stem, maxName-len(ext)) + ext
	name = strings.TrimRight(name, ". ")
	if name == "" {
		return "attachment"
	}
	if reserved(name) {
		return "_" + name
	}
	return name
}

// splitExt parts a name before its ending, if that is a short one.
func splitExt(name string) (stem, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > maxExt || strings.ContainsRune(name[i:], ' ') {
		return name, ""
	}
	return name[:i], name[i:]
}

// cut shortens s to n octets, and never within a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " ")
}

// reserved tells whether a name means a device to Windows, whatever its ending:
// folders are shared.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch stem = strings.TrimSpace(stem); {
	case stem == "CON", stem == "PRN", stem == "AUX", stem == "NUL":
		return true
	case len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")):
		return stem[3] >= '0' && stem[3] <= '9'
	}
	return false
}
