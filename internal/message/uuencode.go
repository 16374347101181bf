package message

import (
	"bytes"
	"strings"
)

// uuencoded recognises a uuencoded file at line, with rest behind it. The file
// becomes an attachment; what is behind it is returned.
func (w *walker) uuencoded(line, rest string) (string, bool) {
	name, ok := uuBegin(line)
	if !ok {
		return "", false
	}
	size := int64(0)
	s := rest
	for s != "" {
		var l string
		l, s = nextLine(s)
		if l == "end" {
			w.attach(Attachment{Name: name, Type: "application/octet-stream", Size: size})
			return s, true
		}
		n, ok := uuLine(l)
		if !ok {
			return "", false
		}
		size += int64(n)
	}
	if size == 0 {
		return "", false
	}
	w.attach(Attachment{Name: name, Type: "application/octet-stream", Size: size}) // cut off
	return "", true
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
