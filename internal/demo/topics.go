package demo

import "slices"

// style is how a letter is put together.
type style int

const (
	plain       style = iota
	flowed            // format=flowed (RFC 3676)
	alternative       // plain and HTML
	htmlOnly
	attachment // the first letter carries a file
	invitation // the first letter carries an event
	signed     // multipart/signed
	forwarded  // the first letter carries another one
	parcel     // the first letter carries files of all kinds, and another one
)

// topic is a conversation: what the first letter says and what is answered.
// {words} in it are filled in (writer.fillIn).
type topic struct {
	style     style
	subject   string
	re        string   // how its mail programs say "Re:"; "" is "Re:"
	people    []person // the first one starts, the others answer in turn
	to        person   // zero: the account's owner
	charset   string   // of plain text; "" is utf-8
	fields    []string // more header fields, whole lines
	opening   string
	replies   []string
	signature string
	forwards  string // forwarded: the subject, a line break, the text
	file      *file
	fileName  string
}

func (t *topic) recipient() person {
	if t.to.address == "" {
		return me
	}
	return t.to
}

// topics are all there are; the writer shuffles them. Machines write the most.
var topics = slices.Concat(workTopics, listTopics, noticeTopics, noticeTopics, letterTopics, worldTopics)
