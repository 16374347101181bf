package message

import "testing"

func TestHTML(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"white space", "  a \n\t b<b> c</b>d ", "a b cd"},
		{"paragraphs", "<p>a</p><p>b</p>c", "a\n\nb\n\nc"},
		{"divs", "<div>a</div><div>b</div>", "a\nb"},
		{"empty blocks add nothing", "<div><div><p></p></div></div>a<div></div>", "a"},
		{"breaks", "a<br>b<br/><br>c", "a\nb\n\nc"},
		{"no-break spaces collapse", "a&nbsp;&nbsp; b", "a b"},
		{"entities", "&lt;b&gt; &amp; &#8364; &euro;", "<b> & € €"},
		{"script and style", "<style>p{}</style>a<script>if(1<2){}</script>b", "ab"},
		{"comments", "a<!-- x --><!--[if mso]>y<![endif]--><![if !mso]>b<![endif]>", "ab"},
		{"hidden", `a<div style="DISPLAY: none !important">x<div>y</div>z</div>b`, "ab"},
		{"hidden span in a line", `a<span style="display:none">x</span>b`, "ab"},
		{"hidden by height", `<div style="max-height:0px;overflow:hidden">x</div>b`, "b"},
		{"hidden cell ends with its row", `<table><tr><td style="display:none">x<tr><td>b</table>`, "b"},
		{"hidden paragraph without end", `<p hidden>x<div>b</div>`, "b"},
		{"font size zero is layout", `<td style="font-size:0">a</td>`, "a"},
		{"all hidden is a broken document", `<div style="display:none"><p>text`, "text"},
		{"visible again", `<span style="display:inline">a</span>`, "a"},
		{"hidden cell with a table inside", `<table><tr><td hidden><table><tr><td>x</td></tr></table>y</td><td>b</td></table>`, "b"},
		{"hidden item with a list inside", `<ul><li hidden>x<ul><li>y</li></ul>z</li><li>b</ul>`, "• b"},
		{"hidden element nobody knows", `<x-a hidden>x<x-b>y</x-b>z</x-a>b`, "b"},
		{"unclosed select", `a<select><option>b<p>c`, "a"},
		{"line breaks kept by style", "<div style='white-space: pre-wrap'>a\n  b<div>c</div>\nd</div>e\nf", "a\n  b\nc\n\nd\ne f"},
		{"list", "<ul><li>a<li>b</ul>c", "• a\n• b\n\nc"},
		{"list continued", "<ul><li>a<br>b</li></ul>", "• a\n  b"},
		{"list in list", "<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n  • b\n2. c"},
		{"list items alone", "<li>a<li>b", "• a\n• b"},
		{"quote", "a<blockquote>b<br>c</blockquote>d", "a\n\n> b\n> c\n\nd"},
		{"quote unopened", "a</blockquote>b", "a\n\nb"},
		{"pre", "<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd"},
		{"image", `<img src=x alt="Logo"><img src=y><img width=1 height=1 alt=t>`, "[Logo]"},
		{"link", `<a href="https://a.example/x">go</a>`, "go [1]"},
		{"link space", `see <a href="https://a.example/x"> this </a> now`, "see this [1] now"},
		{"same link twice", `<a href="https://a.example">x</a> <a href="https://a.example">y</a>`, "x [1] y [1]"},
		{"link of an image", `<a href="https://a.example"><img src=x></a>`, "[image] [1]"},
		{"link without text", `a<a href="https://a.example"></a>b`, "ab"},
		{"anchor", `<a name=x>a</a><a href="#x">b</a>`, "ab"},
		{"script link", `<a href="java&#9;script:alert(1)">a</a>`, "a"},
		{"link over blocks", `<a href="https://a.example"><div>a</div><div>b</div></a>`, "a\nb [1]"},
		{"link unclosed", `<a href="https://a.example">a<a href="https://b.example">b`, "a [1]b [2]"},
		{"data table", "<table><tr><th>A<th>B<tr><td>long<td>1</table>x", "A     B\nlong  1\n\nx"},
		{"table with spans", "<table><tr><td>a<td>b<tr><td colspan=2>c</table>", "a  b\nc"},
		{"one row", "<table><tr><td>a<td>b</table>", "a | b"},
		{"one column", "<table><tr><td>a<tr><td>b</table>", "a\nb"},
		{"layout", "<table><tr><td><table><tr><td>a<tr><td>b</table><td>c</table>", "a\nb\nc"},
		{"cell of lines", "<table><tr><td>a<br>b<td>c<tr><td>d<td>e</table>", "a\nb\nc\nd | e"},
		{"cell of paragraphs", "<table><tr><td><p>a</p><td><p>b</p><tr><td><p>c</p><td><p>d</p></table>", "a  b\nc  d"},
		{"quote in a table", "<table><tr><td><blockquote>a</blockquote></table>", "> a"},
		{"rule", "a<hr>b", "a\n----------\nb"},
		{"headings", "a<h2>b</h2>c", "a\n\nb\n\nc"},
		{"struck", "<s>10</s> <del>9</del> 8", "~10~ ~9~ 8"},
		{"quotation", "he said <q>no</q>.", "he said “no”."},
		{"svg", "a<svg><text>x</text></svg>b<svg/>c", "abc"},
		{"title", "<title>x</title>a", "a"},
		{"tag without end", "a <b", "a"},
		{"end tags only", "</p></div></table></td></ul></a>a", "a"},
		{"controls", "a&#27;[31mb&#x202e;c&#0;", "abc\ufffd"},
		{"preheader filler", "<div>&#847;&zwnj;&nbsp;&#8199;&#65279;&#847;</div>a", "a"},
		{"outlook paragraphs", "<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb"},
		{"gmail lines", "<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
		{"many breaks", "a<br><br><br><br><br>b", "a\n\n\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte("Content-Type: text/html; charset=utf-8\r\n\r\n"+tt.in), false)
			if got := m.Text(); got != tt.want {
				t.Errorf("%s\ngot  %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestMetaCharset(t *testing.T) {
	for in, want := range map[string]string{
		"<meta charset=\"koi8-r\"><p>\xf0\xd2":                                             "Пр",
		"<META http-equiv=Content-Type content='text/html; charset=windows-1251'>\xcf\xf0": "Пр",
		"<p>\xfc</p>": "ü",
		"<p>ü</p>":    "ü",
	} {
		m := Parse([]byte("Content-Type: text/html\r\n\r\n"+in), false)
		if m.Text() != want {
			t.Errorf("%q: got %q, want %q", in, m.Text(), want)
		}
	}
}

func TestLinkHosts(t *testing.T) {
	for url, want := range map[string]string{
		"https://example.org/x":                "example.org",
		"HTTP://EXAMPLE.org:8080":              "example.org",
		"https://www.bank.example@evil.org/":   "evil.org",
		"https://a:b@c@evil.org\\@bank.com/":   "evil.org",
		"https:evil.org":                       "evil.org",
		"https:///evil.org/":                   "evil.org",
		"https://evil.org#@bank.com":           "evil.org",
		"https://evil.org?@bank.com":           "evil.org",
		"https://p\u0430ypal.com/":             "xn--pypal-4ve.com",
		"https://b\u00fccher.example/":         "xn--bcher-kva.example",
		"https://[2001:db8::1]:443/":           "[2001:db8::1]",
		"https://example.org./":                "example.org",
		"https://%65xample.org/":               "example.org",
		"mailto:alice@example.org?subject=a@b": "example.org",
		"javascript:alert(1)":                  "",
		"no url":                               "",
		"https://":                             "",
	} {
		if got := hostOf(url); got != want {
			t.Errorf("hostOf(%q) = %q, want %q", url, got, want)
		}
	}
}

func TestClaimedHosts(t *testing.T) {
	for text, want := range map[string]string{
		"www.bank.com":             "www.bank.com",
		"https://bank.com/login":   "bank.com",
		"bank.co.uk/login":         "bank.co.uk",
		"Go to https://bank.com/.": "bank.com",
		"click here":               "",
		"report.pdf":               "",
		"v1.2.3":                   "",
		"10.0.0.1":                 "",
		"alice@example.org":        "",
		"e.g.":                     "",
		"":                         "",
	} {
		if got := claimedHost(text); got != want {
			t.Errorf("claimedHost(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestURLsInText(t *testing.T) {
	for in, want := range map[string]string{
		"see https://a.example/x.":            "https://a.example/x",
		"(https://a.example/x)":               "https://a.example/x",
		"https://a.example/x_(y)":             "https://a.example/x_(y)",
		"<https://a.example/x>":               "https://a.example/x",
		"xhttps://a.example":                  "",
		"https://a.example/ü?":                "https://a.example/ü",
		"file://x http://b.example, and more": "http://b.example",
		"见 https://a.example/x。再见":            "https://a.example/x",
		"«https://a.example/x»":               "https://a.example/x",
		"http://":                             "",
	} {
		got := ""
		if i, j := urlIn(in); i >= 0 {
			got = in[i:j]
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
