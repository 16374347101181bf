package cli

import (
	"log/slog"
	"net"
	"strconv"
	"time"

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

// tellTo has the sentences said to the person on an account's screen, and in its log.
func (s *sentences) tellTo(session *imapsession.Session, log *slog.Logger) {
	s.tell(func(sentence string) {
		log.Warn(sentence)
		session.Events().Put(imapsession.AlertEvent{Text: safetext.Clean(sentence), Own: true})
	})
}

// openMarks opens what the person was told of an account's mail. It is kept by
// the address that does not change with the name that the config gives it.
func openMarks(s *state.State, a config.Account) *state.Marks {
	return s.Marks(stateName(a), a.Mailbox)
}

// stateName is what an account is called in the state file.
func stateName(a config.Account) string {
	return a.User + "@" + net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

// unwritten is how long the end of the program waits for a disk that has not taken
// yet what the person asked for. Mostly there is nothing.
const unwritten = 2 * time.Second

// closeState has it written down what was asked for and what was told, and leaves
// both to other processes.
func closeState(s *state.State, accounts []watched) {
	if s == nil {
		return
	}
	for _, w := range accounts {
		if w.outbox != nil {
			w.outbox.Close(unwritten)
		}
		if w.marks != nil {
			w.marks.Close()
		}
	}
	s.Close(farewell)
}
