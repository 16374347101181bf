package wire

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"pgregory.net/rapid"
)

func texts(tr *Trace) string {
	var sb strings.Builder
	for _, l := range tr.Lines() {
		fmt.Fprintf(&sb, "%v %s\n", l.Dir, l.Text)
	}
	return sb.String()
}

func TestTraceRing(t *testing.T) {
	tr := NewTrace(3)
	for i := range 5 {
		tr.Note("m", Remark, fmt.Sprint("line ", i))
	}
	if got := texts(tr); got != "- line 2\n- line 3\n- line 4\n" {
		t.Errorf("%q", got)
	}
	tr.Note("m", Out, strings.Repeat("a", 1000)+"\x1b[2J")
	lines := tr.Lines()
	if l := lines[len(lines)-1]; len(l.Text) != lineCut || l.Conn != "m" || l.Time.IsZero() {
		t.Errorf("%+v", l)
	}
	tr.Note("m", In, "a\x1b[2J\u202e")
	lines = tr.Lines()
	if got := lines[2].Text; got != `a\x1b[2J\xe2\x80\xae` {
		t.Errorf("%q", got)
	}
	if (*Trace)(nil).Lines() != nil || len((&Trace{}).Lines()) != 0 {
		t.Error("lines out of nothing")
	}
	(&Trace{}).Note("", In, "x")
}

// TestTraceOfARun: a window of summaries takes two lines.
func TestTraceOfARun(t *testing.T) {
	var sb strings.Builder
	sb.WriteString("* OK hi\r\n")
	for i := 1; i <= 200; i++ {
		fmt.Fprintf(&sb, "* %d FETCH (UID %d)\r\n", i, i+100)
	}
	sb.WriteString("* 5 EXISTS\r\n* 7 FETCH (UID 107)\r\n")
	tr := NewTrace(0)
	tap := New(&chunks{pieces: [][]byte{[]byte(sb.String())}}, Options{Trace: tr})
	io.Copy(io.Discard, tap)
	want := "< * OK hi\n< * 1 FETCH (UID 101)\n< * 200 FETCH (UID 300) [the last of 200 like this]\n< * 5 EXISTS\n< * 7 FETCH (UID 107)\n"
	if got := texts(tr); got != want {
		t.Errorf("%s", got)
	}
}

// login is one way to hand a secret to the server.
type login struct {
	name string
	do   func(c *imapclient.Client, user, secret string) error
}

// prompting is the LOGIN mechanism, without an initial response.
type prompting struct {
	answers []string
}

func (p *prompting) Start() (string, []byte, error) { return "LOGIN", nil, nil }
func (p *prompting) Next([]byte) ([]byte, error) {
	if len(p.answers) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	a := p.answers[0]
	p.answers = p.answers[1:]
	return []byte(a), nil
}

// bearer is XOAUTH2.
type bearer struct{ user, token string }

func (b *bearer) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + b.user + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
}
func (b *bearer) Next([]byte) ([]byte, error) { return []byte{}, nil }

// authenticate runs a mechanism as a session does: without SASL-IR the first
// response is the answer to the empty challenge, which the Tap hands on.
func authenticate(c *imapclient.Client, m sasl.Client) error {
	if !c.Caps().Has(imap.CapSASLIR) {
		m = &later{Client: m}
	}
	return c.Authenticate(m)
}

// later is a mechanism that says nothing before it is asked.
type later struct {
	sasl.Client
	first []byte
}

func (l *later) Start() (string, []byte, error) {
	name, first, err := l.Client.Start()
	l.first = first
	return name, nil, err
}

func (l *later) Next(challenge []byte) ([]byte, error) {
	if first := l.first; first != nil {
		l.first = nil
		return first, nil
	}
	return l.Client.Next(challenge)
}

var logins = []login{
	{"LOGIN", func(c *imapclient.Client, user, secret string) error { return c.Login(user, secret).Wait() }},
	{"PLAIN", func(c *imapclient.Client, user, secret string) error {
		return authenticate(c, sasl.NewPlainClient("", user, secret))
	}},
	{"LOGIN mechanism", func(c *imapclient.Client, user, secret string) error {
		return authenticate(c, &prompting{answers: []string{user, secret}})
	}},
	{"XOAUTH2", func(c *imapclient.Client, user, secret string) error { return authenticate(c, &bearer{user, secret}) }},
}

