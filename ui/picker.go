package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sahilm/fuzzy"

	"tidings/imapsession"
	"tidings/internal/safetext"
)

// picker is the folders that fit what is typed, as they were last looked up.
type picker struct {
	typed string
	list  *imapsession.Folder // of which list; nil: of none yet
	n     int
	found []imapsession.Folder
}

// matches returns the folders whose name has the letters of every word that was
// typed, in their order: first those that fit best. Where nothing is typed they
// stand as in the pane of folders.
func (q *prompt) matches() []imapsession.Folder {
	list := q.a.folders.list
	if len(list) == 0 {
		return nil
	}
	k := &q.picker
	if k.list == &list[0] && k.n == len(list) && k.typed == q.typed {
		return k.found
	}
	k.typed, k.list, k.n = q.typed, &list[0], len(list)
	k.found = pick(list, q.typed, func(f *imapsession.Folder) bool {
		return !f.NoSelect && (q.here || f.Raw != q.a.mailbox)
	})
	return k.found
}

// pick finds the folders that fit what is typed.
func pick(list []imapsession.Folder, typed string, allowed func(*imapsession.Folder) bool) []imapsession.Folder {
	type candidate struct {
		at, score int
	}
	var fit []candidate
	var names []string
	for _, at := range grow(list, func(*imapsession.Folder) bool { return true }).below(nil) {
		if allowed(&list[at]) {
			fit = append(fit, candidate{at, 0})
			names = append(names, list[at].Name.String())
		}
	}
	for word := range strings.FieldsSeq(typed) {
		scores := make(map[int]int)
		for _, match := range fuzzy.FindNoSort(word, names) {
			scores[match.Index] = fitness(match, word)
		}
		var left []candidate
		var leftNames []string
		for i, c := range fit {
			if score, ok := scores[i]; ok {
				left = append(left, candidate{c.at, c.score + score})
				leftNames = append(leftNames, names[i])
			}
		}
		fit, names = left, leftNames
	}
	slices.SortStableFunc(fit, func(x, y candidate) int { return cmp.Compare(y.score, x.score) })
	out := make([]imapsession.Folder, len(fit))
	for i, c := range fit {
		out[i] = list[c.at]
	}
	return out
}

// fitness is how well a word fits a name. Somebody who knows the name types
// letters that stand together, at its beginning or at that of a part of it; of
// names that fit equally well, the order of the tree decides.
func fitness(match fuzzy.Match, word string) int {
	name, word := strings.ToLower(match.Str), strings.ToLower(word)
	at := strings.Index(name, word)
	switch {
	case name == word:
		return 4000
	case at == 0:
		return 3000
	case at > 0 && strings.ContainsAny(name[at-1:at], "/.-_ \\"):
		return 2000
	case at > 0:
		return 1000
	}
	return match.Score
}

// askGo asks which folder to open.
func (m *Model) askGo(a *account) {
	q := newPrompt("Go", safetext.Text{}, a, func(m *Model, f imapsession.Folder) {
		m.pane = false
		m.openFolder(a, f)
	})
	q.here = a.root.away
	m.prompt = q
	m.withFolders(a, func(*Model) {})
}

// toFolder opens the folder that is named behind ":go": by its name, or what of
// it fits best.
func toFolder(m *Model, a *account, arg string) error {
	if !a.folders.known {
		m.say(a, own(sDim, "asking the server for its folders"))
	}
	m.withFolders(a, func(m *Model) {
		for _, f := range a.folders.list {
			if f.Name.String() == arg || f.Raw == arg {
				m.pane = false
				m.openFolder(a, f)
				return
			}
		}
		found := pick(a.folders.list, arg, func(f *imapsession.Folder) bool { return !f.NoSelect })
		if len(found) == 0 {
			m.sayWrong(a, wrong{"is no folder", arg})
			return
		}
		m.pane = false
		m.openFolder(a, found[0])
	})
	return nil
}

// folderNames are the completions behind ":go".
func folderNames(_ *Model, a *account) []string {
	var names []string
	for _, at := range grow(a.folders.list, func(f *imapsession.Folder) bool { return !f.NoSelect }).below(nil) {
		names = append(names, a.folders.list[at].Name.String())
	}
	return names
}
