package store

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// SortKey is what a view is sorted by.
type SortKey uint8

const (
	ByArrival SortKey = iota // UID: the newest on top
	ByDate                   // the Date header, else INTERNALDATE: the newest on top
	BySender                 // SenderKey: A on top
	BySubject                // SubjectKey: A on top
	BySize                   // RFC822.SIZE: the largest on top
)

// Compare tells which of two messages stands lower: it is negative where a
// does. Equals stand as they arrived, the newer one above.
func Compare(by SortKey, a, b *Summary) int {
	c := 0
	switch by {
	case ByDate:
		c = cmp.Compare(DateKey(a), DateKey(b))
	case BySender:
		c = strings.Compare(SenderKey(b), SenderKey(a))
	case BySubject:
		c = strings.Compare(SubjectKey(b), SubjectKey(a))
	case BySize:
		c = cmp.Compare(a.Size, b.Size)
	}
	if c == 0 {
		c = cmp.Compare(a.UID, b.UID)
	}
	return c
}

// DateKey is when a message says that it was written, in Unix seconds: the Date
// header, where that is missing INTERNALDATE, where both are 0.
func DateKey(s *Summary) int64 {
	switch {
	case !s.Date.IsZero():
		return s.Date.Unix()
	case !s.Internal.IsZero():
		return s.Internal.Unix()
	}
	return 0
}

// maxKey bounds a sort key, in bytes: what lies beyond does not count.
const maxKey = 96

// SenderKey is by what BySender sorts: the name of the first sender, else the
// address, without case, accents and what precedes the first letter or digit.
func SenderKey(s *Summary) string {
	if len(s.From) == 0 {
		return ""
	}
	if k := sortFold(s.From[0].Name.String()); k != "" {
		return k
	}
	return sortFold(s.From[0].Addr.String())
}

// SubjectKey is by what BySubject sorts: the subject that replies and forwards
// share (BaseSubject), without case, accents and what precedes the first letter
// or digit.
func SubjectKey(s *Summary) string { return sortFold(BaseSubject(s.Subject.String())) }

// sortFold folds text for sorting.
func sortFold(s string) string {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < 0x80
	}
	if !ascii {
		s = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return unicode.ToLower(r)
		}, norm.NFD.String(s[:min(len(s), 4*maxKey)]))
	} else {
		s = strings.ToLower(s[:min(len(s), maxKey)])
	}
	if len(s) > maxKey {
		s = strings.ToValidUTF8(s[:maxKey], "")
	}
	return s
}

// replyWords begin the subject of a reply or a forward, in the languages in
// which mail programs write them.
var replyWords = []string{"re", "fw", "fwd", "aw", "wg", "sv", "vs", "tr", "rif", "r", "rv", "res", "enc", "odp", "ynt", "antw", "回复", "答复", "转发"}

// BaseSubject is a subject without what replying and forwarding put before it:
// "Re:", "AW:", "Fwd[2]:", repeated (RFC 5256 §2.1, less its list tags).
func BaseSubject(s string) string {
	for {
		s = strings.TrimSpace(s)
		rest, ok := cutReply(s)
		if !ok {
			return s
		}
		s = rest
	}
}

// cutReply cuts one "Re:", "Re[2]:" or "Re (2):" off.
func cutReply(s string) (rest string, ok bool) {
	i := strings.IndexAny(s, ":：")
	if i <= 0 || i > 16 {
		return s, false
	}
	word, rest := s[:i], s[i+1:]
	if s[i] != ':' {
		rest = s[i+len("："):]
	}
	if j := strings.IndexAny(word, "[("); j > 0 {
		count := strings.Trim(word[j:], "[]() 0123456789")
		if count != "" {
			return s, false
		}
		word = word[:j]
	}
	word = strings.TrimSpace(word)
	for _, w := range replyWords {
		if strings.EqualFold(word, w) {
			return rest, true
		}
	}
	return s, false
}
