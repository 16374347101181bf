package wire

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// aliasPrefix starts the stand-in of a mailbox name that imapclient cannot
// decode, or would send back as other octets than it was listed with. The rest
// of the stand-in is the name's octets, percent-encoded, so that every Tap can
// turn it back without having seen the LIST.
const aliasPrefix = "tidings-raw:"

// RawMailbox returns the octets of a mailbox name as the server wrote them,
// where name is a stand-in that a Tap made; ok is false for all other names.
func RawMailbox(name string) (raw string, ok bool) {
	rest, ok := strings.CutPrefix(name, aliasPrefix)
	if !ok {
		return "", false
	}
	b := make([]byte, 0, len(rest))
	for i := 0; i < len(rest); i++ {
		if rest[i] != '%' {
			b = append(b, rest[i])
			continue
		}
		if i+2 >= len(rest) {
			return "", false
		}
		hi, lo := unhex(rest[i+1]), unhex(rest[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b = append(b, byte(hi<<4|lo))
		i += 2
	}
	return string(b), true
}

// MailboxTitle is a mailbox name as a person would want to read it: of a
// stand-in, the decoded name as far as it can be decoded. It is outside text.
func MailboxTitle(name string) string {
	raw, ok := RawMailbox(name)
	if !ok {
		return name
	}
	if s, ok := decodeMailbox(raw); ok {
		return s
	}
	return raw
}

// alias makes the stand-in of raw. It is plain ASCII without '&', '"', '\' and
// wildcards, so that imapclient's encoder leaves it alone in every mode.
func alias(raw []byte) string {
	const hex = "0123456789ABCDEF"
	var sb strings.Builder
	sb.Grow(len(aliasPrefix) + len(raw) + 8)
	sb.WriteString(aliasPrefix)
	for _, ch := range raw {
		switch {
		case ch >= 'a' && ch <= 'z', ch >= 'A' && ch <= 'Z', ch >= '0' && ch <= '9',
			strings.IndexByte(" ./-_[],:;=@~^'", ch) >= 0:
			sb.WriteByte(ch)
		default:
			sb.WriteByte('%')
			sb.WriteByte(hex[ch>>4])
			sb.WriteByte(hex[ch&15])
		}
	}
	return sb.String()
}

func unhex(ch byte) int {
	switch {
	case ch >= '0' && ch <= '9':
		return int(ch - '0')
	case ch >= 'A' && ch <= 'F':
		return int(ch-'A') + 10
	case ch >= 'a' && ch <= 'f':
		return int(ch-'a') + 10
	}
	return -1
}

// clientName is the mailbox name to hand to imapclient for raw: raw itself if
// imapclient, asked to use the name it decoded, would send exactly these
// octets back; else the stand-in. utf8Names tells which way imapclient encodes
// (it writes UTF-8 as soon as IMAP4rev2 is advertised). ok is false for a name
// that no command could carry.
func clientName(raw []byte, utf8Names bool) (name string, ok bool) {
	for _, ch := range raw {
		if ch == 0 || ch == '\r' || ch == '\n' {
			return "", false
		}
	}
	s := string(raw)
	if strings.EqualFold(s, "INBOX") {
		return "INBOX", true
	}
	if dec, ok := decodeMailbox(s); ok && !strings.HasPrefix(dec, aliasPrefix) {
		again := encodeMailbox(dec)
		if utf8Names {
			again = strings.ReplaceAll(dec, "&", "&-")
		}
		if again == s {
			return s, true
		}
	}
	// imapclient would write a longer one as a literal, which passes as it is.
	name = alias(raw)
	return name, len(raw) > 0 && len(name) <= 4000
}

// mailboxEncoding is the base64 of modified UTF-7 (RFC 3501 §5.1.3).
var mailboxEncoding = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// decodeMailbox decodes modified UTF-7 the way imapclient does: UTF-8 is let
// through, everything that is not canonical refused.
func decodeMailbox(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	var sb strings.Builder
	shifted := false // the last thing was a base64 run
	for i := 0; i < len(s); {
		ch := s[i]
		if ch < 0x20 || ch == 0x7f {
			return "", false
		}
		if ch != '&' {
			sb.WriteByte(ch)
			shifted = false
			i++
			continue
		}
		n := strings.IndexByte(s[i+1:], '-')
		if n < 0 {
			return "", false
		}
		run := s[i+1 : i+1+n]
		i += n + 2
		if run == "" {
			sb.WriteByte('&')
			shifted = false
			continue
		}
		dec, ok := decodeRun(run)
		if !ok || shifted {
			return "", false
		}
		sb.WriteString(dec)
		shifted = true
	}
	return sb.String(), true
}

func decodeRun(run string) (string, bool) {
	if strings.ContainsAny(run, "\r\n") {
		return "", false
	}
	b, err := mailboxEncoding.DecodeString(run)
	if err != nil || len(b) == 0 || len(b)%2 != 0 {
		return "", false
	}
	var sb strings.Builder
	for i := 0; i < len(b); i += 2 {
		r := rune(b[i])<<8 | rune(b[i+1])
		if utf16.IsSurrogate(r) {
			if i += 2; i >= len(b) {
				return "", false
			}
			if r = utf16.DecodeRune(r, rune(b[i])<<8|rune(b[i+1])); r == utf8.RuneError {
				return "", false
			}
		} else if r >= 0x20 && r < 0x7f {
			return "", false
		}
		sb.WriteRune(r)
	}
	return sb.String(), true
}

// encodeMailbox encodes a name in modified UTF-7.
func encodeMailbox(s string) string {
	var sb strings.Builder
	var run []byte
	flush := func() {
		if len(run) > 0 {
			sb.WriteByte('&')
			sb.WriteString(mailboxEncoding.EncodeToString(run))
			sb.WriteByte('-')
			run = run[:0]
		}
	}
	for _, r := range s {
		switch {
		case r >= 0x20 && r < 0x7f:
			flush()
			if r == '&' {
				sb.WriteString("&-")
			} else {
				sb.WriteRune(r)
			}
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			run = append(run, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
		default:
			run = append(run, byte(r>>8), byte(r))
		}
	}
	flush()
	return sb.String()
}

// QuotedMailbox is a mailbox name as a command of ours has it: name is as
// imapclient gives it, or as a person writes it. utf8Names: IMAP4rev2 is on.
func QuotedMailbox(name string, utf8Names bool) string {
	raw, ok := RawMailbox(name)
	switch {
	case ok:
	case utf8Names:
		raw = strings.ReplaceAll(name, "&", "&-")
	default:
		raw = encodeMailbox(name)
	}
	return string(appendQuoted(nil, []byte(raw)))
}
