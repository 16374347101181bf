package message

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// aliases are the charset names seen in mail that neither the WHATWG index nor
// IANA's knows, or that they map to something else than what senders mean.
var aliases = map[string]encoding.Encoding{
	"cp932": japanese.ShiftJIS, "ms932": japanese.ShiftJIS, "sjis-win": japanese.ShiftJIS,
	"shift-jis": japanese.ShiftJIS, "x-ms-cp932": japanese.ShiftJIS,
	"eucjp-ms": japanese.EUCJP, "eucjp-win": japanese.EUCJP, "cp51932": japanese.EUCJP,
	"iso-2022-jp-1": japanese.ISO2022JP, "iso-2022-jp-2": japanese.ISO2022JP,
	"iso-2022-jp-3": japanese.ISO2022JP, "iso-2022-jp-ms": japanese.ISO2022JP,
	"cp50220": japanese.ISO2022JP, "cp50221": japanese.ISO2022JP,
	"cp949": korean.EUCKR, "uhc": korean.EUCKR, "ms949": korean.EUCKR, "euckr": korean.EUCKR,
	"cp936": simplifiedchinese.GB18030, "gb2312": simplifiedchinese.GB18030, "gbk": simplifiedchinese.GB18030,
	"gb2312_charset": simplifiedchinese.GB18030, "euc-cn": simplifiedchinese.GB18030,
	"hz-gb-2312": simplifiedchinese.HZGB2312, "hz": simplifiedchinese.HZGB2312,
	"cp950": traditionalchinese.Big5, "big5hkscs": traditionalchinese.Big5, "euc-tw": traditionalchinese.Big5,
	"utf-16": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"ucs-2":  unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"utf-32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "ucs-4": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"utf-32be": utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), "utf-32le": utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
	"ansi": charmap.Windows1252, "ansi_x3.110-1983": charmap.Windows1252, "latin-1": charmap.Windows1252,
	"iso8859_1": charmap.Windows1252, "latin9": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15, "iso-8859-8-i": charmap.ISO8859_8, "iso-8859-8-e": charmap.ISO8859_8,
	"x-mac-roman": charmap.Macintosh, "mac": charmap.Macintosh, "cp437": charmap.CodePage437,
	"cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp858": charmap.CodePage858,
	"cp866": charmap.CodePage866, "koi8": charmap.KOI8R, "tis-620": charmap.Windows874,
	"cp874": charmap.Windows874,
}

// lookup finds the encoding that a message names. Names that say nothing
// ("unknown-8bit", "default") find none.
func lookup(name string) encoding.Encoding {
	name = strings.ToLower(strings.Trim(name, " \t\r\n\"'"))
	if name == "" || len(name) > 64 {
		return nil
	}
	if e, ok := aliases[name]; ok {
		return e
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e
	}
	// win-1251, cp-1252, windows1250, x-cp1251, ms-ansi ...
	digits := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz-_ ")
	if len(digits) == 4 && digits[:3] == "125" {
		if e, err := htmlindex.Get("windows-" + digits); err == nil {
			return e
		}
	}
	if rest, ok := strings.CutPrefix(name, "iso8859"); ok {
		if e, err := htmlindex.Get("iso-8859-" + strings.Trim(rest, "-_")); err == nil {
			return e
		}
	}
	if rest, ok := strings.CutPrefix(name, "x-"); ok {
		return lookup(rest)
	}
	return nil
}

func isUTF8(name string) bool {
	switch len(name) {
	case 5:
		return strings.EqualFold(name, "utf-8")
	case 4:
		return strings.EqualFold(name, "utf8")
	}
	return false
}

// isASCII: names that declare nothing beyond ASCII, or nothing at all.
func isASCII(name string) bool {
	switch strings.ToLower(name) {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "x-unknown", "default", "binary", "7bit", "8bit", "unknown":
		return true
	}
	return false
}

// decodeCharset makes b UTF-8 by the chain of likelihood: what is declared,
// unless that is UTF-8 or ASCII and b is not; UTF-8 where b is valid; and
// windows-1252, in which every octet is something.
func decodeCharset(b []byte, declared string) string {
	if declared != "" && !isUTF8(declared) && !isASCII(declared) {
		if s, ok := toUTF8(b, declared); ok {
			return s
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	if isUTF8(declared) {
		// Cut off or damaged in a few places: still UTF-8.
		if bad := invalidBytes(b); bad <= 3 || bad*20 < len(b) {
			return strings.ToValidUTF8(string(b), "\ufffd")
		}
	}
	s, _ := charmap.Windows1252.NewDecoder().Bytes(b)
	return string(s)
}

func invalidBytes(b []byte) (n int) {
	multi := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			n++
		} else if size > 1 {
			multi++
		}
		b = b[size:]
	}
	if multi == 0 {
		return n * 20 // no sign of UTF-8 anywhere
	}
	return n
}

// toUTF8 decodes b from the named charset; ok is false where that is unknown.
func toUTF8(b []byte, name string) (s string, ok bool) {
	switch strings.ToLower(name) {
	case "utf-7", "unicode-1-1-utf-7", "utf7":
		return decodeUTF7(b), true
	case "iso-2022-kr", "csiso2022kr":
		b, name = shiftedKorean(b), "euc-kr"
	}
	e := lookup(name)
	if e == nil {
		return "", false
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return "", false
	}
	return string(out), true
}

// shiftedKorean makes ISO-2022-KR (RFC 1557) EUC-KR: between SO and SI the
// octets lack their high bit.
func shiftedKorean(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	out := make([]byte, 0, len(b))
	shifted := false
	for _, c := range b {
		switch {
		case c == 0x0e:
			shifted = true
		case c == 0x0f || c == '\n':
			shifted = false
			if c == '\n' {
				out = append(out, c)
			}
		case shifted && c > ' ':
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	return out
}

// decodeUTF7 decodes UTF-7 (RFC 2152): base64 of UTF-16 between "+" and "-".
func decodeUTF7(b []byte) string {
	var out []byte
	for i := 0; i < len(b); {
		if b[i] != '+' {
			out = append(out, b[i])
			i++
			continue
		}
		i++
		j := i
		for j < len(b) && base64Value[b[j]] >= 0 && b[j] != '-' && b[j] != '_' {
			j++
		}
		if j == i {
			out = append(out, '+')
		} else {
			raw := appendBase64(nil, b[i:j])
			u, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Bytes(raw[:len(raw)&^1])
			out = append(out, u...)
		}
		if j < len(b) && b[j] == '-' {
			j++
		}
		i = j
	}
	return strings.ToValidUTF8(string(out), "\ufffd")
}
