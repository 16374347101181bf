package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline writes a structure with the numbers that its parts have.
func outline(s *Structure) string {
	var b strings.Builder
	var walk func(s *Structure, number string, root bool)
	walk = func(s *Structure, number string, root bool) {
		child := func(i int) string {
			if number == "" {
				return fmt.Sprint(i + 1)
			}
			return fmt.Sprintf("%s.%d", number, i+1)
		}
		if s.Type != "multipart" && root {
			number = child(0)
		}
		fmt.Fprintf(&b, "%s=%s/%s", number, s.Type, s.Subtype)
		if s.Octets >= 0 {
			fmt.Fprintf(&b, " %d", s.Octets)
		}
		if s.Encoding != "" {
			b.WriteString(" " + s.Encoding)
		}
		for _, p := range s.Params {
			fmt.Fprintf(&b, " %s=%s", p.Name, p.Value)
		}
		if s.Disposition != "" {
			b.WriteString(" " + s.Disposition)
		}
		for _, p := range s.DispositionParams {
			fmt.Fprintf(&b, " %s=%s", p.Name, p.Value)
		}
		b.WriteString("; ")
		for i := range s.Parts {
			walk(&s.Parts[i], child(i), false)
		}
		if s.Inside != nil {
			walk(s.Inside, number, true)
		}
	}
	walk(s, "", true)
	return strings.TrimSuffix(b.String(), "; ")
}

const envelope = `("Mon, 1 Jan 2024 00:00:00 +0000" "s" NIL NIL NIL NIL NIL NIL NIL "<a@b>")`

var structures = []struct{ name, in, want string }{
	{"text", `("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1)`, "1=text/plain 12 7bit charset=utf-8"},
	{"attachment", `(("TEXT" "PLAIN" NIL NIL NIL "7bit" 3 1 NIL NIL NIL NIL)("APPLICATION" "PDF" ("NAME" "a b.pdf") "<id>" "desc" "BASE64" 1368 NIL ("attachment" ("FILENAME" "a b.pdf" "SIZE" "1000")) NIL NIL) "MIXED" ("BOUNDARY" "x") NIL NIL NIL)`,
		"=multipart/mixed boundary=x; 1=text/plain 3 7bit; 2=application/pdf 1368 base64 name=a b.pdf attachment filename=a b.pdf size=1000"},
	{"a message inside", `(("text" "plain" NIL NIL NIL "7bit" 3 1)("message" "rfc822" NIL NIL NIL "7bit" 400 ` + envelope + ` (("text" "html" NIL NIL NIL "7bit" 5 1)("image" "png" NIL NIL NIL "base64" 8) "mixed") 12 NIL ("inline" NIL)) "mixed")`,
		"=multipart/mixed; 1=text/plain 3 7bit; 2=message/rfc822 400 7bit inline; 2=multipart/mixed; 2.1=text/html 5 7bit; 2.2=image/png 8 base64"},
	{"a message inside that is text", `("message" "rfc822" NIL NIL NIL "7bit" 400 ` + envelope + ` ("text" "plain" NIL NIL NIL "7bit" 5 1) 12)`,
		"1=message/rfc822 400 7bit; 1.1=text/plain 5 7bit"},
	{"a message without its envelope", `("message" "rfc822" NIL NIL NIL "7bit" 400 NIL ("attachment" ("filename" "m.eml")) NIL NIL)`,
		"1=message/rfc822 400 7bit attachment filename=m.eml"},
	{"a message without anything", `(("message" "global" NIL NIL NIL "8bit" 400)("text" "plain" NIL NIL NIL "7bit" 5 1) "digest")`,
		"=multipart/digest; 1=message/global 400 8bit; 2=text/plain 5 7bit"},
	{"multipart without parts", `(("MIXED" ("BOUNDARY" "x") NIL NIL)("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1) "MIXED")`,
		"=multipart/mixed; 1=multipart/mixed boundary=x; 2=text/plain 5 7bit"},
	{"multipart of NIL", `((NIL "mixed")("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1) "MIXED")`, "=multipart/mixed; 1=multipart/mixed; 2=text/plain 5 7bit"},
	{"alone without parts", `("MIXED")`, "=multipart/mixed"},
	{"text without subtype", `("TEXT" NIL NIL NIL NIL "7BIT" 5 1)`, "1=text/ 5 7bit"},
	{"sizes of nothing", `("TEXT" "PLAIN" NIL NIL NIL "7BIT" NIL NIL)`, "1=text/plain 7bit"},
	{"lines below nothing", `("TEXT" "PLAIN" NIL NIL NIL "7BIT" -1 -1 NIL NIL)`, "1=text/plain 7bit"},
	{"parameter without value", `("APPLICATION" "X" ("NAME" NIL) NIL NIL NIL 5 NIL ("attachment" ("filename"))) `, "1=application/x 5 name= attachment filename="},
	{"disposition without parameters", `("APPLICATION" "X" NIL NIL NIL "base64" 5 NIL ("attachment"))`, "1=application/x 5 base64 attachment"},
	{"disposition as a string", `("APPLICATION" "X" NIL NIL NIL "base64" 5 NIL "attachment" NIL)`, "1=application/x 5 base64 attachment"},
	{"a name as a literal", "(\"APPLICATION\" \"X\" (\"NAME\" {5}\r\na\"b) ) NIL NIL \"base64\" 5)", `1=application/x 5 base64 name=a"b) `},
	{"a quoted quote", `("APPLICATION" "X" ("NAME" "a\"b\\c") NIL NIL "base64" 5)`, `1=application/x 5 base64 name=a"b\c`},
	{"octets", "(\"APPLICATION\" \"X\" (\"NAME\" \"\xff\xfe\") NIL NIL \"base64\" 5)", "1=application/x 5 base64 name=\xff\xfe"},
	{"atoms", `(text plain NIL NIL NIL 7bit 5 1)`, "1=text/plain 5 7bit"},
	{"more spaces", `( ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1 )  ("TEXT"  "HTML" NIL NIL NIL "7BIT" 5 1) "MIXED" )`, "=multipart/mixed; 1=text/plain 5 7bit; 2=text/html 5 7bit"},
	{"language and location", `("TEXT" "PLAIN" NIL NIL NIL "7BIT" 5 1 "md5" ("inline" NIL) ("en" "de") "loc" ("x" ("y")) 7)`, "1=text/plain 5 7bit inline"},

	{"nothing", `NIL`, ""},
	{"quotes that are not quoted", `("TEXT" "PLAIN" ("NAME" """") NIL NIL "7BIT" 1 1)`, ""},
	{"a quote in a name", `("TEXT" "PLAIN" ("NAME" "a "b" c") NIL NIL "7BIT" 1 1)`, ""},
	{"cut off", `(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)`, ""},
	{"a name that does not end", `("TEXT" "PLAIN" ("NAME" "a) NIL NIL "7BIT" 1 1)`, ""},
	{"deep", strings.Repeat("(", 5000), ""},
	{"deep and closed", strings.Repeat("(", 200) + `"TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1` + strings.Repeat(`) "MIXED"`, 199) + ")", ""},
}

