package message

import (
	"bytes"
	"strings"
)

func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// firstID is the message-id of a Message-ID field: what stands in the first
// angle brackets, as it stands there; without brackets the first word.
func firstID(value []byte) string {
	if len(value) > maxValue {
		value = value[:maxValue]
	}
	id, _, ok := cutID(value)
	if !ok {
		if f := bytes.Fields(value); len(f) > 0 {
			return strings.Trim(string(f[0]), "<>")
		}
		return ""
	}
	return id
}

// msgIDs are the message-ids of In-Reply-To or References, in their order.
// Text between them is ignored ("message of Tue from ..."). Of too many the
// root and the latest are kept, which is what threads are made of.
func msgIDs(value []byte) []string {
	if len(value) > maxValue {
		value = value[:maxValue]
	}
	n := bytes.Count(value, []byte{'<'})
	if n == 0 {
		var ids []string
		for _, f := range bytes.Fields(value) {
			if bytes.IndexByte(f, '@') > 0 && len(ids) < maxReferences {
				ids = append(ids, strings.Trim(string(f), "<>,;"))
			}
		}
		return ids
	}
	ids := make([]string, 0, min(n, maxReferences))
	for {
		id, rest, ok := cutID(value)
		if !ok {
			return ids
		}
		value = rest
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
func cutID(v []byte) (id string, rest []byte, ok bool) {
	i := bytes.IndexByte(v, '<')
	if i < 0 {
		return "", nil, false
	}
	v = v[i+1:]
	end := bytes.IndexByte(v, '>')
	if end < 0 {
		end = len(v)
		rest = nil
	} else {
		rest = v[end+1:]
	}
	raw := v[:end]
	if j := bytes.LastIndexByte(raw, '<'); j >= 0 {
		raw = raw[j+1:]
	}
	if bytes.ContainsAny(raw, " \t\r\n") {
		return strings.Join(strings.Fields(string(raw)), ""), rest, true
	}
	return string(raw), rest, true
}
