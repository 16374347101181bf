package message

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"
	"pgregory.net/rapid"
)

// What a correct writer writes, whatever characters are in it, is read back:
// go-message writes, and encodes as it sees fit.
func TestReadsWhatOthersWrite(t *testing.T) {
	word := rapid.StringMatching(`[a-zA-Z0-9äöüßéñłжяαω日本語한글العשל👍 ,.;:!?()<>@"'\\=_-]{0,40}`)
	local := rapid.StringMatching(`[a-z][a-z0-9_+-]{0,8}(\.[a-z]{1,5})?`)
	trim := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	rapid.Check(t, func(rt *rapid.T) {
		var h mail.Header
		subject := trim(word.Draw(rt, "subject"))
		h.SetSubject(subject)
		var want []Address
		var list []*mail.Address
		for range rapid.IntRange(1, 4).Draw(rt, "addresses") {
			name, addr := trim(word.Draw(rt, "name")), local.Draw(rt, "local")+"@example.org"
			want = append(want, Address{name, addr})
			list = append(list, &mail.Address{Name: name, Address: addr})
		}
		h.SetAddressList("From", list[:1])
		h.SetAddressList("To", list)
		date := time.Unix(rapid.Int64Range(1e9, 4e9).Draw(rt, "date"), 0).In(time.FixedZone("", rapid.IntRange(-48, 48).Draw(rt, "zone")*900))
		h.SetDate(date)
		h.SetMessageID("x@example.org")

		var b bytes.Buffer
		w, err := mail.CreateWriter(&b, h)
		if err != nil {
			rt.Fatal(err)
		}
		text := trim(word.Draw(rt, "text")) + "\n" + trim(word.Draw(rt, "more"))
		var ih mail.InlineHeader
		ih.Set("Content-Type", "text/plain; charset=utf-8")
		iw, err := w.CreateSingleInline(ih)
		if err != nil {
			rt.Fatal(err)
		}
		io.WriteString(iw, text)
		iw.Close()
		file := "f" + trim(word.Draw(rt, "file")) + ".bin"
		var ah mail.AttachmentHeader
		ah.SetFilename(file)
		ah.Set("Content-Type", "application/octet-stream")
		ah.Set("Content-Transfer-Encoding", "base64")
		aw, err := w.CreateAttachment(ah)
		if err != nil {
			rt.Fatal(err)
		}
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "data")
		aw.Write(data)
		aw.Close()
		w.Close()

		m := Parse(b.Bytes(), false)
		fail := func(what string, got, want any) {
			rt.Fatalf("%s: got %q, want %q, of\n%s", what, got, want, b.String())
		}
		if m.Subject != subject {
			fail("subject", m.Subject, subject)
		}
		if len(m.To) != len(want) {
			fail("To", m.To, want)
		}
		for i := range want {
			// Names lose quotes around them, which is how they are meant.
			if m.To[i].Address != want[i].Address || strings.Trim(m.To[i].Name, `'" `) != strings.Trim(want[i].Name, `'" `) {
				fail("To", m.To[i], want[i])
			}
		}
		if !m.Date.Equal(date) {
			fail("date", m.Date, date)
		}
		if m.MessageID != "x@example.org" {
			fail("message-id", m.MessageID, "x@example.org")
		}
		if len(m.Attachments) != 1 || m.Attachments[0].Name != file || m.Attachments[0].Size != int64(len(data)) {
			fail("attachments", m.Attachments, file)
		}
		var plain []string
		for l := range strings.SplitSeq(text, "\n") {
			plain = append(plain, clean(l).String())
		}
		squash := func(s string) string {
			return strings.Trim(strings.NewReplacer(" ", "", ">", "", "\n", "").Replace(s), "")
		}
		if got, want := squash(m.Text()), squash(strings.Join(plain, "\n")); got != want {
			fail("text", got, want)
		}
	})
}
