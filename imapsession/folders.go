package imapsession

import (
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// What a server can make us hold of its LIST: so many mailboxes, and so many
// octets of their names.
const (
	maxFolders     = 20_000
	maxFolderNames = 4 << 20
)

// listFolders asks for the account's mailboxes.
func (l *link) listFolders(j *job) error {
	folders, left, told, refusal, err := l.folders()
	if err != nil {
		return err
	}
	if refusal != nil {
		l.s.finish(j, errors.New("the server would not list the folders: it said "+words(refusal)), safetext.Text{})
		return nil
	}
	l.s.keepFolders(folders, l.isGmail())
	l.s.box.Put(FoldersEvent{ID: j.id, Gmail: l.isGmail(), Folders: folders, Subscriptions: told})
	note := safetext.Text{}
	if left > 0 {
		note = safetext.Format("the server lists more folders than can be shown: %s are left out", safetext.Int(left))
	}
	l.s.finish(j, nil, note)
	return nil
}

// folders runs LIST outside IDLE and returns the mailboxes, INBOX first; left
// counts those that there was no room for, told says that the server told which are
// subscribed to.
func (l *link) folders() (folders []Folder, left int, told bool, refusal, err error) {
	if err := l.settle(); err != nil {
		return nil, 0, false, nil, err
	}
	var options *imap.ListOptions
	if l.caps.Has(imap.CapListExtended) {
		options = &imap.ListOptions{ReturnSubscribed: true, ReturnSpecialUse: l.caps.Has(imap.CapSpecialUse)}
	}
	cmd := l.client.List("", "*", options)
	room := maxFolderNames
	for data := cmd.Next(); data != nil; data = cmd.Next() {
		if len(folders) == maxFolders || len(data.Mailbox) > room {
			left++
			continue
		}
		room -= len(data.Mailbox)
		folders = append(folders, newFolder(data))
	}
	refusal, err = l.drain(cmd.Close())
	if err != nil {
		return nil, 0, false, nil, err
	}
	told = options != nil
	if refusal == nil && !told {
		if told, err = l.subscriptions(folders); err != nil {
			return nil, 0, false, nil, err
		}
	}
	guessRoles(folders)
	if i := slices.IndexFunc(folders, func(f Folder) bool { return strings.EqualFold(f.Raw, "INBOX") }); i > 0 {
		inbox := folders[i]
		copy(folders[1:], folders[:i])
		folders[0] = inbox
	}
	return folders, left, told, refusal, nil
}

func newFolder(data *imap.ListData) Folder {
	f := Folder{Raw: data.Mailbox, Name: safetext.Clean(wire.MailboxTitle(data.Mailbox)), Delimiter: data.Delim}
	for _, attr := range data.Attrs {
		if role, ok := findRole(attr); ok && f.Role == "" {
			f.Role = role
		}
		if strings.EqualFold(string(attr), string(imap.MailboxAttrNoSelect)) || strings.EqualFold(string(attr), string(imap.MailboxAttrNonExistent)) {
			f.NoSelect = true
		}
		if strings.EqualFold(string(attr), string(imap.MailboxAttrSubscribed)) {
			f.Subscribed = true
		}
	}
	return f
}

// subscriptions asks a server without LIST-EXTENDED which mailboxes are subscribed
// to: by LSUB, which imapclient does not know. told is false where it refuses.
func (l *link) subscriptions(folders []Folder) (told bool, err error) {
	call, err := l.tap.Start(`LSUB "" "*"`)
	if err != nil {
		return false, l.lost(err)
	}
	<-call.Done()
	l.pump()
	reply, err := call.Reply()
	if err != nil {
		return false, l.lost(err)
	}
	l.tagged++
	at := make(map[string]int, len(folders))
	for i, f := range folders {
		at[f.Raw] = i
	}
	for _, name := range wire.ReadSubscribed(reply) {
		if i, ok := at[name]; ok {
			folders[i].Subscribed = true
		}
	}
	return reply.Tagged.Type == "OK", nil
}
