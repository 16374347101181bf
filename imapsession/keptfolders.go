package imapsession

import (
	"encoding/json"
	"slices"

	"tidings/imapsession/wire"
	"tidings/internal/safetext"
)

// keptFolders is what an earlier run learnt of the account's mailboxes, beside the
// outbox: without a network, too, has an action to know where it goes. Session.mu
// guards it.
type keptFolders struct {
	asked   bool // the Outbox was asked for them
	read    bool // and has answered
	folders []Folder
	gmail   bool
}

// foldersOnDisk is a list of mailboxes as it is written down.
type foldersOnDisk struct {
	Gmail   bool           `json:"gmail,omitempty"`
	Folders []folderOnDisk `json:"folders"`
}

type folderOnDisk struct {
	Raw        []byte `json:"raw"`
	Delimiter  rune   `json:"delimiter,omitempty"`
	Role       string `json:"role,omitempty"`
	NoSelect   bool   `json:"noselect,omitempty"`
	Subscribed bool   `json:"subscribed,omitempty"`
}

func encodeFolders(folders []Folder, gmail bool) []byte {
	out := foldersOnDisk{Gmail: gmail}
	for _, f := range folders {
		out.Folders = append(out.Folders, folderOnDisk{[]byte(f.Raw), f.Delimiter, f.Role, f.NoSelect, f.Subscribed})
	}
	b, err := json.Marshal(out)
	if err != nil {
		panic(err) // octets, words and truth values can always be written
	}
	return b
}

func decodeFolders(b []byte) (folders []Folder, gmail bool, err error) {
	var in foldersOnDisk
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, false, err
	}
	for _, f := range in.Folders {
		raw := string(f.Raw)
		folders = append(folders, Folder{
			Raw: raw, Name: safetext.Clean(wire.MailboxTitle(raw)), Delimiter: f.Delimiter,
			Role: f.Role, NoSelect: f.NoSelect, Subscribed: f.Subscribed,
		})
	}
	return folders, in.Gmail, nil
}

// readFolders asks for what an earlier run learnt. The caller holds s.mu.
func (s *Session) readFolders() {
	out := s.cfg.outbox()
	if out == nil || s.folders.asked {
		return
	}
	s.folders.asked = true
	out.Folders(func(b []byte) {
		folders, gmail, err := decodeFolders(b)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.folders.read = true; err == nil && s.folders.folders == nil {
			s.folders.folders, s.folders.gmail = folders, gmail
		}
		s.poke()
	})
}

// keepFolders has the next run know what the server has listed.
func (s *Session) keepFolders(folders []Folder, gmail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.folders.folders, s.folders.gmail = folders, gmail
	if out := s.cfg.outbox(); out != nil {
		out.KeepFolders(encodeFolders(folders, gmail))
	}
}

// answerFolders answers a ListFolders from what is known, while there is no link
// that could.
func (s *Session) answerFolders() {
	for {
		s.mu.Lock()
		var j *job
		for _, x := range s.queue {
			if _, ok := x.cmd.(ListFolders); ok && x.on == nil && s.folders.folders != nil {
				j = x
			}
		}
		known := s.folders
		s.mu.Unlock()
		if j == nil {
			return
		}
		s.box.Put(FoldersEvent{ID: j.id, Gmail: known.gmail, Folders: known.folders, Subscriptions: slices.ContainsFunc(known.folders, func(f Folder) bool { return f.Subscribed })})
		s.finish(j, nil, safetext.Text{})
	}
}

// foldersDue tells whether the folders have to be listed for the next run: no run
// before this one has.
func (l *link) foldersDue() bool {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.role == asMonitor && s.cfg.outbox() != nil && s.folders.read && s.folders.folders == nil
}

// learnFolders lists the folders for the next run.
func (l *link) learnFolders() error {
	folders, _, _, refusal, err := l.folders()
	if err != nil {
		return err
	}
	if refusal != nil || folders == nil {
		folders = []Folder{}
	}
	l.s.keepFolders(folders, l.isGmail())
	return nil
}
