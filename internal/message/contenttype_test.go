package message

import "testing"

func TestParseContentType(t *testing.T) {
	tests := []struct{ in, mediaType, param, want string }{
		{`text/plain; charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`TEXT/Plain; CHARSET="UTF-8"`, "text/plain", "charset", "UTF-8"},
		{`text/plain;charset = utf-8 ; format=flowed`, "text/plain", "charset", "utf-8"},
		{`text/plain; charset=utf-8 (comment)`, "text/plain", "charset", "utf-8"},
		{`text/plain (comment); charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`text/plain charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`text/plain; charset=a; charset=b`, "text/plain", "charset", "a"},
		{`text/plain; charset='utf-8'`, "text/plain", "charset", "utf-8"},
		{`multipart/mixed; boundary="a;b=c"; x=y`, "multipart/mixed", "boundary", "a;b=c"},
		{`multipart/mixed; boundary=a:b/c`, "multipart/mixed", "boundary", "a:b/c"},
		{`multipart/mixed; boundary="unclosed`, "multipart/mixed", "boundary", "unclosed"},
		{`multipart/mixed; boundary="a b" junk; x=y`, "multipart/mixed", "x", "y"},
		{`a/b; name="a\"b"`, "a/b", "name", `a"b`},
		{`a/b; name="C:\dir\file"`, "a/b", "name", `C:\dir\file`},
		{`;;;`, "", "charset", ""},
		{``, "", "charset", ""},
	}
	for _, tt := range tests {
		c := parseContentType(tt.in)
		if c.mediaType != tt.mediaType || c.param(tt.param) != tt.want {
			t.Errorf("%q: %q, %s=%q; want %q, %q", tt.in, c.mediaType, tt.param, c.param(tt.param), tt.mediaType, tt.want)
		}
	}
}

func TestExtendedParameters(t *testing.T) {
	tests := []struct{ in, want string }{
		{`a/b; name*=utf-8''na%C3%AFve`, "naïve"},
		{`a/b; name*0="long "; name*1="name.txt"`, "long name.txt"},
		{`a/b; name*1="name.txt"; name*0="long "`, "long name.txt"},
		{`a/b; name*0*=utf-8''%C3; name*1*=%BC; name*2=".txt"`, "ü.txt"},
		{`a/b; name="=?utf-8?Q?=C3=BC?=.txt"`, "ü.txt"},
		{`a/b; name*0="=?utf-8?Q?=C3"; name*1="=BC?="`, "ü"},
		{`a/b; name="plain"; name*=utf-8''better`, "better"},
		{`a/b; name*=broken%C3%BC`, "brokenü"},
		{`a/b; name*0*=`, ""},
	}
	for _, tt := range tests {
		c := parseContentType(tt.in)
		if got := c.text("name", ""); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}
