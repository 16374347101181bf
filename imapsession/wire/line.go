package wire

import (
	"io"
)

// ReadLine reads one line, byte by byte, so that nothing behind it is taken
// off r: what comes after a STARTTLS reply belongs to TLS. The line is returned
// without its CRLF; one of more than limit octets is ErrLimit, one that the
// end of r cuts short io.ErrUnexpectedEOF.
func ReadLine(r io.Reader, limit int) (string, error) {
	var line []byte
	var b [1]byte
	for {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			if err == io.EOF && len(line) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		if b[0] == '\n' {
			return string(trimEOL(append(line, '\n'))), nil
		}
		if len(line) == limit {
			return "", limitError("octets of one line", int64(limit))
		}
		line = append(line, b[0])
	}
}
