package wire

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
)

// A VANISHED of megabytes comes as several Events that say the same.
func TestLongVanished(t *testing.T) {
	for _, earlier := range []bool{false, true} {
		for _, n := range []int{3, 5_000, 800_000} {
			t.Run(fmt.Sprintf("%d ranges, earlier: %v", n, earlier), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					mark := ""
					if earlier {
						mark = "(EARLIER) "
					}
					var set strings.Builder
					for i := range n {
						if i > 0 {
							set.WriteByte(',')
						}
						fmt.Fprint(&set, 2*i+1)
					}
					s := dial(t, false, Options{}, func(tag, command string) string {
						if !strings.HasPrefix(command, "UID FETCH") {
							return ""
						}
						return "* VANISHED " + mark + set.String() + "\r\n* 3 FETCH (UID 7 FLAGS ())\r\n" + tag + " OK done\r\n"
					})
					call, err := s.tap.Ask("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)")
					if err != nil {
						t.Fatal(err)
					}
					next, fetches := uint32(1), 0
					take := func(ev *Event) {
						switch ev.Kind {
						case KindVanished:
							if ev.Earlier != earlier {
								t.Errorf("earlier: %v", ev.Earlier)
							}
							for _, r := range ev.UIDs {
								if r.Lo != next || r.Hi != next {
									t.Fatalf("%v instead of %d", r, next)
								}
								next += 2
							}
						case KindFetch:
							fetches++
						case KindExists, KindRecent, KindFlags, KindStatus, KindTagged:
						default:
							t.Errorf("%+v", ev)
						}
					}
					for over := false; !over; {
						select {
						case <-s.tap.Ready():
						case <-call.Done():
							over = true
						}
						s.tap.Each(take)
					}
					if reply, err := call.Reply(); err != nil || reply.Tagged.Type != "OK" || len(reply.Untagged) != 0 {
						t.Errorf("reply %+v, %v", reply.Tagged, err)
					}
					if int(next) != 2*n+1 || fetches != 1 {
						t.Errorf("%d of %d UIDs vanished, %d FETCHes", next/2, n, fetches)
					}
					if err := s.alive(); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
