package imapsession

import (
	"strings"
	"testing"
)

// A mailbox that somebody deletes while it is watched is told from one that the
// server will not open at the moment, also where it only says so in words.
func TestAMailboxIsDeletedWhileItIsOpen(t *testing.T) {
	for _, test := range []struct {
		name   string
		refuse string
		listed string
		gone   bool
	}{
		{"with a code", "NO [NONEXISTENT] no", "", true},
		{"in words", "NO Mailbox doesn't exist: Lists", "", true},
		{"only a name above others by now", "NO Mailbox doesn't exist: Lists", `* LIST (\Noselect \HasChildren) "/" Lists`, true},
		{"it is there", "NO not now", `* LIST () "/" Lists`, false},
		{"another is", "NO not now", `* LIST () "/" lists`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				srv := newFake(t, 3)
				lists := newFake(t, 4)
				srv.others = map[string]*fakeServer{"Lists": lists}
				cfg := srv.config()
				cfg.Mailbox, cfg.Guest = "Lists", true
				f, _ := start(t, cfg)
				f.live(1)
				srv.with(func() {
					srv.on = func(c *fakeConn, tag, cmd string) bool {
						switch {
						case strings.HasPrefix(cmd, "SELECT"):
							c.send(tag + " " + test.refuse)
						case strings.HasPrefix(cmd, "LIST"):
							if test.listed != "" {
								c.send(test.listed)
							}
							c.send(tag + " OK done")
						default:
							return false
						}
						return true
					}
				})
				srv.last().send("* BYE Mailbox deleted")
				srv.last().conn.Close()
				f.until("an outcome", func() bool {
					st := f.last()
					return st.Fatal || st.State == Waiting && strings.Contains(st.Reason.String(), "Lists")
				})
				st := f.state()
				if st.NoMailbox != test.gone || st.Fatal != test.gone {
					t.Errorf("%+v", st)
				}
				if strings.Contains(st.Reason.String(), "config") {
					t.Errorf("of a folder that is in no config it says %q", st.Reason)
				}
			})
		})
	}
}
