package message

import "encoding/binary"

// tnefNames lists the files inside a TNEF container (winmail.dat, MS-OXTNEF):
// names and sizes only.
func tnefNames(b []byte) []Attachment {
	const (
		signature   = 0x223e9f78
		attachTitle = 0x8010
		attachData  = 0x800f
	)
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != signature {
		return nil
	}
	var out []Attachment
	size := int64(0)
	for b = b[6:]; len(b) >= 9 && len(out) < maxAttachments; {
		id := binary.LittleEndian.Uint16(b[1:])
		n := int(binary.LittleEndian.Uint32(b[5:]))
		b = b[9:]
		if n < 0 || n > len(b) {
			break
		}
		switch id {
		case attachData:
			size = int64(n)
		case attachTitle:
			name := b[:n]
			for len(name) > 0 && name[len(name)-1] == 0 {
				name = name[:len(name)-1]
			}
			out = append(out, Attachment{Name: decodeCharset(name, ""), Type: "application/octet-stream", Size: size})
			size = 0
		}
		b = b[min(len(b), n+2):] // and its checksum
	}
	return out
}
