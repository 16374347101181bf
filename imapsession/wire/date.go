package wire

import (
	"bytes"
	"net/mail"
	"time"
)

const dateLayout = "_2-Jan-2006 15:04:05 -0700"

// internalDate puts an INTERNALDATE that imapclient accepts into dst. The RFC
// 2822 form and a zone name, which some servers send, are translated. ok is
// false for what is no date, and for the zero time, which imapclient refuses.
func internalDate(dst *[26]byte, val []byte) (ok bool) {
	if plainDate(val) {
		copy(dst[:], val)
		return true
	}
	if len(val) > 64 {
		return false
	}
	s := string(bytes.TrimSpace(val))
	at, err := time.Parse(dateLayout, s)
	if err != nil {
		at, err = time.Parse("_2-Jan-2006 15:04:05 MST", s)
	}
	if err != nil {
		at, err = mail.ParseDate(s)
	}
	if err != nil || at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		return false
	}
	out := at.AppendFormat(nil, dateLayout)
	return len(out) == copy(dst[:], out)
}

// plainDate reports whether val is in the form that servers normally send and
// surely is a date. It costs nothing.
func plainDate(val []byte) bool {
	if len(val) != 26 || val[2] != '-' || val[6] != '-' || val[11] != ' ' ||
		val[14] != ':' || val[17] != ':' || val[20] != ' ' || (val[21] != '+' && val[21] != '-') {
		return false
	}
	day := val[:2]
	if day[0] == ' ' {
		day = day[1:]
	}
	d, ok1 := number(day)
	y, ok2 := number(val[7:11])
	h, ok3 := number(val[12:14])
	m, ok4 := number(val[15:17])
	sec, ok5 := number(val[18:20])
	zh, ok6 := number(val[22:24])
	zm, ok7 := number(val[24:26])
	return ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7 &&
		d >= 1 && d <= 28 && y >= 1900 && h < 24 && m < 60 && sec < 60 && zh < 15 && zm < 60 &&
		bytes.Contains([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), val[3:6])
}
