package message

import (
	"strings"

	"tidings/internal/safetext"
)

// calendar shows the first event of a text/calendar part (RFC 5545) in a few
// lines.
func (w *walker) calendar(p part) {
	s := w.take(p)
	var summary, where, start, end, organizer string
	method := strings.ToUpper(p.ct.param("method"))
	inEvent, depth := false, 0
	for s != "" {
		var line string
		line, s = nextLine(s)
		for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') && len(line) < 8192 {
			var more string
			more, s = nextLine(s[1:])
			line += more
		}
		name, params, value := icalLine(line)
		switch {
		case name == "BEGIN" && strings.EqualFold(value, "VEVENT"):
			inEvent = true
		case name == "BEGIN" && inEvent:
			depth++
		case name == "END" && inEvent && depth > 0:
			depth--
		case name == "END" && inEvent:
			s = ""
		case name == "METHOD" && method == "":
			method = strings.ToUpper(value)
		case !inEvent || depth > 0:
		case name == "SUMMARY":
			summary = icalText(value)
		case name == "LOCATION":
			where = icalText(value)
		case name == "DTSTART":
			start = icalTime(value, params)
		case name == "DTEND":
			end = icalTime(value, params)
		case name == "ORGANIZER":
			organizer = icalParam(params, "CN")
			if organizer == "" {
				organizer = strings.TrimPrefix(strings.ToLower(value), "mailto:")
			}
		}
	}
	if summary == "" && start == "" {
		return
	}
	title := safetext.Const("Event")
	switch method {
	case "REQUEST":
		title = safetext.Const("Invitation")
	case "CANCEL":
		title = safetext.Const("Cancelled")
	case "REPLY":
		title = safetext.Const("Reply to the invitation")
	}
	w.blank()
	// Some programs put the word into the summary as well.
	if rest, ok := strings.CutPrefix(summary, title.String()+": "); ok {
		summary = rest
	}
	w.add(Line{Text: safetext.Format("%s: %s", title, clean(summary))})
	if start != "" {
		if end != "" && end != start {
			// The same day or zone is not said twice.
			if len(end) > 11 && len(start) > 11 && end[:11] == start[:11] {
				end = end[11:]
			}
			if i := strings.Index(start, " ("); i > 0 && strings.HasSuffix(end, start[i:]) {
				start = start[:i]
			}
			start += " – " + end
		}
		w.add(Line{Text: safetext.Format("When: %s", clean(start))})
	}
	if where != "" {
		w.add(Line{Text: safetext.Format("Where: %s", clean(where))})
	}
	if organizer != "" {
		w.add(Line{Text: safetext.Format("Organizer: %s", clean(organizer))})
	}
}

// icalLine cuts "NAME;PARAM=x:value".
func icalLine(line string) (name, params, value string) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ':':
			if !quoted {
				name, params, _ = strings.Cut(line[:i], ";")
				return strings.ToUpper(name), params, line[i+1:]
			}
		}
	}
	return "", "", ""
}

func icalParam(params, name string) string {
	c := parseContentType("x;" + params)
	return c.param(strings.ToLower(name))
}

var icalUnescape = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`)

func icalText(s string) string { return strings.TrimSpace(icalUnescape.Replace(s)) }

// icalTime makes 20261120T140000Z readable: 2026-11-20 14:00 (UTC).
func icalTime(v, params string) string {
	if len(v) < 8 || strings.Trim(v[:8], "0123456789") != "" {
		return ""
	}
	s := v[:4] + "-" + v[4:6] + "-" + v[6:8]
	if len(v) >= 13 && v[8] == 'T' && strings.Trim(v[9:13], "0123456789") == "" {
		s += " " + v[9:11] + ":" + v[11:13]
		zone := icalParam(params, "TZID")
		if strings.HasSuffix(v, "Z") {
			zone = "UTC"
		}
		if zone != "" {
			s += " (" + zone + ")"
		}
	}
	return s
}
