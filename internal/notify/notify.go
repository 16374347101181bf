// Package notify tells the person of new mail: by the terminal's bell, by a
// desktop notice that the terminal shows (OSC 9), and in the window's title.
// It makes texts and sequences and writes none of them; the screen (package ui)
// does. Time is handed in.
//
// Its use, on the goroutine that owns the screen:
//
//	var limiter notify.Limiter
//	terminal := notify.Detect(environ)
//
//	limiter.Add(notify.Arrival{Count: 1, From: from, Subject: subject}) // per NewMailEvent; a gap is one Arrival
//	text, wait, ok := limiter.Due(time.Now())
//	switch {
//	case ok && kind == bell:
//		write(notify.Bell)
//	case ok:
//		write(terminal.OSC9(text)) // e.g. by tea.Raw
//	case wait > 0:
//		// ask Due again after wait (one timer, e.g. tea.Tick)
//	}
package notify

import "tidings/internal/safetext"

// maxTitle bounds the window's title, in bytes.
const maxTitle = 120

// Title is the window's title: "(3) INBOX – work". What is not known is left
// out (known false, an empty place), never guessed.
func Title(unread uint32, known bool, mailbox, account safetext.Text) safetext.Text {
	place := mailbox
	switch {
	case account.IsEmpty():
	case mailbox.IsEmpty():
		place = account
	default:
		place = safetext.Format("%s – %s", mailbox, account)
	}
	if place.IsEmpty() {
		place = safetext.Const("Tidings")
	}
	if known && unread > 0 {
		place = safetext.Format("(%s) %s", safetext.Uint(unread), place)
	}
	if place.Len() > maxTitle {
		place = safetext.Format("%s…", place.Slice(0, maxTitle))
	}
	return place
}
