package message

import (
	"strings"
	"testing"
)

func TestDecodeText(t *testing.T) {
	tests := []struct{ name, in, charset, want string }{
		{"plain", "Hello", "", "Hello"},
		{"Q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe_=E2=82=AC?=", "", "Grüße €"},
		{"B", "=?UTF-8?B?R3LDvMOfZQ==?=", "", "Grüße"},
		{"lower-case encoding", "=?utf-8?b?R3LDvMOfZQ==?=", "", "Grüße"},
		{"without padding", "=?utf-8?B?R3LDvMOfZQ?=", "", "Grüße"},
		{"in the middle", "Re: =?utf-8?Q?=C3=84?= b", "", "Re: Ä b"},
		{"adjacent", "=?utf-8?Q?a?= =?utf-8?Q?b?=", "", "ab"},
		{"adjacent over a fold", "=?utf-8?Q?a?=\r\n  =?utf-8?Q?b?=", "", "ab"},
		{"adjacent without space", "=?utf-8?Q?a?==?utf-8?Q?b?=", "", "ab"},
		{"not adjacent", "=?utf-8?Q?a?= x =?utf-8?Q?b?=", "", "a x b"},
		{"split inside a character", "=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "", "ü"},
		{"split, B and Q", "=?utf-8?B?ww==?= =?utf-8?Q?=BC?=", "", "ü"},
		{"two charsets", "=?utf-8?Q?=C3=BC?= =?iso-8859-1?Q?=FC?=", "", "üü"},
		{"language", "=?utf-8*de?Q?=C3=BC?=", "", "ü"},
		{"spaces in Q", "=?utf-8?Q?a b =C3=BC?=", "", "a b ü"},
		{"question marks in Q", "=?utf-8?Q?what??=", "", "what?"},
		{"Q that begins with an octet", "=?utf-8?Q?=C3=BC?=", "", "ü"},
		{"cut off", "=?utf-8?Q?Gr=C3=BC=C3=9F", "", "Grüß"},
		{"cut off before the end", "=?utf-8?Q?Gr=C3=BC?", "", "Grü"},
		{"not cut off but none", "=?utf-8?Q?a b", "", "=?utf-8?Q?a b"},
		{"unknown encoding", "=?utf-8?X?abc?=", "", "=?utf-8?X?abc?="},
		{"unknown charset, UTF-8 inside", "=?x-none?Q?=C3=BC?=", "", "ü"},
		{"unknown charset, latin inside", "=?x-none?Q?=FC?=", "", "ü"},
		{"wrong charset declared", "=?us-ascii?Q?=C3=BC?=", "", "ü"},
		{"not a word", "a =? b ?= c", "", "a =? b ?= c"},
		{"raw UTF-8", "Grüße", "", "Grüße"},
		{"raw UTF-8 and a word", "Grü =?utf-8?Q?=C3=9Fe?=", "", "Grü ße"},
		{"raw windows-1252", "Gr\xfc\xdfe \x96", "", "Grüße –"},
		{"raw koi8-r, declared by the body", "\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "Привет"},
		{"raw iso-2022-jp", "\x1b$BF|K\\8l\x1b(B", "", "日本語"},
		{"shift_jis split in two", "=?shift_jis?B?k/o=?= =?shift_jis?B?lns=?=", "", "日本"},
		{"HTML entity is no business of ours", "&auml;", "", "&auml;"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decodeText(tt.in, tt.charset); got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// Names that senders use, and a text in each that tells them apart.
func TestCharsets(t *testing.T) {
	tests := []struct{ names, in, want string }{
		{"iso-8859-1 ISO8859-1 latin1 latin-1 cp1252 windows-1252 win-1252 cp-1252 x-cp1252 ansi iso8859_1", "\xfc", "ü"},
		{"iso-8859-15 latin9 iso8859-15", "\xa4", "€"},
		{"iso-8859-2 latin2", "\xb1", "ą"},
		{"windows-1250 cp1250 win1250", "\xb9", "ą"},
		{"windows-1251 win-1251 cp1251 x-cp1251", "\xcf", "П"},
		{"koi8-r koi8 KOI8-R", "\xf0", "П"},
		{"koi8-u", "\xa4", "є"},
		{"iso-8859-5", "\xbf", "П"},
		{"ibm866 cp866", "\x8f", "П"},
		{"cp437 ibm437", "\x81", "ü"},
		{"cp850 ibm850", "\x81", "ü"},
		{"windows-1253", "\xc1", "Α"},
		{"windows-1254 iso-8859-9", "\xfe", "ş"},
		{"windows-1255 iso-8859-8-i iso-8859-8", "\xf9", "ש"},
		{"windows-1256", "\xc8", "ب"},
		{"tis-620 windows-874 iso-8859-11", "\xa1", "ก"},
		{"shift_jis sjis cp932 ms932 windows-31j x-sjis shift-jis", "\x93\xfa", "日"},
		{"euc-jp eucjp-ms", "\xc6\xfc", "日"},
		{"iso-2022-jp iso-2022-jp-2 cp50220", "\x1b$BF|\x1b(B", "日"},
		{"gb2312 gbk gb18030 cp936 euc-cn", "\xc8\xd5", "日"},
		{"hz-gb-2312", "~{HU~}", "日"},
		{"big5 cp950 big5-hkscs", "\xa4\xe9", "日"},
		{"euc-kr ks_c_5601-1987 cp949 uhc", "\xb1\xe8", "김"},
		{"iso-2022-kr", "\x1b$)C\x0e1h\x0f", "김"},
		{"utf-8 utf8 UTF-8", "ü", "ü"},
		{"utf-7 unicode-1-1-utf-7", "+APw-", "ü"},
		{"utf-16 utf-16be", "\x00\xfc", "ü"},
		{"utf-16le", "\xfc\x00", "ü"},
		{"utf-32be ucs-4", "\x00\x00\x00\xfc", "ü"},
		{"macintosh x-mac-roman mac", "\x9f", "ü"},
	}
	for _, tt := range tests {
		for _, name := range strings.Fields(tt.names) {
			if got, ok := toUTF8([]byte(tt.in), name); !ok || got != tt.want {
				t.Errorf("%s: %q is %q (known: %v), want %q", name, tt.in, got, ok, tt.want)
			}
		}
	}
	for _, name := range strings.Fields("unknown-8bit x-unknown default binary nonsense x- x-x-x") {
		if _, ok := toUTF8([]byte("x"), name); ok {
			t.Errorf("%s is known", name)
		}
	}
}

func TestDecodeCharsetChain(t *testing.T) {
	tests := []struct{ name, in, declared, want string }{
		{"declared wins", "\xcf", "windows-1251", "П"},
		{"valid UTF-8 under a false ASCII", "ü", "us-ascii", "ü"},
		{"nothing declared, latin", "\xfc", "", "ü"},
		{"UTF-8 declared, latin sent", "Gr\xfc\xdfe", "utf-8", "Grüße"},
		{"UTF-8 with one damaged place", "Grüße und Küsse \xff aus Köln", "utf-8", "Grüße und Küsse \ufffd aus Köln"},
		{"quotes around the name", "\xcf", `"windows-1251"`, "П"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := decodeCharset([]byte(tt.in), tt.declared); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
