package message

import (
	"bytes"
	"strings"
)

// uuencoded is a file in a text, and its lines.
type uuencoded struct {
	Attachment
	lines string
}

// cutUUFile recognises a uuencoded file at line, with rest behind it. What is behind
// the file is returned.
func cutUUFile(line, rest string) (f uuencoded, behind string, ok bool) {
	name, ok := uuBegin(line)
	if !ok {
		return f, "", false
	}
	f.Name, f.Type = name, "application/octet-stream"
	s := rest
	for s != "" {
		var l string
		before := s
		l, s = nextLine(s)
		if l == "end" {
			f.lines = rest[:len(rest)-len(before)]
			return f, s, true
		}
		n, ok := uuLine(l)
		if !ok {
			return f, "", false
		}
		f.Size += int64(n)
	}
	f.lines, f.Cut = rest, true
	return f, "", f.Size > 0
}

// uuFile is the n-th uuencoded file of a text.
func uuFile(s string, n int) (data []byte, ok bool) {
	for s != "" {
		var line string
		line, s = nextLine(s)
		f, rest, found := cutUUFile(line, s)
		if !found {
			continue
		}
		if n--; n > 0 {
			s = rest
			continue
		}
		for lines := f.lines; lines != ""; {
			line, lines = nextLine(lines)
			data, _ = appendUULine(data, []byte(line))
		}
		return data, true
	}
	return nil, false
}

// uuBegin reads "begin 644 name".
func uuBegin(line string) (name string, ok bool) {
	v, ok := strings.CutPrefix(line, "begin ")
	if !ok || len(v) < 5 {
		return "", false
	}
	mode, name, ok := strings.Cut(v, " ")
	if !ok || len(mode) < 3 || len(mode) > 4 || strings.Trim(mode, "01234567") != "" {
		return "", false
	}
	return strings.TrimSpace(name), name != ""
}

// uuLine is how many octets a line of uuencoded data holds.
func uuLine(l string) (n int, ok bool) {
	if l == "" || l == "`" || l == " " {
		return 0, true
	}
	n = int(l[0]-' ') & 63
	need := (n + 2) / 3 * 4
	if l[0] < ' ' || l[0] > '`' || len(l)-1 > need+2 || len(l)-1 < need-4 {
		return 0, false
	}
	return n, true
}

// cutUU decodes the first uuencoded file of b.
func cutUU(b []byte) (name string, data []byte, rest []byte, ok bool) {
	for len(b) > 0 {
		line, size := cutLine(b)
		b = b[size:]
		if name, ok = uuBegin(string(line)); ok {
			break
		}
	}
	if !ok {
		return "", nil, nil, false
	}
	for len(b) > 0 {
		line, size := cutLine(b)
		b = b[size:]
		if bytes.Equal(line, []byte("end")) {
			break
		}
		more, ok := appendUULine(data, line)
		if !ok {
			break
		}
		data = more
	}
	return name, data, b, true
}

// appendUULine appends what a line of uuencoded data holds.
func appendUULine(data, line []byte) (out []byte, ok bool) {
	n, ok := uuLine(string(line))
	if !ok {
		return data, false
	}
	// What a line lacks at its end are spaces that were lost on the way.
	var group [4]byte
	for i := 1; i < len(line) && n > 0; i += 4 {
		for k := range group {
			group[k] = 0
			if i+k < len(line) {
				group[k] = (line[i+k] - ' ') & 63
			}
		}
		out := [3]byte{group[0]<<2 | group[1]>>4, group[1]<<4 | group[2]>>2, group[2]<<6 | group[3]}
		m := min(n, 3)
		data = append(data, out[:m]...)
		n -= m
	}
	return data, true
}
