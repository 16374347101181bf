package ui

import "tidings/store"

// maxSummaries bounds the summaries that one account keeps: some sixty screens.
const maxSummaries = 4096

// summaries keeps the summaries of the windows in use: two generations, the
// older of which is dropped when the younger is full. What is looked at moves
// to the younger, so the rows on screen are never the ones dropped.
type summaries struct {
	young, old map[store.UID]*store.Summary
}

func (s *summaries) put(x *store.Summary) {
	if s.young == nil || len(s.young) >= maxSummaries/2 {
		s.old, s.young = s.young, make(map[store.UID]*store.Summary, maxSummaries/8)
	}
	s.young[x.UID] = x
}

// get returns the summary of uid, nil where it is not held.
func (s *summaries) get(uid store.UID) *store.Summary {
	if x := s.young[uid]; x != nil {
		return x
	}
	x := s.old[uid]
	if x != nil {
		s.put(x)
	}
	return x
}

func (s *summaries) reset() { s.young, s.old = nil, nil }
