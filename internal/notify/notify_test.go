package notify

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tidings/internal/safetext"
)

func clean(s string) safetext.Text { return safetext.Clean(s) }

func TestOSC9(t *testing.T) {
	cases := []struct {
		name    string
		environ []string
		text    string
		want    string
	}{
		{"plain", []string{"TERM=xterm"}, "Alice – Deploy", "\x1b]9;Alice – Deploy\a"},
		{"tmux", []string{"TMUX=/tmp/tmux,1,0"}, "a", "\x1bPtmux;\x1b\x1b]9;a\a\x1b\\"},
		{"tmux at the near end of ssh", []string{"TERM=tmux-256color", "TMUX="}, "a", "\x1bPtmux;\x1b\x1b]9;a\a\x1b\\"},
		{"tmux or screen at the near end of ssh", []string{"TERM=screen-256color"}, "a", "\x1b]9;a\a"},
		{"screen", []string{"STY=1.x"}, "a", "\x1bP\x1b]9;a\a\x1b\\"},
		{"tmux in screen", []string{"STY=1.x", "TMUX=/tmp/tmux,1,0"}, "a", "\x1bPtmux;\x1b\x1bP\x1b\x1b]9;a\a\x1b\x1b\\\x1b\\"},
		{"empty variables", []string{"TMUX=", "STY="}, "a", "\x1b]9;a\a"},
		{"empty", nil, "", ""},
		{"only space", nil, "  ", ""},
		{"a ConEmu sequence", nil, "4;1;50", "\x1b]9;– 4;1;50\a"},
		{"a number alone", nil, "12", "\x1b]9;– 12\a"},
		{"a number first", nil, "3 new", "\x1b]9;3 new\a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Detect(c.environ).OSC9(clean(c.text))
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOSC9IsOneSequence: whatever the text, the notice is one sequence, short
// enough for every multiplexer, of valid UTF-8, and ends where we end it.
func TestOSC9IsOneSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringN(0, 600, -1)).Draw(t, "text")
		got := Terminal{}.OSC9(clean(text))
		if got == "" {
			return
		}
		inner, ok := strings.CutPrefix(got, "\x1b]9;")
		inner, end := strings.CutSuffix(inner, "\a")
		if !ok || !end || strings.ContainsAny(inner, "\x1b\a\n\r\x00\u009c") || !utf8.ValidString(inner) {
			t.Fatalf("got %q", got)
		}
		if len(got) > 256 {
			t.Fatalf("%d bytes", len(got))
		}
		tmux := Terminal{tmux: true}.OSC9(clean(text))
		body := strings.TrimSuffix(strings.TrimPrefix(tmux, "\x1bPtmux;"), "\x1b\\")
		if strings.ReplaceAll(body, "\x1b\x1b", "\x1b") != got {
			t.Fatalf("tmux would pass %q on for %q", body, got)
		}
	})
}

