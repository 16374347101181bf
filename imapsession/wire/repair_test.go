package wire

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emersion/go-imap/v2"
)

// odd are inputs seen from real servers, or thinkable. Each comes in the middle
// of a session, in front of the reply to a NOOP. Under a Tap every one must be
// survived. kills says that imapclient alone does not survive it: the proof
// that the repair is needed.
var odd = []struct {
	name  string
	input string
	kills bool
	event string // what the Tap makes of it, see brief; "" is not checked
}{
	// Untagged responses imapclient does not know.
	{"vanished", "* VANISHED 3:5,9\r\n", true, "vanished 3:5,9:9"},
	{"vanished earlier", "* VANISHED (EARLIER) 41,43:116\r\n", true, "vanished earlier 41:41,43:116"},
	{"vanished without set", "* VANISHED\r\n", true, "VANISHED broken"},
	{"vanished of a star", "* VANISHED 1:*\r\n", true, "VANISHED broken"},
	{"lsub", "* LSUB () \"/\" foo\r\n", true, "LSUB broken"},
	{"xlist", "* XLIST (\\Inbox) \"/\" foo\r\n", true, "XLIST broken"},
	{"vendor", "* X-GOOGLE-THING yes (no (maybe))\r\n", true, "X-GOOGLE-THING broken"},
	{"vendor with literal", "* XFOO {5}\r\na\r\nbc x\r\n", true, "XFOO broken"},
	{"vendor with large literal", "* XFOO {70000}\r\n" + strings.Repeat("a\r\n* 1 EXPUNGE\r\n", 4375) + " x\r\n", true, " broken"},
	{"vendor with number", "* 5 FROBNICATE\r\n", true, "FROBNICATE broken"},
	{"comparator", "* COMPARATOR i;octet\r\n", true, ""},
	{"language", "* LANGUAGE (EN)\r\n", true, ""},
	{"no type", "* \r\n", true, ""},
	{"only a star", "*\r\n", true, ""},
	{"two blanks", "*  7 EXISTS\r\n", true, "7 exists broken"},
	{"lower case", "* 8 exists\r\n", false, "8 exists broken"},
	{"trailing blank", "* 8 EXISTS \r\n", false, "8 exists broken"},
	{"lone LF", "* 8 EXISTS\n", false, "8 exists"},

	// Numbers.
	{"exists", "* 21 EXISTS\r\n", false, "21 exists"},
	{"exists beyond 32 bits", "* 4294967296 EXISTS\r\n", true, "EXISTS broken"},
	{"exists of garbage", "* 1x EXISTS\r\n", true, "EXISTS broken"},
	{"expunge", "* 3 EXPUNGE\r\n", false, "expunge 3"},
	{"expunge 0", "* 0 EXPUNGE\r\n", false, "expunge 0 broken"},
	{"expunge out of range", "* 99999 EXPUNGE\r\n", false, "expunge 99999"},
	{"recent", "* 2 RECENT\r\n", false, "2 recent"},

	// FETCH, with nothing asked for: a change of flags, or junk.
	{"flags", "* 5 FETCH (FLAGS (\\Seen $Junk))\r\n", false, "fetch 5 uid 0 [\\Seen $Junk]"},
	{"flags uid modseq", "* 5 FETCH (UID 17 FLAGS () MODSEQ (12))\r\n", false, "fetch 5 uid 17 [] modseq 12"},
	{"modseq bare", "* 5 FETCH (UID 17 MODSEQ 12)\r\n", true, "fetch 5 uid 17 modseq 12"},
	{"flag with bracket", "* 5 FETCH (FLAGS (foo]bar \\Seen))\r\n", true, "fetch 5 uid 0 [foo]bar \\Seen] broken"},
	{"flag of a backslash", "* 5 FETCH (FLAGS (\\ \\Seen))\r\n", true, "fetch 5 uid 0 [\\ \\Seen] broken"},
	{"flag quoted", "* 5 FETCH (FLAGS (\"foo\" \\Seen))\r\n", true, "fetch 5 uid 0 [foo \\Seen] broken"},
	{"flag quoted with parenthesis", "* 5 FETCH (FLAGS (\"fo)o\" \\Seen))\r\n", true, "fetch 5 uid 0 [fo)o \\Seen] broken"},
	{"flag 8 bit", "* 5 FETCH (FLAGS (gr\xc3\xbcn))\r\n", false, "fetch 5 uid 0 [gr\xc3\xbcn]"},
	{"flag of C1 octets", "* 5 FETCH (FLAGS (\xc2\x85x))\r\n", true, "fetch 5 uid 0 [\xc2\x85x] broken"},
	{"flags NIL", "* 5 FETCH (FLAGS NIL)\r\n", true, "fetch 5 uid 0 [] broken"},
	{"flags trailing blank", "* 5 FETCH (FLAGS (\\Seen ))\r\n", true, "fetch 5 uid 0 [\\Seen] broken"},
	{"flags leading blank", "* 5 FETCH (FLAGS ( \\Seen))\r\n", false, "fetch 5 uid 0 [\\Seen]"},
	{"flags unclosed", "* 5 FETCH (FLAGS (\\Seen\r\n", true, "fetch 5 uid 0 [\\Seen] broken"},
	{"fetch unclosed", "* 5 FETCH (FLAGS (\\Seen)\r\n", true, "fetch 5 uid 0 [\\Seen] broken"},
	{"fetch unopened", "* 5 FETCH FLAGS (\\Seen)\r\n", true, "fetch 5 uid 0 [\\Seen] broken"},
	{"fetch empty", "* 5 FETCH ()\r\n", false, "fetch 5 uid 0"},
	{"fetch of nothing", "* 5 FETCH\r\n", true, "fetch 5 uid 0 broken"},
	{"fetch 0", "* 0 FETCH (FLAGS (\\Seen))\r\n", false, "FETCH broken"},
	{"fetch beyond 32 bits", "* 4294967296 FETCH (BODY[] {3}\r\nabc)\r\n", true, "FETCH broken"},
	{"uid 0", "* 5 FETCH (UID 0)\r\n", false, "fetch 5 uid 0 broken"},
	{"uid beyond 32 bits", "* 5 FETCH (UID 4294967296)\r\n", true, "fetch 5 uid 0 broken"},
	{"gmail items", "* 5 FETCH (X-GM-THRID 1278455344230334865 X-GM-MSGID 127 X-GM-LABELS (\\Inbox \"a (b\" foo) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"gmail label as literal", "* 5 FETCH (X-GM-LABELS (\\Inbox {6}\r\n\r\n) UI foo) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"objectid", "* 5 FETCH (EMAILID (M6d99ac3275bb4e) THREADID NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"preview", "* 5 FETCH (UID 9 PREVIEW \"Hi) UID 10\")\r\n", true, "fetch 5 uid 9 broken"},
	{"savedate", "* 5 FETCH (SAVEDATE NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"rfc822.header", "* 5 FETCH (RFC822.HEADER {6}\r\nA: b\r\n UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"rfc822", "* 5 FETCH (RFC822 \"x\" UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope nil", "* 5 FETCH (ENVELOPE NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope lower-case nil", "* 5 FETCH (ENVELOPE (nil nil nil nil nil nil nil nil nil nil) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope of 9", "* 5 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope of 11", "* 5 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope with stray quote", "* 5 FETCH (ENVELOPE (NIL \"say \"hi\" there\" NIL NIL NIL NIL NIL NIL NIL NIL) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope address of 3", "* 5 FETCH (ENVELOPE (NIL NIL ((\"a\" NIL \"b\")) NIL NIL NIL NIL NIL NIL NIL) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"envelope literal subject", "* 5 FETCH (ENVELOPE (NIL {4}\r\n)))) NIL NIL NIL NIL NIL NIL NIL NIL) UID 9)\r\n", false, "fetch 5 uid 9 broken"},
	{"bodystructure without children", "* 5 FETCH (BODYSTRUCTURE (\"MIXED\") UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"bodystructure nil child", "* 5 FETCH (BODYSTRUCTURE (NIL \"mixed\") UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"bodystructure quotes", "* 5 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"NAME\" \"\"\"\") NIL NIL \"7BIT\" 1 1) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"bodystructure size nil", "* 5 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" NIL 1) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"bodystructure nil", "* 5 FETCH (BODYSTRUCTURE NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"body nil", "* 5 FETCH (BODY NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"internaldate nil", "* 5 FETCH (INTERNALDATE NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"internaldate domino", "* 5 FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"internaldate zero", "* 5 FETCH (INTERNALDATE \"01-Jan-0001 00:00:00 +0000\" UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"internaldate rfc 2822", "* 5 FETCH (INTERNALDATE \"Mon, 7 Feb 1994 21:52:25 -0800\" UID 9)\r\n", true, "fetch 5 uid 9"},
	{"internaldate gmt", "* 5 FETCH (INTERNALDATE \" 7-Feb-1994 21:52:25 GMT\" UID 9)\r\n", true, "fetch 5 uid 9"},
	{"size -1", "* 5 FETCH (RFC822.SIZE -1 UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"size nil", "* 5 FETCH (RFC822.SIZE NIL UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"size 2^63", "* 5 FETCH (RFC822.SIZE 9223372036854775808 UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"modseq garbage", "* 5 FETCH (MODSEQ (x) UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"body atom", "* 5 FETCH (BODY[] hello UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"body literal8", "* 5 FETCH (BODY[] ~{3}\r\nabc UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"body odd section", "* 5 FETCH (BODY[1.] {3}\r\nabc UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"body unclosed section", "* 5 FETCH (BODY[1 {3}\r\nabc UID 9)\r\n", true, ""},
	{"body odd offset", "* 5 FETCH (BODY[]<x> {3}\r\nabc UID 9)\r\n", true, "fetch 5 uid 9 broken"},
	{"binary", "* 5 FETCH (BINARY[1] ~{3}\r\na\x00c BINARY.SIZE[1] 3 UID 9)\r\n", false, "fetch 5 uid 9 broken"},
	{"literal+ from the server", "* 5 FETCH (BODY[] {3+}\r\nabc UID 9)\r\n", true, "fetch 5 uid 9"},

	// Status responses and their codes.
	{"ok", "* OK Still here\r\n", false, "OK  Still here"},
	{"ok bare", "* OK\r\n", false, "OK  "},
	{"alert", "* OK [ALERT] System down at 5\r\n", false, "OK ALERT System down at 5"},
	{"code in lower case", "* ok [alert] x\r\n", false, "OK ALERT x"},
	{"bye", "* BYE shutting down\r\n", false, "BYE  shutting down"},
	{"no blank behind code", "* OK [X ]y\r\n", true, "OK X y"},
	{"no bracket", "* OK [FOO bar\r\n", true, "OK FOO bar  broken"},
	{"empty code", "* OK [] hello\r\n", true, "OK  hello broken"},
	{"odd code", "* OK [(x)] hello\r\n", true, "OK  hello broken"},
	{"badcharset", "* NO [BADCHARSET (UTF-8)] no\r\n", false, "NO BADCHARSET (UTF-8) no"},
	{"badcharset with bracket", "* NO [BADCHARSET (\"a]b\")] no\r\n", true, "NO BADCHARSET (\"a]b\") no"},
	{"uidvalidity 2^32", "* OK [UIDVALIDITY 4294967296] x\r\n", true, ""},
	{"uidvalidity nothing", "* OK [UIDVALIDITY] x\r\n", true, ""},
	{"uidnext -1", "* OK [UIDNEXT -1] x\r\n", true, ""},
	{"highestmodseq nil", "* OK [HIGHESTMODSEQ NIL] x\r\n", true, ""},
	{"copyuid without destination", "* OK [COPYUID 1 ] x\r\n", true, ""},
	{"copyuid of a star", "* OK [COPYUID 1 * 5] x\r\n", true, ""},
	{"permanentflags with bracket", "* OK [PERMANENTFLAGS (\\Seen foo]bar \\*)] x\r\n", true, "OK PERMANENTFLAGS (\\Seen foo]bar \\*) x [\\Seen foo]bar \\*]"},
	{"permanentflags nil", "* OK [PERMANENTFLAGS NIL] x\r\n", true, ""},
	{"capability double blank", "* OK [CAPABILITY IMAP4rev1  IDLE ] x\r\n", true, ""},
	{"capability odd", "* CAPABILITY IMAP4rev1 {foo} \"bar\" (x) IDLE\r\n", true, ""},
	{"capability in lower case", "* OK [capability imap4rev1 idle] x\r\n", false, ""},
	{"closed", "* OK [CLOSED] was open\r\n", false, ""},
	{"flags of the mailbox", "* FLAGS (\\Seen foo]bar)\r\n", true, "flags [\\Seen foo]bar] broken"},
	{"flags of the mailbox nil", "* FLAGS NIL\r\n", true, ""},
	{"carriage return in text", "* OK a\rb\r\n", true, ""},
	{"NUL in text", "* OK a\x00b\r\n", false, ""},
	{"text like a literal", "* OK it is {5}\r\n", false, "OK  it is {5}"},

	// LIST and what comes with it.
	{"list ampersand", "* LIST () \"/\" \"Tom & Jerry\"\r\n", true, "LIST broken"},
	{"list latin-1", "* LIST () \"/\" \"Entw\xfcrfe\"\r\n", true, "LIST broken"},
	{"list control", "* LIST () \"/\" \"a\x07b\"\r\n", true, "LIST broken"},
	{"list ascii in base64", "* LIST () \"/\" \"&AGEA-\"\r\n", true, "LIST broken"},
	{"list unfinished base64", "* LIST () \"/\" \"&AOk\"\r\n", true, "LIST broken"},
	{"list utf-8", "* LIST () \"/\" \"Entw\xc3\xbcrfe\"\r\n", false, "LIST broken"},
	{"list good utf-7", "* LIST () \"/\" \"Entw&APw-rfe\"\r\n", false, "LIST"},
	{"list empty delimiter", "* LIST () \"\" foo\r\n", true, "LIST broken"},
	{"list long delimiter", "* LIST () \"//\" foo\r\n", true, "LIST broken"},
	{"list name as literal", "* LIST () \"/\" {7}\r\nfoo bar\r\n", false, "LIST broken"},
	{"list name with line end", "* LIST () \"/\" {4}\r\na\r\nb\r\n", true, "LIST broken"},
	{"list unquoted blanks", "* LIST () \"/\" Sent Items\r\n", true, "LIST broken"},
	{"list nil attributes", "* LIST NIL \"/\" foo\r\n", true, "LIST broken"},
	{"list odd attribute", "* LIST (\\ \"\\Sent\") \"/\" foo\r\n", true, "LIST broken"},
	{"list no name", "* LIST () \"/\"\r\n", true, "LIST broken"},
	{"list extended", "* LIST () \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\") X (a (b)))\r\n", false, ""},
	{"status", "* STATUS foo (MESSAGES 3 UNSEEN 1)\r\n", false, ""},
	{"status nil", "* STATUS foo (MESSAGES NIL)\r\n", true, "STATUS broken"},
	{"status large", "* STATUS foo (UIDNEXT 4294967296 MESSAGES 3)\r\n", true, "STATUS broken"},
	{"status item odd", "* STATUS foo (X-GUID {3}\r\nabc MAILBOXID (F2) MESSAGES 3)\r\n", false, "STATUS broken"},
	{"status raw name", "* STATUS \"Tom & Jerry\" (MESSAGES 3)\r\n", true, ""},
	{"namespace prefix nil", "* NAMESPACE ((NIL NIL)) NIL NIL\r\n", true, "NAMESPACE broken"},
	{"namespace", "* NAMESPACE ((\"\" \"/\" \"X\" (\"a\"))) NIL ((\"#s/\" \"/\"))\r\n", false, ""},
	{"namespace short", "* NAMESPACE ((\"\" \"/\"))\r\n", true, ""},

	// Searches and the rest.
	{"search", "* SEARCH 2 3 6\r\n", false, "SEARCH"},
	{"search trailing blank", "* SEARCH 2 3 \r\n", false, ""},
	{"search descending", "* SEARCH 9 5 3\r\n", false, ""},
	{"search of garbage", "* SEARCH 2 x 4294967296\r\n", true, ""},
	{"search modseq", "* SEARCH 2 3 (MODSEQ 99)\r\n", false, ""},
	{"sort modseq", "* SORT 2 3 (MODSEQ 99)\r\n", true, ""},
	{"esearch without tag", "* ESEARCH COUNT 3\r\n", true, ""},
	{"esearch twice uid", "* ESEARCH (TAG \"T1\") UID UID COUNT 3\r\n", true, ""},
	{"esearch late uid", "* ESEARCH (TAG \"T1\") COUNT 3 UID\r\n", true, ""},
	{"esearch of nothing", "* ESEARCH\r\n", true, ""},
	{"esearch star", "* ESEARCH (TAG \"T1\") UID ALL 1:*\r\n", true, ""},
	{"esearch partial", "* ESEARCH (TAG \"T1\") UID PARTIAL (1:10 3:5) COUNT 3\r\n", false, ""},
	{"esearch lower case", "* esearch (tag \"T1\") uid count 3\r\n", true, ""},
	{"id nil value", "* ID (\"name\" NIL)\r\n", true, "ID broken"},
	{"id nil", "* ID NIL\r\n", false, "ID broken"},
	{"quota -1", "* QUOTA \"\" (STORAGE 10 -1)\r\n", true, "QUOTA broken"},
	{"thread", "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n", false, ""},
	{"enabled", "* ENABLED CONDSTORE \"x\"\r\n", true, ""},

	// Not responses at all.
	{"unknown tag", "T99 OK what\r\n", true, " broken"},
	{"stray tag of another client", "A001 OK what\r\n", true, " broken"},
	{"stray continuation", "+ go on\r\n", true, "+ go on broken"},
	{"bare continuation", "+\r\n", true, "+  broken"},
	{"blank line", "\r\n", true, ""},
	{"blank lines", "\r\n\n\r\n", true, ""},
	{"text", "Warning: disk full\r\n", true, " broken"},
	{"binary", "\x00\xff\x16\x03\r\n", true, " broken"},
}

// brief tells an event in a few words.
func brief(ev Event) string {
	var s string
	switch ev.Kind {
	case KindExists:
		s = fmt.Sprintf("%d exists", ev.Num)
	case KindRecent:
		s = fmt.Sprintf("%d recent", ev.Num)
	case KindExpunge:
		s = fmt.Sprintf("expunge %d", ev.Num)
	case KindVanished:
		s = "vanished"
		if ev.Earlier {
			s += " earlier"
		}
		for i, r := range ev.UIDs {
			s += string(" ,"[min(i, 1)]) + fmt.Sprintf("%d:%d", r.Lo, r.Hi)
		}
	case KindFetch:
		s = fmt.Sprintf("fetch %d uid %d", ev.Num, ev.UID)
		if ev.HasFlags {
			s += fmt.Sprint(" ", ev.FlagNames)
		}
		if ev.ModSeq != 0 {
			s += fmt.Sprint(" modseq ", ev.ModSeq)
		}
	case KindStatus:
		s = ev.Type + " " + ev.Code
		if ev.Arg != "" {
			s += " " + ev.Arg
		}
		s += " " + ev.Text
		if ev.HasFlags {
			s += fmt.Sprint(" ", ev.FlagNames)
		}
	case KindTagged:
		s = ev.Tag + " " + ev.Type + " " + ev.Text
	case KindCont:
		s = "+ " + ev.Text
	case KindFlags:
		s = fmt.Sprint("flags ", ev.FlagNames)
	case KindOther:
		s = ev.Type
	}
	if ev.Broken {
		s += " broken"
	}
	return s
}

func TestOddInputIsSurvived(t *testing.T) {
	for _, tt := range odd {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, false, Options{}, before("NOOP", tt.input))
				if err := s.alive(); err != nil {
					t.Fatalf("the connection did not survive: %v (tap: %v)", err, s.tap.Err())
				}
				evs := s.tap.Events()
				if tt.event != "" && (len(evs) == 0 || brief(evs[0]) != tt.event) {
					t.Errorf("events %v, want %q first", briefs(evs), tt.event)
				}
				if err := s.alive(); err != nil {
					t.Errorf("died afterwards: %v", err)
				}
			})
		})
	}
}

// TestImapclientAloneDies proves that the repairs are needed: without a Tap
// the same input ends the connection, or hangs it.
func TestImapclientAloneDies(t *testing.T) {
	for _, tt := range odd {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := dial(t, true, Options{}, before("NOOP", tt.input))
				err := s.alive()
				if err == nil {
					err = s.alive()
				}
				if died := err != nil; died != tt.kills {
					t.Errorf("imapclient alone: %v; the table says kills = %v", err, tt.kills)
				}
			})
		})
	}
}

// before sends input in front of the reply to the first command named verb.
func before(verb, input string) func(tag, command string) string {
	sent := false
	return func(tag, command string) string {
		if v, _, _ := strings.Cut(command, " "); v != verb || sent {
			return ""
		}
		sent = true
		return input + politely(tag, command)
	}
}

func briefs(evs []Event) []string {
	var out []string
	for _, ev := range evs {
		out = append(out, brief(ev))
	}
	return out
}

var headerFields = &imap.FetchItemBodySection{
	Peek:         true,
	Specifier:    imap.PartSpecifierHeader,
	HeaderFields: []string{"DATE", "FROM", "SUBJECT"},
}