// TestSecretsStayOutOfTheTrace logs in in every way, with and without initial
// responses, against a server that repeats what it was told wherever it can;
// the secret must not show, in no form.
func TestSecretsStayOutOfTheTrace(t *testing.T) {
	const user = "alice@example.org"
	for _, secret := range []string{"wonderland-42", `q"uo\te{5}`, "pässwörter", "a b)c", "{12+}", "two\r\nlines"} {
		for _, l := range logins {
			for _, ir := range []bool{true, false} {
				for _, ok := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/%q/ir=%v/ok=%v", l.name, secret, ir, ok), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { echoes(t, l, user, secret, ir, ok) })
					})
				}
			}
		}
	}
}

func echoes(t *testing.T, l login, user, secret string, ir, ok bool) {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { // a server that echoes everything
		defer close(done)
		caps := "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN"
		if ir {
			caps += " SASL-IR LITERAL+"
		}
		io.WriteString(theirs, caps+"] hi\r\n")
		buf := make([]byte, 4096)
		command := ""
		for {
			n, err := theirs.Read(buf)
			if err != nil {
				return
			}
			line := string(buf[:n])
			command += line
			tag, _, _ := strings.Cut(command, " ")
			echo := strings.NewReplacer("\r", " ", "\n", " ").Replace(command)
			said := "* OK you said " + echo + "\r\n* X-ECHO " + echo + "\r\n* OK [" + echo + "] a\r\n* LIST () \"/\" " + echo + "\r\n* FLAGS (" + echo + ")\r\n"
			switch {
			case strings.HasSuffix(line, "}\r\n") && !strings.HasSuffix(line, "+}\r\n"):
				io.WriteString(theirs, "+ go on, "+strings.TrimSpace(line)+"\r\n")
				continue
			case strings.Contains(command, "CAPABILITY"):
				io.WriteString(theirs, tag+" OK\r\n")
			case strings.Contains(command, "AUTHENTICATE") && !finished(command, user, secret):
				if !strings.Contains(command, "AUTHENTICATE LOGIN") {
					io.WriteString(theirs, said+"+\r\n")
					continue
				}
				io.WriteString(theirs, said+"+ "+base64.StdEncoding.EncodeToString([]byte("say "+secret))+"\r\n")
				continue
			case strings.HasSuffix(line, "+}\r\n"), strings.Contains(command, "LOGIN") && !finished(command, user, secret):
				continue
			default:
				dec, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
				clean := strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(string(dec))
				typ := " OK "
				if !ok {
					typ = " NO "
				}
				io.WriteString(theirs, said+tag+typ+"[X "+clean+"] so "+echo+clean+"\r\n* OK once more "+echo+"\r\n* OK "+clean+"\r\n")
			}
			command = ""
		}
	}()
	tr := NewTrace(0)
	tap := New(ours, Options{Trace: tr})
	c := imapclient.New(tap, nil)
	if err := c.WaitGreeting(); err != nil {
		t.Fatal(err)
	}
	err := l.do(c, user, secret)
	if (err == nil) != ok {
		t.Errorf("log-in: %v", err)
	}
	synctest.Wait()
	theirs.Close()
	c.Close()
	<-done
	got := texts(tr)
	if !strings.Contains(got, "[redacted]") {
		t.Errorf("nothing was redacted:\n%s", got)
	}
	for _, form := range forms(user, secret) {
		if i := strings.Index(got, form); i >= 0 {
			t.Errorf("the trace shows %q:\n%s", form, got)
		}
	}
}

// finished reports whether the command holds all that the log-in has to say.
func finished(command, user, secret string) bool {
	for _, form := range forms(user, secret) {
		if strings.Contains(command, strings.TrimRight(form, "=")) {
			return true
		}
	}
	return false
}

// forms are how a secret may look on the wire, printable as the trace has it.
func forms(user, secret string) []string {
	var out []string
	b64 := base64.StdEncoding.EncodeToString
	for _, s := range []string{
		secret,
		strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret),
		b64([]byte(secret)),
		b64([]byte("\x00" + user + "\x00" + secret)),
		b64([]byte("user=" + user + "\x01auth=Bearer " + secret + "\x01\x01")),
	} {
		out = append(out, s, printable([]byte(s)))
	}
	return out
}

