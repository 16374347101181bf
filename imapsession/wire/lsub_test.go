package wire

import (
	"slices"
	"testing"
)

func TestReadSubscribed(t *testing.T) {
	got := ReadSubscribed(RawReply{Untagged: []string{
		`* LSUB () "/" INBOX`,
		`* lsub (\HasNoChildren) "/" "Tom &- Jerry"`,
		`* LSUB () NIL &U,BTFw-`,
		"* LSUB () \"/\" {5}\r\nA \"b\\",
		`* LSUB (\Noselect) "/" Lists`,
		`* LSUB () "." two words`,
		`* LSUB () "/" "Caf&"`,
		`* LIST () "/" other`,
		`* LSUB () "/"`,
		`* LSUB`,
		``,
	}})
	want := []string{"INBOX", "Tom & Jerry", "台北", `A "b\`, "two words", alias([]byte("Caf&"))}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzReadSubscribed(f *testing.F) {
	f.Add(`* LSUB (\HasNoChildren) "/" "Tom &- Jerry"`)
	f.Add("* LSUB () NIL {3}\r\nabc")
	f.Fuzz(func(t *testing.T, line string) {
		if name, ok := subscribed(line); ok && name == "" {
			t.Error("a mailbox without a name")
		}
	})
}
