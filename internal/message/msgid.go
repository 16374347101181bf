package message

import (
	"bytes"
	"strings"
)

func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// firstID is the message-id of a Message-ID field: what stands in the first
// angle brackets, as it stands there; without brackets the first word.
func firstID(value []byte) string {
	v := idValue(value)
	if id, _, ok := cutID(v); ok {
		return id
	}
	v = strings.TrimLeft(v, " \t\r\n")
	if i := strings.IndexAny(v, " \t\r\n"); i >= 0 {
		v = v[:i]
	}
	return strings.Trim(v, "<>")
}

// idValue is the one string that all ids of a field are parts of.
func idValue(value []byte) string {
	return string(trimSpace(value[:min(len(value), maxValue)]))
}

// msgIDs are the message-ids of In-Reply-To or References, in their order.
// Text between them is ignored ("message of Tue from ..."). Of too many the
// root and the latest are kept, which is what threads are made of.
func msgIDs(value []byte) []string {
	v := idValue(value)
	n := strings.Count(v, "<")
	if n == 0 {
		var ids []string
		for f := range strings.FieldsSeq(v) {
			if strings.IndexByte(f, '@') > 0 && len(ids) < maxReferences {
				ids = append(ids, strings.Trim(f, "<>,;"))
			}
		}
		return ids
	}
	ids := make([]string, 0, min(n, maxReferences))
	for {
		id, rest, ok := cutID(v)
		if !ok {
			return ids
		}
		v = rest
		if id == "" {
			continue
		}
		if len(ids) == maxReferences {
			copy(ids[1:], ids[2:])
			ids = ids[:maxReferences-1]
		}
		ids = append(ids, id)
	}
}

// cutID returns the first message-id of v. Space inside it is a broken fold.
func cutID(v string) (id, rest string, ok bool) {
	i := strings.IndexByte(v, '<')
	if i < 0 {
		return "", "", false
	}
	id, rest, _ = strings.Cut(v[i+1:], ">")
	if j := strings.LastIndexByte(id, '<'); j >= 0 {
		id = id[j+1:]
	}
	if strings.ContainsAny(id, " \t\r\n") {
		id = strings.Join(strings.Fields(id), "")
	}
	return id, rest, true
}
