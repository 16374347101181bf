package message

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// decodeBuffer is how much of a part is held while it is decoded: a line, at most.
const decodeBuffer = 64 << 10

// Decode undoes the part's transfer encoding while its octets come in. What it
// reads is what Section makes of the same octets, as long as no line of them is
// longer than 64 KiB. An error of from, which has to stay, comes behind what
// could be read before it.
func (r *Remote) Decode(from io.Reader) io.Reader {
	d := &decoder{from: bufio.NewReaderSize(from, decodeBuffer)}
	switch r.part.coding() {
	case codedBase64:
		d.step, d.text = d.base64, strings.HasPrefix(r.part.ct.mediaType, "text/")
	case codedQP:
		d.step = d.quotedPrintable
	case codedUU:
		d.step = d.beforeUU
	default:
		return from
	}
	return d
}

// decoder is a part that is decoded line by line.
type decoder struct {
	from *bufio.Reader
	step func() error // decodes one more line into out
	out  []byte
	off  int
	err  error

	inLine bool // the last piece was no whole line
	group  group
	text   bool // plain text behind the base64 is part of it
	space  []byte
}

func (d *decoder) Read(p []byte) (int, error) {
	for d.off == len(d.out) {
		if d.err != nil {
			return 0, d.err
		}
		d.out, d.off = d.out[:0], 0
		d.err = d.step()
	}
	n := copy(p, d.out[d.off:])
	d.off += n
	return n, nil
}

// line is the next line with its end, or a piece of one that is very long.
func (d *decoder) line() (line []byte, begins bool, err error) {
	line, err = d.from.ReadSlice('\n')
	begins = !d.inLine
	if d.inLine = err == bufio.ErrBufferFull; d.inLine {
		err = nil
	}
	return line, begins, err
}

func (d *decoder) base64() error {
	line, begins, err := d.line()
	if begins && isFooter(line) {
		d.out = d.group.end(d.out)
		d.step = d.nothing
		if d.text {
			d.out = append(d.out, '\n')
			d.step = d.trimmed
			d.trim(bytes.TrimLeft(line, " \t\r\n"))
		}
		return err
	}
	d.out = appendGroups(d.out, line, &d.group)
	if err != nil {
		d.out = d.group.end(d.out)
	}
	return err
}

// trimmed passes on what comes, but for space at the end.
func (d *decoder) trimmed() error {
	line, _, err := d.line()
	d.trim(line)
	return err
}

func (d *decoder) trim(b []byte) {
	text := bytes.TrimRight(b, " \t\r\n")
	if len(text) == 0 {
		d.space = append(d.space, b...)
		return
	}
	d.out = append(append(d.out, d.space...), text...)
	d.space = append(d.space[:0], b[len(text):]...)
}

// nothing passes over what comes.
func (d *decoder) nothing() error {
	_, _, err := d.line()
	return err
}

func (d *decoder) quotedPrintable() error {
	b, err := d.from.Peek(decodeBuffer)
	if err == nil {
		// No line is cut in two, or, of one that is very long, nothing in it.
		n := bytes.LastIndexByte(b, '\n') + 1
		if n == 0 {
			n = len(b)
			for n > len(b)-1000 && (bytes.IndexByte([]byte("= \t\r"), b[n-1]) >= 0 || b[n-2] == '=') {
				n--
			}
		}
		b = b[:n]
	}
	d.out = append(d.out, decodeQP(b)...)
	_, _ = d.from.Discard(len(b))
	return err
}

// beforeUU looks for the beginning of a uuencoded file.
func (d *decoder) beforeUU() error {
	first, _ := d.from.Peek(decodeBuffer)
	for at := 0; at < len(first); {
		line, size := cutLine(first[at:])
		at += size
		if _, ok := uuBegin(string(line)); ok {
			d.step = d.uu
			_, _ = d.from.Discard(at)
			return nil
		}
	}
	d.step = d.asItIs
	return nil // what went wrong comes again, behind what there is
}

func (d *decoder) uu() error {
	piece, begins, err := d.line()
	line, _ := cutLine(piece)
	out, ok := appendUULine(d.out, line)
	if !begins || !ok || bytes.Equal(line, []byte("end")) {
		d.step = d.nothing
		return err
	}
	d.out = out
	return err
}

func (d *decoder) asItIs() error {
	line, _, err := d.line()
	d.out = append(d.out, line...)
	return err
}