// TestSecretsInAnySplit: however the client's writes are cut, nothing of the
// log-in gets into the trace.
func TestSecretsInAnySplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[!-~]{6,20}`).Draw(t, "secret")
		quoted := string(appendQuoted(nil, []byte(secret)))
		b64 := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + secret))
		n := itoa(len(secret))
		stream := rapid.SampledFrom([]string{
			"T1 LOGIN alice " + quoted + "\r\n",
			"T1 login \"alice\" {" + n + "+}\r\n" + secret + "\r\n",
			"T1 LOGIN {5}\r\nalice {" + n + "}\r\n" + secret + "\r\n",
			"T1 AUTHENTICATE PLAIN " + b64 + "\r\n",
			"T1 authenticate plain\r\n" + b64 + "\r\n",
		}).Draw(t, "command") + "T2 NOOP\r\n"
		tr := NewTrace(0)
		tap := New(&writes{}, Options{Trace: tr, Greeting: "* OK hi\r\n"})
		for rest := []byte(stream); len(rest) > 0; {
			k := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if _, err := tap.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		got := texts(tr)
		for _, form := range []string{secret, quoted, b64} {
			if strings.Contains(got, form) {
				t.Fatalf("the trace shows %q:\n%s", form, got)
			}
		}
	})
}

// TestMessagesStayOutOfTheTrace: of FETCH data only numbers and flags are kept.
func TestMessagesStayOutOfTheTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := NewTrace(0)
		const secret = "Rosebud"
		s := dial(t, false, Options{Trace: tr}, before("NOOP",
			"* 3 FETCH (UID 17 FLAGS (\\Seen) ENVELOPE (NIL \""+secret+"\" NIL) BODY[TEXT] \""+secret+"\" BODY[] "+lit(secret)+
				" PREVIEW \""+secret+"\" RFC822 "+lit(secret)+" "+secret+" [x] "+secret+")\r\n"+
				"* X-PREVIEW "+secret+"\r\n"+secret+"\r\n"+
				"* 4 FETCH (BODY[TEXT] \"cut off\r\n"+secret+"\")\r\n"))
		if err := s.alive(); err != nil {
			t.Fatal(err)
		}
		got := texts(tr)
		if strings.Contains(got, secret) {
			t.Errorf("the trace shows a message:\n%s", got)
		}
		if want := `< * 3 FETCH (UID 17 FLAGS (\Seen) ? BODY[TEXT] {7} BODY[] {7}`; !strings.Contains(got, want) {
			t.Errorf("the trace lacks %q:\n%s", want, got)
		}
	})
}

// both is a conn that brings a stream and keeps what is written.
type both struct {
	chunks
	sent strings.Builder
}

func (b *both) Write(p []byte) (int, error) { return b.sent.Write(p) }

// TestAnswerWithoutQuestion: what imapclient still answers when the server has
// ended the exchange already neither leaves nor is traced; it holds the secret.
func TestAnswerWithoutQuestion(t *testing.T) {
	const secret = "AGFsaWNlAHdvbmRlcmxhbmQ="
	conn := &both{chunks: chunks{pieces: [][]byte{[]byte("* OK hi\r\n+ \r\nT1 NO enough\r\n")}}}
	tr := NewTrace(0)
	tap := New(conn, Options{Trace: tr})
	tap.Write([]byte("T1 AUTHENTICATE PLAIN\r\n"))
	io.Copy(io.Discard, tap) // the refusal is in before the answer is out
	for _, line := range []string{secret, "DONE"} {
		if _, err := tap.Write([]byte(line + "\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	tap.Write([]byte("T2 NOOP\r\n"))
	if got := conn.sent.String(); got != "T1 AUTHENTICATE PLAIN\r\nT2 NOOP\r\n" {
		t.Errorf("sent %q", got)
	}
	if got := texts(tr); strings.Contains(got, secret) || !strings.Contains(got, "> T2 NOOP") {
		t.Errorf("traced %s", got)
	}
}
