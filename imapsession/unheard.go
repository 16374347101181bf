package imapsession

import "tidings/store"

// A server tells a connection of what others did when it comes to it: in IDLE, or
// behind the next command. Until then, a message that is named by its UID is not
// there for this connection, and what names it does nothing and is OK (Dovecot and
// others). So it is with a message that another connection of ours has put there a
// moment ago, as when something is taken back and done again.

// hearOf asks the server for its news before a command changes a message that the
// link has not heard of, or looks for what came. again tells that the job gets
// another turn, for the list has first to be brought in step.
func (l *link) hearOf(j *job) (again bool, err error) {
	t, changes, _ := aim(j.cmd)
	_, locates := j.cmd.(Locate)
	if !locates && (!changes || !l.mayBeNews(t.UIDs)) {
		return false, nil
	}
	if err := l.settle(); err != nil {
		return false, err
	}
	if locates || l.mayBeNews(t.UIDs) { // the end of IDLE may have told it
		if err := l.noop(); err != nil {
			return false, err
		}
	}
	return l.desyncing(), nil
}

// mayBeNews tells whether one of uids is above all that the list knows.
func (l *link) mayBeNews(uids []store.UID) bool {
	list := l.m.list
	top, at, ok := list.MaxUID()
	if at < list.Len()-1 || !ok && list.Len() > 0 {
		return false // a row that is not known may be what is meant
	}
	for _, u := range uids {
		if u > top {
			return true
		}
	}
	return false
}
