package config

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a TOML file as values, and the line of every key in it. go-toml
// decodes into structs too, but stops at the first wrong type and says it in
// the words of Go; a person who edits a config wants all problems, in theirs.
type document struct {
	root  map[string]any
	lines map[string]int // by path, see join
}

// join makes the path of a key; array elements are keys "[i]". NUL cannot stand
// in a TOML key.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "\x00" + key
}

func index(i int) string { return fmt.Sprintf("[%d]", i) }

// line is where path was set, or the nearest thing around it.
func (d *document) line(path string) int {
	for {
		if n, ok := d.lines[path]; ok {
			return n
		}
		i := strings.LastIndexByte(path, 0)
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
}

// readDocument parses data. All errors are of syntax (duplicate keys are).
func readDocument(data []byte) (*document, error) {
	d := &document{lines: map[string]int{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin a file with it
	if err := toml.Unmarshal(data, &d.root); err != nil {
		return nil, err
	}
	var p unstable.Parser
	p.Reset(data)
	w := walker{parser: &p, doc: d, counts: map[string]int{}}
	for p.NextExpression() {
		w.expression(p.Expression())
	}
	return d, p.Error()
}

// walker notes the lines of a file's keys.
type walker struct {
	parser *unstable.Parser
	doc    *document
	table  string         // path of the table whose keys follow
	counts map[string]int // elements so far of each array of tables
}

func (w *walker) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		w.table = w.note("", n.Key(), false)
	case unstable.ArrayTable:
		w.table = w.note("", n.Key(), true)
	case unstable.KeyValue:
		w.keyValue(w.table, n)
	}
}

func (w *walker) keyValue(table string, n *unstable.Node) {
	w.value(w.note(table, n.Key(), false), n.Value())
}

func (w *walker) value(path string, n *unstable.Node) {
	switch n.Kind {
	case unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			w.keyValue(path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := n.Children(); it.Next(); i++ {
			w.value(join(path, index(i)), it.Node())
		}
	}
}

// note records the line of a (dotted) key below path and returns the whole
// path. Tables inside an array of tables belong to its last element.
func (w *walker) note(path string, key unstable.Iterator, newElement bool) string {
	for key.Next() {
		k := key.Node()
		path = join(path, string(k.Data))
		line := w.parser.Shape(k.Raw).Start.Line
		if _, ok := w.doc.lines[path]; !ok {
			w.doc.lines[path] = line
		}
		n := w.counts[path]
		switch {
		case newElement && key.IsLast():
			w.counts[path] = n + 1
			path = join(path, index(n))
			w.doc.lines[path] = line
		case n > 0:
			path = join(path, index(n-1))
		}
	}
	return path
}
