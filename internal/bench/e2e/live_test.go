package e2e

import (
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"

	"tidings/internal/bench"
	"tidings/internal/testserver"
)

func TestDeliveredMailAppears(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "Old news", "Older plans")
		term := a.monitor(t)
		term.WaitFor("Older plans", patience)
		term.WaitFor("live", patience)

		a.deliver(t, bench.MessageWithSubject(7, "Fresh bread"))
		waitRow(term, "Fresh bread", "on top and unread", func(row string) bool { return strings.Contains(row, "●") })
		screen := term.Screen()
		if !strings.Contains(screen[0], "Fresh bread") {
			t.Errorf("the newest message is not the first row:\n%s", strings.Join(screen, "\n"))
		}
		term.WaitUntil("the activity line to tell it", patience, func(s []string) bool {
			return testserver.Shows(s, "new: ") && testserver.Shows(s, "Fresh bread")
		})
		term.WaitUntil("the title to count it", patience, func([]string) bool {
			return strings.Contains(term.Title(), "1")
		})
		term.WaitFor("1 unread of 3", patience)
	})
}

func TestFlagsGoBothWays(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter")
		term := a.monitor(t)
		waitSelected(term, "Third letter")
		term.Send("j")
		waitSelected(term, "Second letter")
		term.Send("!")
		waitRow(term, "Second letter", "flagged", func(row string) bool { return strings.Contains(row, "⚑") })
		a.inMailbox(t, "INBOX", `\Flagged on "Second letter" alone`, func(m []seen) bool {
			return has(find(m, "Second letter").flags, imap.FlagFlagged) &&
				!has(find(m, "First letter").flags, imap.FlagFlagged) &&
				!has(find(m, "Third letter").flags, imap.FlagFlagged)
		})
		term.Send("U")
		a.inMailbox(t, "INBOX", `"Second letter" unread`, func(m []seen) bool {
			return !has(find(m, "Second letter").flags, imap.FlagSeen)
		})
		term.WaitFor("1 unread of 3", patience)

		c := a.selecting(t)
		a.store(t, c, a.uidOf(t, "First letter"), imap.FlagFlagged, imap.FlagAnswered)
		waitRow(term, "First letter", "flagged and answered", func(row string) bool {
			return strings.Contains(row, "⚑") && strings.Contains(row, "↩")
		})
	})
}

func TestExpungeElsewhereKeepsTheSelection(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "First letter", "Second letter", "Third letter", "Fourth letter")
		term := a.monitor(t)
		waitSelected(term, "Fourth letter")
		term.Send("j", "j")
		waitSelected(term, "Second letter")

		a.expunge(t, "Third letter")
		waitNoRow(term, "Third letter")
		if screen := term.Screen(); !selected(screen, "Second letter") {
			t.Errorf("the cursor left its message:\n%s", strings.Join(screen, "\n"))
		}

		// What the cursor is on stays to be seen, and nothing can be done to it.
		a.expunge(t, "Second letter")
		waitRow(term, "Second letter", "marked as gone", func(row string) bool { return strings.HasPrefix(row, "▌×") })
		term.Send("d")
		term.Send("j")
		waitNoRow(term, "Second letter")
		waitSelected(term, "First letter")
		a.inMailbox(t, "INBOX", "the other two untouched", func(m []seen) bool {
			return len(m) == 2 && find(m, "First letter").uid != 0 && find(m, "Fourth letter").uid != 0
		})
		a.inMailbox(t, "Trash", "nothing", func(m []seen) bool { return len(m) == 0 })
	})
}

func TestMovesReachTheirFolder(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "Keep this", "To the archive", "To the bin", "To the junk")
		term := a.monitor(t)
		waitSelected(term, "To the junk")
		term.WaitFor("live", patience)
		term.Send("m")
		term.WaitFor(" to ›", patience)
		term.Type("Junk")
		term.WaitFor("▌ Junk", patience) // the folders have come
		term.Send("Enter")
		waitNoRow(term, "To the junk")
		waitSelected(term, "To the bin")
		term.Send("d")
		waitNoRow(term, "To the bin")
		waitSelected(term, "To the archive")
		term.Send("a")
		waitNoRow(term, "To the archive")
		waitSelected(term, "Keep this")

		for folder, subject := range map[string]string{"Junk": "To the junk", "Trash": "To the bin", "Archive": "To the archive"} {
			a.inMailbox(t, folder, subject, func(m []seen) bool { return len(m) == 1 && m[0].subject == subject })
		}
		a.inMailbox(t, "INBOX", "the one that stays", func(m []seen) bool { return len(m) == 1 && m[0].subject == "Keep this" })
	})
}

func TestReadingMarksSeen(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, a account) {
		a.fill(t, "Old news")
		a.deliver(t, bench.MessageWithSubject(5, "Please read me"))
		term := a.monitor(t)
		waitRow(term, "Please read me", "unread", func(row string) bool { return strings.Contains(row, "●") })
		term.Send("Enter")
		// The reader shows it in full.
		term.WaitFor("help.desk@example.org", patience)
		a.inMailbox(t, "INBOX", `\Seen`, func(m []seen) bool { return has(find(m, "Please read me").flags, imap.FlagSeen) })
	})
}
