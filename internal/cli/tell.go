package cli

import (
	"net"
	"strconv"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/safetext"
	"tidings/internal/xdg"
	"tidings/store/state"
)

// openState opens what outlives the program and is on no server. What there is
// to say of it is said once sentences has somebody to tell.
func openState() (*state.State, *sentences, error) {
	dir, err := xdg.StateDir()
	if err != nil {
		return nil, nil, err
	}
	said := new(sentences)
	return state.Open(state.Options{Dir: dir, Say: said.say}), said, nil
}

// tellTo has the sentences said to the person on an account's screen.
func (s *sentences) tellTo(session *imapsession.Session) {
	s.tell(func(sentence string) {
		session.Events().Put(imapsession.AlertEvent{Text: safetext.Clean(sentence), Own: true})
	})
}

// openMarks opens what the person was told of an account's mail. It is kept by
// the address that does not change with the name that the config gives it.
func openMarks(s *state.State, a config.Account) *state.Marks {
	return s.Marks(a.User+"@"+net.JoinHostPort(a.Host, strconv.Itoa(a.Port)), a.Mailbox)
}

// closeState has it written down what was told, and lets another process tell.
func closeState(s *state.State, accounts []watched) {
	if s == nil {
		return
	}
	for _, w := range accounts {
		if w.marks != nil {
			w.marks.Close()
		}
	}
	s.Close(farewell)
}
