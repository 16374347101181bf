package wire

import (
	"bytes"
	"strings"
)

// ReadSubscribed returns the mailboxes that the replies to an LSUB name (RFC 3501
// §7.2.3), by the names that imapclient gives them. One that stands for what is
// below it alone (\Noselect) and what cannot be read is left out.
func ReadSubscribed(reply RawReply) []string {
	var names []string
	for _, line := range reply.Untagged {
		if name, ok := subscribed(line); ok {
			names = append(names, name)
		}
	}
	return names
}

func subscribed(line string) (name string, ok bool) {
	c := &cursor{b: []byte(line)}
	if !c.take('*') || !c.space() || !bytes.EqualFold(c.word(), []byte("LSUB")) {
		return "", false
	}
	c.space()
	attrs := c.i
	if !c.skip() || bytes.Contains(bytes.ToLower(c.b[attrs:c.i]), []byte(`\noselect`)) {
		return "", false
	}
	c.space()
	if !c.skip() { // the delimiter
		return "", false
	}
	c.space()
	raw, ok := c.astring()
	if !ok || len(raw) == 0 {
		return "", false
	}
	if !c.end() && raw != nil && c.b[c.i] == ' ' { // blanks that nobody quoted
		raw = bytes.TrimRight(append(bytes.Clone(raw), c.rest()...), " ")
	}
	if name, ok = clientName(raw, false); !ok || strings.HasPrefix(name, aliasPrefix) {
		return name, ok
	}
	return decodeMailbox(name)
}
