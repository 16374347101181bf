package mailfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maildir reads cur and new of a Maildir, in the order of the files' names, which
// begin with the time of delivery.
func maildir(path string, yield func(Letter, error) bool) {
	type found struct{ name, path string }
	var all []found
	dirs := 0
	for _, sub := range []string{"cur", "new"} {
		entries, err := os.ReadDir(filepath.Join(path, sub))
		if err != nil {
			continue
		}
		dirs++
		for _, e := range entries {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
				all = append(all, found{e.Name(), filepath.Join(path, sub, e.Name())})
			}
		}
	}
	if dirs == 0 {
		yield(Letter{}, fmt.Errorf("%q is a folder, but no Maildir: it has neither cur nor new", path))
		return
	}
	if len(all) == 0 {
		yield(Letter{}, fmt.Errorf("%q is a Maildir without a message", path))
		return
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.name, b.name) })
	for _, f := range all {
		info, err := os.Stat(f.path)
		if err != nil {
			if !yield(Letter{Name: f.path}, explain(f.path, err)) {
				return
			}
			continue
		}
		l, err := single(f.path)
		l.Name, l.Date, l.Flags = f.path, info.ModTime(), maildirFlags(f.name)
		if !yield(l, err) {
			return
		}
	}
}

// maildirFlags are the flags behind ":2," of a name ("!2," or ";2," where a colon
// cannot stand in one).
func maildirFlags(name string) []string {
	i := strings.LastIndex(name, "2,")
	if i <= 0 || !strings.ContainsRune(":;!-", rune(name[i-1])) {
		return nil
	}
	var flags []string
	for _, c := range name[i+2:] {
		switch c {
		case 'S':
			flags = append(flags, `\Seen`)
		case 'R':
			flags = append(flags, `\Answered`)
		case 'F':
			flags = append(flags, `\Flagged`)
		case 'T':
			flags = append(flags, `\Deleted`)
		case 'D':
			flags = append(flags, `\Draft`)
		case 'P':
			flags = append(flags, "$Forwarded")
		}
	}
	slices.Sort(flags)
	return slices.Compact(flags)
}
