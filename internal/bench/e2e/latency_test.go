package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

// cursorRow is the row of the list that the cursor is on.
func cursorRow(screen string) string {
	for row := range strings.Lines(screen) {
		if strings.HasPrefix(row, "▌") || strings.HasPrefix(row, "█") {
			return strings.TrimSpace(row)
		}
	}
	return ""
}

// rowWith is the row of the list that names a subject.
func rowWith(screen, subject string) string {
	return rowOf(strings.Split(screen, "\n"), subject)
}

// TestKeysDoNotWaitForTheNetwork: whatever the link does, the first frame behind a
// key has its effect, and not an octet has come from the server meanwhile.
func TestKeysDoNotWaitForTheNetwork(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*testserver.Link){
		"2 s each way":       func(l *testserver.Link) { l.SetLatency(2*time.Second, 2*time.Second) },
		"swallows all":       func(l *testserver.Link) { l.Swallow(testserver.Both, true) },
		"nobody reads it":    func(l *testserver.Link) { l.Stall(testserver.Both, true) },
		"cut, and no way in": func(l *testserver.Link) { l.Refuse(true); l.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const letters = 12
			a := onDovecot(testserver.Dovecot(t))
			var subjects []string
			for i := range letters {
				subjects = append(subjects, fmt.Sprintf("Letter %02d.", letters-i))
			}
			slices.Reverse(subjects)
			a.fill(t, subjects...)
			slices.Reverse(subjects) // the newest first, as they stand on screen
			link, through := a.behind(t)
			term := a.narrow(t, through.addr)
			wait(t, term, "the letters", showing("Letter 01.", "Letter 12.", "live"))
			term.Type("c") // so that archive and trash are known
			wait(t, term, "the folders", showing("Archive"))
			term.Type("c")
			wait(t, term, "the list", func(s string) bool { return !strings.Contains(s, "Archive") })
			quiet := func() {
				if err := term.Quiet(300*time.Millisecond, patience); err != nil {
					t.Fatal(err)
				}
			}
			quiet()
			spoil(link)
			if name == "cut, and no way in" {
				wait(t, term, "the state", showing("offline"))
			}
			quiet()
			heard := link.Bytes(testserver.ToClient)
			var took bench.Sample
			first := 0
			keys := []string{"!", "U", "a", "!", "d", "!", "J", "U", "a"}
			for i, key := range keys {
				at := cursorRow(term.Screen())
				j := slices.IndexFunc(subjects, func(s string) bool { return strings.Contains(at, s) })
				if j < 0 {
					t.Fatalf("the cursor is on no letter: %q", at)
				}
				before := rowWith(term.Screen(), subjects[j])
				pressed := term.Type(key)
				drawn, err := term.Wait(patience, fmt.Sprintf("the effect of key %d, %s", i, key), func(s string) bool { return rowWith(s, subjects[j]) != before })
				if err != nil {
					t.Fatal(err)
				}
				if frame, _ := term.After(pressed); !frame.Before(drawn) {
					first++
				}
				took = append(took, drawn.Sub(pressed))
				quiet()
				if strings.Contains(cursorRow(term.Screen()), subjects[j]) {
					term.Type("j")
					wait(t, term, "the next row", func(s string) bool { return !strings.Contains(cursorRow(s), subjects[j]) })
					quiet()
				}
			}
			// A frame may come in between, for the age on the status bar, and on a busy
			// machine one may be read in two parts.
			if 3*first < 2*len(keys) {
				t.Errorf("%d of %d effects were in the first frame behind the key", first, len(keys))
			}
			if n := link.Bytes(testserver.ToClient) - heard; n != 0 && name != "2 s each way" {
				t.Errorf("the server was heard meanwhile: %d octets", n)
			}
			slices.Sort(took)
			t.Logf(name+": key to its effect: median %v, at most %v", took[len(took)/2], took[len(took)-1])
		})
	}
}

// TestMarkingTenThousandKeepsTheScreenAlive: while the answers for ten thousand
// messages come in, keys are answered.
func TestMarkingTenThousandKeepsTheScreenAlive(t *testing.T) {
	t.Parallel()
	const letters = 10_000
	s := testserver.Dovecot(t)
	s.Fill(t, "INBOX", letters, func(i int) testserver.Mail {
		return testserver.Mail{Raw: bench.MessageWithSubject(i, fmt.Sprintf("Letter %05d.", i)), Date: time.Unix(1_790_000_000+int64(i)*60, 0)}
	})
	s.Rows(t, "INBOX") // not the first open
	a := onDovecot(s)
	for name, octets := range map[string]int{"loopback": 0, "200 KB a second": 200_000} {
		t.Run(name, func(t *testing.T) {
			link, through := a.behind(t)
			term, err := bench.Start(bench.Columns, bench.Lines, home(t), binary, "--config", through.config(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(term.Kill)
			wait(t, term, "the letters", showing("Letter 09999.", "live"))
			all := func(s string) bool { return strings.Contains(s, "10,000 marked") }
			for range 200 { // until the index is loaded
				if all(term.Screen()) {
					break
				}
				term.Type("X")
				if err := term.Quiet(150*time.Millisecond, patience); err != nil {
					t.Fatal(err)
				}
			}
			wait(t, term, "ten thousand marks", all)
			wait(t, term, "the headers to be there", func(s string) bool { return !strings.Contains(s, "headers ") })
			if err := term.Quiet(300*time.Millisecond, patience); err != nil {
				t.Fatal(err)
			}
			link.SetBandwidth(testserver.ToClient, octets)
			link.ResetCounters()
			began := term.Type("U")
			done := func(s string) bool {
				return strings.Contains(s, "marked read: 10,000") || strings.Contains(s, "marked unread: 10,000")
			}
			var took bench.Sample
			down := true
			for !done(term.Screen()) {
				if time.Since(began) > patience {
					t.Fatalf("it does not end; the screen:\n%s", term.Screen())
				}
				at := cursorRow(term.Screen())
				key := "j"
				if !down {
					key = "k"
				}
				down = !down
				pressed := term.Type(key)
				drawn, err := term.Wait(patience, "the cursor elsewhere", func(s string) bool {
					is := cursorRow(s)
					return is != "" && subjectOf(is) != subjectOf(at)
				})
				if err != nil {
					t.Fatal(err)
				}
				took = append(took, drawn.Sub(pressed))
				<-time.After(20 * time.Millisecond) // a person's fingers
			}
			wait(t, term, "the end", done)
			slices.Sort(took)
			if octets > 0 && len(took) < 20 {
				t.Errorf("%d keys were answered meanwhile", len(took))
			}
			t.Logf("%v from the key to the end, %d octets; %d keys meanwhile, p50 %v, p95 %v, at most %v", time.Since(began).Round(time.Millisecond),
				link.Bytes(testserver.ToClient), len(took), took[len(took)/2], took[len(took)*95/100], took[len(took)-1])
			term.Kill()
		})
	}
}

// subjectOf is the subject in a row of the test above.
func subjectOf(row string) string {
	if i := strings.Index(row, "Letter "); i >= 0 {
		return row[i : i+len("Letter 00000.")]
	}
	return row
}
