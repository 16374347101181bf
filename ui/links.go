package ui

import (
	"context"

	"tidings/internal/message"
	"tidings/internal/safetext"
)

// links offers the links of a message: where each really goes, first.
func (m *Model) links(a *account, copies bool) {
	m.withShown(a, func(m *Model, a *account, r *reader) {
		found := r.msg.Links
		if len(found) == 0 {
			m.say(a, own(sDim, "there is no link in this message"))
			return
		}
		q := &menu{label: "Links", a: a}
		for _, x := range found {
			q.items = append(q.items, choice{host: safetext.Clean(x.Host), row: linkRow(x), more: safetext.Clean(x.URL)})
		}
		open := verb{"o", "open", func(m *Model, i int) { m.openLink(a, found[i]) }}
		copy := verb{"y", "copy", func(m *Model, i int) { m.copyText(a, "the link", found[i].URL) }}
		if q.verbs = []verb{open, copy}; copies {
			q.verbs = []verb{copy, open}
		}
		m.menu = q
	})
}

// linkRow is what stands behind a link's host: what it pretends to be, or where it
// leads there.
func linkRow(x message.Link) []span {
	row := []span{}
	if reads := x.Reads(); !reads.IsEmpty() {
		row = append(row, own(sWarn, "  looks like "), said(sWarn, reads))
	}
	if x.Mismatch {
		row = append(row, own(sWarn, "  says "), said(sWarn, x.Text))
	}
	if len(row) == 0 {
		row = []span{own(sDim, "  "), said(sDim, safetext.Clean(x.URL))}
	}
	return row
}

// openLink hands a link to the program for links; of one that is not what it looks
// like, it asks first.
func (m *Model) openLink(a *account, x message.Link) {
	if !x.Mismatch && x.Reads().IsEmpty() {
		m.followLink(a, x)
		return
	}
	q := &menu{label: "Really goes to", host: safetext.Clean(x.Host), a: a}
	q.items = []choice{
		{key: "n", word: "leave it", do: func(*Model) {}},
		{key: "y", word: "copy it", do: func(m *Model) { m.copyText(a, "the link", x.URL) }},
		{key: "o", word: "open it all the same", do: func(m *Model) { m.followLink(a, x) }},
	}
	m.menu = q
}

func (m *Model) followLink(a *account, x message.Link) {
	ways, host := m.opts.Ways, safetext.Clean(x.Host)
	m.start(a, "opening", host, func(ctx context.Context) func(*Model, *account) {
		return opened(host, ways.OpenLink(ctx, x.URL))
	})
}
