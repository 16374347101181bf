// Command bare is the least Bubble Tea program that looks like a list: 40 rows
// of plain text, a mark in the gutter that j and k move, and nothing else. It
// is what Tidings' start, latency and idle cost are held against. FPS in the
// environment sets the renderer's frame rate.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
)

type list struct{ rows, cursor int }

func (l list) Init() tea.Cmd { return nil }

func (l list) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		l.rows = msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "Q", "ctrl+c":
			return l, tea.Quit
		case "j":
			l.cursor = min(l.cursor+1, l.rows-1)
		case "k":
			l.cursor = max(l.cursor-1, 0)
		}
	}
	return l, nil
}

func (l list) View() tea.View {
	var b strings.Builder
	for row := range l.rows {
		if row > 0 {
			b.WriteByte('\n')
		}
		mark := " "
		if row == l.cursor {
			mark = ">"
		}
		fmt.Fprintf(&b, "%s row %d of a bare program", mark, row)
	}
	v := tea.NewView(b.String())
	v.AltScreen = true
	return v
}

func main() {
	var opts []tea.ProgramOption
	if fps, err := strconv.Atoi(os.Getenv("FPS")); err == nil {
		opts = append(opts, tea.WithFPS(fps))
	}
	if _, err := tea.NewProgram(list{}, opts...).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
