package message

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// uuencode writes a file as uuencode(1) does.
func uuencode(name string, b []byte) string {
	char := func(v byte) byte {
		if v == 0 {
			return '`'
		}
		return v + ' '
	}
	var out strings.Builder
	fmt.Fprintf(&out, "begin 644 %s\n", name)
	for len(b) > 0 {
		line := b[:min(45, len(b))]
		b = b[len(line):]
		out.WriteByte(char(byte(len(line))))
		for i := 0; i < len(line); i += 3 {
			var g [3]byte
			copy(g[:], line[i:])
			out.Write([]byte{char(g[0] >> 2), char(g[0]<<4&63 | g[1]>>4), char(g[1]<<2&63 | g[2]>>6), char(g[2] & 63)})
		}
		out.WriteByte('\n')
	}
	return out.String() + "`\nend\n"
}

// tnef writes a container as Outlook does, with attributes of the message first.
func tnef(files ...tnefFile) []byte {
	b := []byte{0x78, 0x9f, 0x3e, 0x22, 1, 0}
	attribute := func(level byte, id uint16, val []byte) {
		b = append(b, level)
		b = binary.LittleEndian.AppendUint16(b, id)
		b = binary.LittleEndian.AppendUint16(b, 6)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(val)))
		b = append(append(b, val...), 0, 0)
	}
	attribute(1, 0x9006, []byte{0, 0, 1, 0})
	for _, f := range files {
		attribute(2, 0x9002, make([]byte, 14))
		attribute(2, 0x8010, append([]byte(f.name), 0))
		attribute(2, 0x800f, f.data)
		attribute(2, 0x9005, []byte("properties"))
	}
	return b
}

// TestFilesInParts: what is uuencoded in a text, or in winmail.dat, can be taken out
// and read; the part itself as well.
func TestFilesInParts(t *testing.T) {
	data := bytes.Repeat([]byte("old file \x00\xff "), 40)
	container := tnef(tnefFile{name: "plan.txt", data: []byte("the plan")}, tnefFile{name: "b.xls", data: data})
	in := "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHere\n" + uuencode("old.bin", data) + "and\nbegin 644 no\nfile\n" +
		uuencode("two.txt", []byte("second")) + "bye\n--b\nContent-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString(container) + "\n--b--\n"
	m := Parse([]byte(in), false)
	var got []string
	for _, a := range m.Attachments {
		b, ok := Content([]byte(in), a)
		if !ok || int64(len(b)) != a.Size || a.Cut {
			t.Errorf("%s: %d octets of %d, %v", a.Name, len(b), a.Size, ok)
		}
		switch a.Name {
		case "old.bin", "b.xls":
			if !bytes.Equal(b, data) {
				t.Errorf("%s holds %q", a.Name, b)
			}
		case "winmail.dat":
			if !bytes.Equal(b, container) {
				t.Errorf("%s holds %q", a.Name, b)
			}
		default:
			seen, ok := ViewAttachment([]byte(in), a)
			if !ok || strings.TrimSpace(seen.Text()) != string(b) {
				t.Errorf("%s reads %+v", a.Name, seen)
			}
		}
		got = append(got, fmt.Sprintf("%s/%d=%s", a.Section, a.File, a.Name))
	}
	if want := "1/1=old.bin 1/2=two.txt 2/0=winmail.dat 2/1=plan.txt 2/2=b.xls"; strings.Join(got, " ") != want {
		t.Errorf("listed are %s, want %s", got, want)
	}
	if text := m.Text(); !strings.Contains(text, "begin 644 no") || strings.Contains(text, "begin 644 old") {
		t.Errorf("the text is %q", text)
	}
}

// TestFilesThatEnd: of a container that is cut, the files before the cut are whole.
func TestFilesThatEnd(t *testing.T) {
	whole := tnef(tnefFile{name: "a", data: []byte("aaaa")}, tnefFile{name: "b", data: []byte("bbbb")})
	for n := range whole {
		for i, f := range tnefFiles(whole[:n]) {
			if want := strings.Repeat("ab"[i:i+1], 4); !f.cut && f.data != nil && string(f.data) != want || !strings.HasPrefix(want, string(f.data)) {
				t.Errorf("of %d octets, file %d is %+v", n, i, f)
			}
		}
	}
	m := Parse([]byte("Subject: x\n\nbegin 644 a\n"+strings.Split(uuencode("a", make([]byte, 90)), "\n")[1]+"\n"), false)
	if len(m.Attachments) != 1 || !m.Attachments[0].Cut || m.Attachments[0].Size != 45 {
		t.Errorf("%+v", m.Attachments)
	}
}
