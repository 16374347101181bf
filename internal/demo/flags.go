package demo

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// flagSet names a set of flags in a flagTable; 0 is the empty set.
type flagSet uint32

// flagTable holds every set of flags that occurs once, and the spelling of
// every keyword as it was first seen: flags are compared without case
// (RFC 3501 §2.3.2), and clients like to get their own back.
type flagTable struct {
	sets     [][]imap.Flag
	byKey    map[string]flagSet
	spelling map[string]imap.Flag
}

// systemFlags are the flags of RFC 3501 §2.3.2 that a client may store.
var systemFlags = []imap.Flag{imap.FlagAnswered, imap.FlagFlagged, imap.FlagDeleted, imap.FlagSeen, imap.FlagDraft}

// list is the set's flags, sorted; nobody may change it.
func (t *flagTable) list(set flagSet) []imap.Flag {
	if set == 0 {
		return []imap.Flag{}
	}
	return t.sets[set-1]
}

// has says whether a set holds a flag.
func (t *flagTable) has(set flagSet, flag imap.Flag) bool {
	for _, f := range t.list(set) {
		if strings.EqualFold(string(f), string(flag)) {
			return true
		}
	}
	return false
}

// holding says of every set whether it holds a flag.
func (t *flagTable) holding(flag imap.Flag) []bool {
	holds := make([]bool, len(t.sets)+1)
	for i := range t.sets {
		holds[i+1] = t.has(flagSet(i+1), flag)
	}
	return holds
}

// intern names the set of these flags.
func (t *flagTable) intern(flags []imap.Flag) flagSet {
	if t.byKey == nil {
		t.byKey = map[string]flagSet{}
		t.spelling = map[string]imap.Flag{}
		for _, flag := range systemFlags {
			t.spelling[strings.ToLower(string(flag))] = flag
		}
	}
	spelt := make([]imap.Flag, 0, len(flags))
	for _, flag := range flags {
		lower := strings.ToLower(string(flag))
		if lower == `\recent` {
			continue
		}
		known, ok := t.spelling[lower]
		if !ok {
			known = flag
			t.spelling[lower] = flag
		}
		spelt = append(spelt, known)
	}
	slices.Sort(spelt)
	spelt = slices.Compact(spelt)
	if len(spelt) == 0 {
		return 0
	}
	var key strings.Builder
	for _, flag := range spelt {
		key.WriteString(string(flag))
		key.WriteByte(' ')
	}
	if set, ok := t.byKey[key.String()]; ok {
		return set
	}
	t.sets = append(t.sets, spelt)
	set := flagSet(len(t.sets))
	t.byKey[key.String()] = set
	return set
}

// change is the set after adding and removing flags.
func (t *flagTable) change(set flagSet, add, remove []imap.Flag) flagSet {
	var flags []imap.Flag
	for _, flag := range t.list(set) {
		if !containsFold(remove, flag) {
			flags = append(flags, flag)
		}
	}
	return t.intern(append(flags, add...))
}

// store is the set after a STORE.
func (t *flagTable) store(set flagSet, op imap.StoreFlagsOp, flags []imap.Flag) flagSet {
	switch op {
	case imap.StoreFlagsAdd:
		return t.change(set, flags, nil)
	case imap.StoreFlagsDel:
		return t.change(set, nil, flags)
	default:
		return t.intern(flags)
	}
}

// keywords are all flags ever seen, for the FLAGS response.
func (t *flagTable) keywords() []imap.Flag {
	all := slices.Clone(systemFlags)
	for _, flag := range t.spelling {
		if !slices.Contains(systemFlags, flag) {
			all = append(all, flag)
		}
	}
	slices.Sort(all[len(systemFlags):])
	return all
}

func containsFold(flags []imap.Flag, flag imap.Flag) bool {
	return slices.ContainsFunc(flags, func(f imap.Flag) bool { return strings.EqualFold(string(f), string(flag)) })
}