func TestStructure(t *testing.T) {
	for _, test := range structures {
		t.Run(test.name, func(t *testing.T) {
			for _, line := range []string{
				"* 3 FETCH (UID 9 BODYSTRUCTURE " + test.in + ")",
				"* 3 FETCH (FLAGS (\\Seen) BODYSTRUCTURE " + test.in + " UID 9 RFC822.SIZE 70)",
			} {
				reply := RawReply{Untagged: []string{"* 7 EXISTS", "* 3 FETCH (FLAGS (\\Seen))", "* 4 FETCH (UID 8 BODYSTRUCTURE (\"X\"))", line}}
				d, found, err := ReadStructure(reply, 9)
				s := d.Root
				if !found {
					t.Fatal("the message was not found")
				}
				if test.want == "" {
					if !errors.Is(err, ErrStructure) || s != nil {
						t.Errorf("read as %+v, %v", s, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := outline(s); got != test.want {
					t.Errorf("read as\n%s, want\n%s", got, test.want)
				}
			}
		})
	}
	if d, found, err := ReadStructure(RawReply{Untagged: []string{"* 3 FETCH (UID 9 FLAGS ())"}}, 9); d.Root != nil || found || err != nil {
		t.Errorf("a change of flags was taken for the answer: %v %v %v", d, found, err)
	}
}

// TestStructureOfManyParts: time and stack stay in proportion.
func TestStructureOfManyParts(t *testing.T) {
	in := "(" + strings.Repeat(`("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)`, maxStructureParts-1) + ` "MIXED")`
	d, _, err := ReadStructure(RawReply{Untagged: []string{"* 1 FETCH (UID 1 BODYSTRUCTURE " + in + ")"}}, 1)
	if err != nil || len(d.Root.Parts) != maxStructureParts-1 {
		t.Errorf("%v", err)
	}
	in = "(" + strings.Repeat(`("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)`, maxStructureParts) + ` "MIXED")`
	if _, _, err = ReadStructure(RawReply{Untagged: []string{"* 1 FETCH (UID 1 BODYSTRUCTURE " + in + ")"}}, 1); !errors.Is(err, ErrStructure) {
		t.Errorf("more parts than that: %v", err)
	}
}

func FuzzStructure(f *testing.F) {
	for _, test := range structures {
		f.Add("* 3 FETCH (UID 9 BODYSTRUCTURE " + test.in + ")")
	}
	f.Add("* 3 FETCH (BODYSTRUCTURE (\"a\" {99}\r\nb) UID 9)")
	f.Fuzz(func(t *testing.T, line string) {
		reply := RawReply{Untagged: []string{line}}
		d, found, err := ReadStructure(reply, 9)
		s := d.Root
		switch {
		case err != nil && (s != nil || !errors.Is(err, ErrStructure)):
			t.Errorf("%v with %+v", err, s)
		case s != nil && (!found || err != nil):
			t.Errorf("%+v, but found is %v, error %v", s, found, err)
		case s != nil:
			again, _, err := ReadStructure(reply, 9)
			if err != nil || cmp.Diff(d, again) != "" {
				t.Errorf("read another time it is %+v, %v", again, err)
			}
			outline(s)
		}
	})
}
