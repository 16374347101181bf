package ui

import (
	"slices"
	"strconv"
	"strings"

	"tidings/imapsession"
)

// branch is a folder, or a name that folders have above them, in the tree.
type branch struct {
	key  string
	name string
	at   int // -1: not listed
	rank int // among its siblings; those of equal rank by name
	kids []*branch
}

// roleOrder is in which order the folders with a role stand, before all others.
var roleOrder = []string{"", "drafts", "sent", "flagged", "all", "archive", "junk", "trash"}

// grow makes the tree of a list of folders: the INBOX, then those with a role,
// wherever the server has them, then the others by name. A folder whose name is
// not to be taken apart, or has been seen, is a row of its own.
func grow(list []imapsession.Folder, show func(*imapsession.Folder) bool) *branch {
	root := &branch{at: -1}
	known := map[string]*branch{}
	inside := insideInbox(list)
	for i := range list {
		f := &list[i]
		if !show(f) {
			continue
		}
		name := f.Name.String()
		parts := []string{name}
		if sep := string(f.Delimiter); f.Delimiter != 0 && len(name) <= longestName && strings.Count(name, sep) < deepest && !strings.HasPrefix(name, sep) && !strings.HasSuffix(name, sep) && !strings.Contains(name, sep+sep) {
			parts = strings.Split(name, sep)
		}
		if inside && len(parts) > 1 {
			parts = parts[1:]
		}
		rank := len(roleOrder)
		if r := slices.Index(roleOrder, f.Role); r > 0 {
			rank = r
		} else if isInbox(f.Raw) {
			rank = 0
		}
		if rank < len(roleOrder) && len(parts) > 0 {
			parts = parts[len(parts)-1:]
		}
		at, key := root, ""
		prefix := strings.TrimSuffix(name, strings.Join(parts, string(f.Delimiter)))
		if rank == len(roleOrder) {
			// What is below a folder with a role stands below it.
			for n := len(parts) - 1; n > 0; n-- {
				above := prefix + strings.Join(parts[:n], string(f.Delimiter))
				if b := known[above]; b != nil && b.at >= 0 && b.rank < len(roleOrder) {
					at, key, parts = b, above, parts[n:]
					break
				}
			}
		}
		for d, part := range parts {
			if key != "" {
				key += string(f.Delimiter)
			} else {
				key = prefix
			}
			key += part
			b := known[key]
			last := d == len(parts)-1
			if b == nil || last && b.at >= 0 {
				b = &branch{key: key, name: part, at: -1, rank: len(roleOrder)}
				if known[key] != nil {
					b.key = key + "\x00" + strconv.Itoa(i) // two that look alike
				}
				known[b.key] = b
				at.kids = append(at.kids, b)
			}
			if last {
				b.at, b.rank = i, rank
			}
			at = b
		}
	}
	root.sort()
	return root
}

// insideInbox tells whether the server keeps all folders below the INBOX, as some
// do: that says nothing, then, and is not shown.
func insideInbox(list []imapsession.Folder) bool {
	n := 0
	for i := range list {
		f := &list[i]
		if isInbox(f.Raw) {
			continue
		}
		if f.Delimiter == 0 || len(f.Raw) < 6 || !isInbox(f.Raw[:5]) || !strings.HasPrefix(f.Raw[5:], string(f.Delimiter)) {
			return false
		}
		n++
	}
	return n > 0
}

func (b *branch) sort() {
	slices.SortStableFunc(b.kids, func(x, y *branch) int {
		if x.rank != y.rank {
			return x.rank - y.rank
		}
		return strings.Compare(strings.ToLower(x.name), strings.ToLower(y.name))
	})
	for _, k := range b.kids {
		k.sort()
	}
}

// below gathers the folders below a branch.
func (b *branch) below(out []int) []int {
	for _, k := range b.kids {
		if k.at >= 0 {
			out = append(out, k.at)
		}
		out = k.below(out)
	}
	return out
}
