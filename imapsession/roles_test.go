package imapsession

import (
	"testing"

	"tidings/internal/safetext"
)

func foldersNamed(names ...string) []Folder {
	var all []Folder
	for _, n := range names {
		all = append(all, Folder{Raw: n, Name: safetext.Clean(n), Delimiter: '.'})
	}
	return all
}

func TestFolderFor(t *testing.T) {
	german := foldersNamed("INBOX", "INBOX.Archiv", "INBOX.Papierkorb", "INBOX.Gelöschte Elemente", "INBOX.Spam")
	guessRoles(german)
	special := foldersNamed("INBOX", "Trash", "Bin", "All")
	special[2].Role, special[3].Role = "trash", "all"
	guessRoles(special)
	hidden := foldersNamed("Trash")
	hidden[0].NoSelect = true
	guessRoles(hidden)
	for _, c := range []struct {
		folders     []Folder
		role, named string
		want        string
	}{
		{german, "archive", "", "INBOX.Archiv"},
		{german, "trash", "", "INBOX.Papierkorb"}, // the first, and it alone
		{german, "junk", "", "INBOX.Spam"},
		{german, "sent", "", ""},
		{german, "trash", "INBOX.Spam", "INBOX.Spam"},
		{german, "trash", "nowhere", ""}, // the config is believed, and nothing else is guessed
		{special, "trash", "", "Bin"},    // the server's word goes before a name
		{special, "archive", "", "All"},
		{hidden, "trash", "", ""},
	} {
		if f, ok := FolderFor(c.folders, c.role, c.named); f.Raw != c.want || ok != (c.want != "") {
			t.Errorf("%s (%q): %q, %v", c.role, c.named, f.Raw, ok)
		}
	}
}
