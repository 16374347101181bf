package imapsession

import (
	"slices"

	"tidings/store"
)

// maxUIDOctets bounds the set of UIDs in one command, so that a line stays under
// 8 KB: RFC 7162 §4 has servers take at least that.
const maxUIDOctets = 7 << 10

// uidLines parts UIDs so that each part is a set that fits a command line. UIDs
// that follow one another cost next to nothing: ten thousand of a row are one
// line. The order of the UIDs is lost.
func uidLines(uids []store.UID) [][]store.UID {
	if !slices.IsSorted(uids) {
		uids = slices.Sorted(slices.Values(uids))
	}
	var parts [][]store.UID
	start, octets := 0, 0
	for i, u := range uids {
		switch {
		case i > start && (u == uids[i-1] || u == uids[i-1]+1):
			// It makes the range longer; what that costs was counted with its start.
		default:
			cost := 2 * (digits(u) + 1) // "u:u,"; its end may have a digit more
			if octets+cost+1 > maxUIDOctets {
				parts = append(parts, uids[start:i])
				start, octets = i, 0
			}
			octets += cost + 1
		}
	}
	if start < len(uids) {
		parts = append(parts, uids[start:])
	}
	return parts
}

func digits(u store.UID) int {
	n := 1
	for ; u >= 10; u /= 10 {
		n++
	}
	return n
}
