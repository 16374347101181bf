package message

import "encoding/binary"

// isTNEF tells whether a part is what Outlook puts a message's attachments into
// where it takes the other side for Outlook (winmail.dat).
func (p *part) isTNEF() bool {
	return p.ct.mediaType == "application/ms-tnef" || p.ct.mediaType == "application/vnd.ms-tnef"
}

// tnefFile is a file in a TNEF container.
type tnefFile struct {
	name string // raw, as the attachment's title has it
	data []byte
	cut  bool
}

// tnefFiles takes the files out of a TNEF container (MS-OXTNEF §2.1.3): names and
// contents, and nothing else of the message that is in it.
func tnefFiles(b []byte) []tnefFile {
	const (
		signature   = 0x223e9f78
		attachBegin = 0x9002 // attAttachRendData, the first attribute of each attachment
		attachTitle = 0x8010
		attachData  = 0x800f
	)
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != signature {
		return nil
	}
	var out []tnefFile
	var f tnefFile
	titled, filled := false, false
	flush := func() {
		if titled || filled {
			out = append(out, f)
		}
		f, titled, filled = tnefFile{}, false, false
	}
	for b = b[6:]; len(b) >= 9 && len(out) < maxAttachments; {
		id := binary.LittleEndian.Uint16(b[1:])
		n := int64(binary.LittleEndian.Uint32(b[5:]))
		b = b[9:]
		cut := n > int64(len(b))
		val := b[:min(n, int64(len(b)))]
		switch {
		case id == attachBegin:
			flush()
		case id == attachTitle:
			if titled {
				flush()
			}
			for len(val) > 0 && val[len(val)-1] == 0 {
				val = val[:len(val)-1]
			}
			f.name, titled = decodeCharset(val, ""), true
		case id == attachData:
			if filled {
				flush()
			}
			f.data, f.cut, filled = val, cut, true
		}
		if cut {
			break
		}
		b = b[min(int64(len(b)), n+2):] // and its checksum
	}
	flush()
	return out
}
