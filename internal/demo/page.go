package demo

import (
	"html"
	"regexp"
	"strings"
)

var link = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,)]`)

// page makes an HTML letter of a text: paragraphs, lists, links, and the styles
// and tracking pixel that such letters carry. The pixel's host does not exist.
func page(title, text string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + html.EscapeString(title) + "</title>\n" +
		"<style>body{font-family:sans-serif;color:#222} .box{max-width:40em;margin:auto}</style></head>\n" +
		"<body><table width=\"100%\" role=\"presentation\"><tr><td class=\"box\">\n" +
		"<h1>" + html.EscapeString(title) + "</h1>\n")
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.HasPrefix(paragraph, "- ") {
			b.WriteString("<ul>\n")
			for item := range strings.SplitSeq(paragraph, "\n") {
				b.WriteString("<li>" + linked(strings.TrimPrefix(item, "- ")) + "</li>\n")
			}
			b.WriteString("</ul>\n")
			continue
		}
		b.WriteString("<p>" + strings.ReplaceAll(linked(paragraph), "\n", "<br>\n") + "</p>\n")
	}
	b.WriteString("</td></tr></table>\n" +
		"<img src=\"https://pixel.example.com/open.gif\" width=\"1\" height=\"1\" alt=\"\">\n</body></html>\n")
	return b.String()
}

// anchor is a link with a text of its own: [text](address).
var anchor = regexp.MustCompile(`\[([^\]]+)\]\((https?://[^)\s]+)\)`)

// linked escapes a text and makes anchors of its addresses.
func linked(text string) string {
	var b strings.Builder
	for {
		at, shown, address := link.FindStringIndex(text), "", ""
		if at != nil {
			address = text[at[0]:at[1]]
			shown = address
		}
		if named := anchor.FindStringSubmatchIndex(text); named != nil && named[0] <= at[0] {
			at = named[:2]
			shown, address = text[named[2]:named[3]], text[named[4]:named[5]]
		}
		if at == nil {
			b.WriteString(html.EscapeString(text))
			return b.String()
		}
		b.WriteString(html.EscapeString(text[:at[0]]) + `<a href="` + html.EscapeString(address) + `">` + html.EscapeString(shown) + `</a>`)
		text = text[at[1]:]
	}
}
