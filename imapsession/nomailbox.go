package imapsession

import (
	"fmt"
	"strings"

	"tidings/imapsession/wire"
)

// selectRefused is why a mailbox could not be selected. That one which was there
// is not there any more, many servers say in words alone, Dovecot among them: LIST
// tells for sure.
func (l *link) selectRefused(err error, name string) error {
	f := selectFault(err, name, l.proven)
	if f.doubtful {
		listed, lost := l.lists(name)
		if lost != nil {
			return lost
		}
		if !listed {
			f.doubtful, f.fatal, f.noMailbox = false, true, true
			f.text = fmt.Sprintf("there is no mailbox named %s any more: the server said %s", title(name), words(err)) + inConfig
		}
	}
	if l.s.cfg.Guest { // it is in no config
		f.text = strings.TrimSuffix(f.text, inConfig)
	}
	return f
}

// lists tells whether the server lists a mailbox that can be selected. What it does
// not say, or what cannot be asked for by a pattern, is taken for a yes.
func (l *link) lists(name string) (listed bool, err error) {
	if _, odd := wire.RawMailbox(name); odd || sameMailbox(name, "INBOX") {
		return true, nil
	}
	cmd := l.client.List("", name, nil)
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		listed = listed || data.Mailbox == name && !newFolder(data).NoSelect
	}
	refusal, err := l.drain(cmd.Close())
	return listed || refusal != nil, err
}
