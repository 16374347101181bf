package imapsession

import "tidings/internal/safetext"

// maxSaid bounds what is quoted of a server's words.
const maxSaid = 300

// say makes outside text fit for a sentence.
func say(s string) safetext.Text {
	if len(s) > 4*maxSaid {
		s = s[:4*maxSaid]
	}
	t := safetext.Clean(s)
	if t.Len() > maxSaid {
		t = safetext.Join([]safetext.Text{t.Slice(0, maxSaid), safetext.Const("…")}, "")
	}
	return t
}