func TestTitle(t *testing.T) {
	long := clean(strings.Repeat("ä", 300))
	cases := []struct {
		unread        uint32
		known         bool
		mailbox, acct string
		want          string
	}{
		{3, true, "INBOX", "work", "(3) INBOX – work"},
		{3, true, "INBOX", "", "(3) INBOX"},
		{0, true, "INBOX", "", "INBOX"},
		{3, false, "INBOX", "", "INBOX"},
		{3, true, "", "work", "(3) work"},
		{0, false, "", "", "Tidings"},
	}
	for _, c := range cases {
		if got := Title(c.unread, c.known, clean(c.mailbox), clean(c.acct)).String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if got := Title(1, true, long, safetext.Text{}); got.Len() > maxTitle+len("…") || !utf8.ValidString(got.String()) {
		t.Errorf("a long title has %d bytes: %q", got.Len(), got)
	}
}

func TestLimiterCoalesces(t *testing.T) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	work, home, club := clean("work"), clean("home"), clean("club")
	one := func(account safetext.Text, from, subject string) Arrival {
		return Arrival{Account: account, Count: 1, From: clean(from), Subject: clean(subject)}
	}
	none := safetext.Text{}
	cases := []struct {
		name     string
		arrivals []Arrival
		want     string
	}{
		{"one", []Arrival{one(none, "Alice", "Deploy window")}, "Alice – Deploy window"},
		{"one without subject", []Arrival{one(none, "Alice", "")}, "Alice"},
		{"one without sender", []Arrival{one(none, "", "Hello")}, "Hello"},
		{"one of which nothing is known", []Arrival{{}}, "new mail"},
		{"one in an account", []Arrival{one(work, "Alice", "Hello")}, "work: Alice – Hello"},
		{"one unknown in an account", []Arrival{{Account: work}}, "work: new mail"},
		{"several tell of the newest", []Arrival{one(none, "Bob", "1"), one(none, "Carol", "2"), one(none, "Alice", "Deploy")}, "3 new: Alice – Deploy"},
		{"a gap is one notice", []Arrival{{Account: work, Count: 40, From: clean("Alice"), Subject: clean("Deploy")}}, "40 new in work: Alice – Deploy"},
		{"a gap of which nothing is known", []Arrival{{Count: 40}}, "40 new"},
		{"two accounts", []Arrival{one(work, "Bob", "1"), one(home, "Alice", "2")}, "2 new in home and work: Alice – 2"},
		{"two accounts, by turns", []Arrival{one(work, "Bob", "1"), one(home, "Alice", "2"), one(work, "Bob", "3")}, "3 new in work and home: Bob – 3"},
		{"three accounts", []Arrival{one(work, "Bob", "1"), one(home, "Alice", "2"), one(club, "Carol", "3")}, "3 new in club and 2 more: Carol – 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var l Limiter
			for _, a := range c.arrivals {
				l.Add(a)
			}
			got, wait, ok := l.Due(start)
			if !ok || wait != 0 || got.String() != c.want {
				t.Errorf("got %q, %v, %v; want %q", got, wait, ok, c.want)
			}
			if _, _, again := l.Due(start.Add(time.Hour)); again {
				t.Error("it is told twice")
			}
		})
	}
}

func TestLimiterWaits(t *testing.T) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var l Limiter
	expect := func(at time.Duration, wantWait time.Duration, wantText string) {
		t.Helper()
		text, wait, ok := l.Due(start.Add(at))
		if wait != wantWait || text.String() != wantText || ok != (wantText != "") {
			t.Errorf("after %v: %q, %v, %v; want %q, %v", at, text, wait, ok, wantText, wantWait)
		}
	}
	add := func(from string) { l.Add(Arrival{From: clean(from)}) }
	expect(0, 0, "")
	add("a")
	expect(0, 0, "a")
	add("b")
	expect(500*time.Millisecond, 1500*time.Millisecond, "")
	add("c")
	expect(1999*time.Millisecond, time.Millisecond, "")
	expect(2*time.Second, 0, "2 new: c")
	expect(4*time.Second, 0, "")
	add("d")
	expect(5*time.Second, 0, "d")
	add("e")
	expect(-time.Hour, 0, "e") // the clock was set back: better told than lost
	add("f")
	l.Forget()
	expect(10*time.Second, 0, "")
}

// TestLimiterRate: however arrivals come, notices are at least Every apart,
// nothing is lost, and nothing waits longer than Every when Due is asked as it
// says.
func TestLimiterRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Limiter
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		var last, oldest time.Time
		added, told := 0, 0
		due := func() time.Duration {
			text, wait, ok := l.Due(now)
			if ok {
				if !last.IsZero() && now.Sub(last) < Every {
					t.Fatalf("two notices within %v", now.Sub(last))
				}
				if now.Sub(oldest) > Every {
					t.Fatalf("a notice came %v after its mail", now.Sub(oldest))
				}
				if text.IsEmpty() {
					t.Fatal("an empty notice")
				}
				last, told, oldest = now, added, time.Time{}
			}
			return wait
		}
		steps := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 60).Draw(t, "gaps")
		timer := time.Time{}
		for _, gap := range steps {
			next := now.Add(time.Duration(gap) * time.Millisecond)
			if !timer.IsZero() && !timer.After(next) {
				now = timer
				timer = time.Time{}
				due()
			}
			now = next
			l.Add(Arrival{Count: 1})
			added++
			if oldest.IsZero() {
				oldest = now
			}
			if wait := due(); wait > 0 {
				timer = now.Add(wait)
			} else {
				timer = time.Time{}
			}
		}
		if told < added {
			if timer.IsZero() {
				t.Fatal("mail waits, and no time is set to tell of it")
			}
			now = timer
			due()
		}
		if told != added {
			t.Fatalf("told of %d of %d", told, added)
		}
	})
}
