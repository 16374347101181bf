package ui

import (
	"strconv"
	"strings"

	"tidings/internal/safetext"
	"tidings/store"
)

// command is one word of the ":" line.
type command struct {
	names []string // the first is the one that help shows
	arg   ink      // what it takes; "" : nothing
	help  ink
	run   func(m *Model, a *account, arg string) error
	args  func(m *Model, a *account) []string // what arg may be, for completion; nil: anything
}

// wrong is a sentence about a line that makes no sense; what was typed is said
// beside it.
type wrong struct {
	text  ink
	typed string
}

func (w wrong) Error() string { return string(w.text) }

// commands is the table behind the ":" line, its completion and its help.
var commands []command

// It is filled here because a command may ask for the help, which shows it.
func init() {
	commands = []command{
		{[]string{"date"}, "DAY", "from that day on: 2024-03-01, mon, 3d, 2w", func(m *Model, a *account, arg string) error {
			day, ok := parseDay(arg, m.now)
			if !ok {
				return wrong{"is no day; try 2024-03-01, 2024-03, yesterday, mon, 3d or 2w", arg}
			}
			m.toDay(a, day)
			return nil
		}, func(*Model, *account) []string { return []string{"today", "yesterday"} }},
		{[]string{"uid"}, "UID", "the message with that UID", toUID, nil},
		{[]string{"top"}, "", "the newest message, as g does", act(actTop), nil},
		{[]string{"bottom"}, "", "the oldest message, as G does", act(actBottom), nil},
		{[]string{"go", "folder"}, "FOLDER", "open a folder, by some letters of its name", toFolder, folderNames},
		{[]string{"inbox"}, "", "back to the inbox, as B does", act(actInbox), nil},
		{[]string{"keyword", "label"}, "NAME", "set a keyword on the messages, or take it away", toKeyword, keywordNames},
		{[]string{"unkeyword", "unlabel"}, "NAME", "take a keyword away", toUnkeyword, keywordNames},
		{[]string{"create", "mkdir"}, "FOLDER", "make a folder", toCreate, nil},
		{[]string{"pipe"}, "COMMAND", "give the message to a command", pipeRaw, nil},
		{[]string{"pipetext"}, "COMMAND", "give its text to a command", pipeText, nil},
		{[]string{"pager"}, "COMMAND", "give its text to a command that takes the screen, such as less", pageText, nil},
		{[]string{"save"}, "DIR", "save all attachments into a folder", func(m *Model, a *account, dir string) error {
			m.saveAll(a, dir)
			return nil
		}, nil},
		{[]string{"export"}, "DIR", "save the message into a folder", func(m *Model, a *account, dir string) error {
			m.export(a, dir, false)
			return nil
		}, nil},
		{[]string{"account"}, "NAME", "that account", toAccount, accountNames},
		{[]string{"retry", "reconnect", "r"}, "", "try the connection again now", act(actRetry), nil},
		{[]string{"log"}, "", "the log of the connection", act(actLog), nil},
		{[]string{"help", "h"}, "", "the help", act(actHelp), nil},
		{[]string{"quit", "q", "exit"}, "", "quit", act(actQuit), nil},
	}
	helpText = append(helpText, helpLine{}, helpLine{heading: "Commands behind :"})
	for _, p := range places {
		helpText = append(helpText, helpLine{mark: func(*marks) ink { return p.typed }, style: sBold, means: p.help})
	}
	for _, c := range commands {
		helpText = append(helpText, helpLine{mark: func(*marks) ink { return ":" + ink(c.names[0]) }, style: sBold, means: c.describe()})
	}
	helpFold = foldHelp()
}

// act runs what a key does.
func act(x action) func(*Model, *account, string) error {
	return func(m *Model, a *account, _ string) error {
		m.act(a, x)
		return nil
	}
}

// places are what may be typed instead of a command's name.
var places = []struct{ typed, help ink }{
	{":123", "row 123, counted from the newest"},
	{":50%", "that far down the list"},
	{":$", "the oldest message"},
}

// runCommand does what was typed behind the colon.
func (m *Model) runCommand(a *account, line string) error {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil
	}
	if done, err := m.toPlace(a, line); done {
		return err
	}
	name, arg, _ := strings.Cut(line, " ")
	arg = strings.TrimSpace(arg)
	found, err := findCommand(name)
	switch {
	case err != nil:
		return err
	case found.arg == "" && arg != "":
		return wrong{ink("stands behind :" + found.names[0] + ", which takes nothing"), arg}
	case found.arg != "" && arg == "":
		return wrong{"needs a " + found.arg, ":" + found.names[0]}
	}
	return found.run(m, a, arg)
}

// findCommand finds a command by its name, or the beginning of it if no other
// has the same.
func findCommand(name string) (*command, error) {
	var found *command
	for i := range commands {
		c := &commands[i]
		for _, n := range c.names {
			if n == name {
				return c, nil
			}
		}
		if strings.HasPrefix(c.names[0], name) {
			if found != nil {
				return nil, wrong{ink("may be :" + found.names[0] + " or :" + c.names[0]), name}
			}
			found = c
		}
	}
	if found == nil {
		return nil, wrong{"is no command; Tab shows which there are", name}
	}
	return found, nil
}

// toPlace goes to a row that was typed as a number, a share or "$".
func (m *Model) toPlace(a *account, line string) (done bool, err error) {
	rows := a.view.rows()
	percent, share := strings.CutSuffix(line, "%")
	n, notNumber := strconv.Atoi(percent)
	r := 0
	switch {
	case line == "$":
		r = rows - 1
	case notNumber != nil && strings.Trim(percent, "0123456789") != "":
		return false, nil
	case share && (notNumber != nil || n > 100):
		return true, wrong{"is more than the whole list", line}
	case share:
		r = (rows - 1) * n / 100
	case notNumber != nil || n > rows: // or has more digits than a number
		r = rows - 1
	default:
		r = n - 1
	}
	m.jump(a, r)
	return true, nil
}

// jump selects view row r, wherever it is; far from what is on screen it comes to
// stand in the middle.
func (m *Model) jump(a *account, r int) {
	if a.reader != nil && m.layout().split == alone {
		m.closeReader(a) // it covers the list that is gone to
	}
	v := &a.view
	far := r < v.top || r >= v.top+v.h
	v.selectRow(max(r, 0))
	if far {
		v.top = v.cursor() - v.h/2
		v.clamp()
	}
	m.reading = false
}

func toUID(m *Model, a *account, arg string) error {
	n, err := strconv.ParseUint(arg, 10, 32)
	if err != nil || n == 0 {
		return wrong{"is no UID; it is a number from 1 up", arg}
	}
	if !m.toMessage(a, store.UID(n)) {
		return wrong{"is no message's UID here", arg}
	}
	return nil
}

// toMessage selects a message; where its row is not known, the place where it
// stands; where the view does not show it, among all messages. It reports whether
// the message may be there.
func (m *Model) toMessage(a *account, uid store.UID) bool {
	v := &a.view
	if !v.list.MayHold(uid) {
		return false
	}
	i, ok := v.find(uid)
	if !ok && v.proj != nil {
		m.setView(a, viewSpec{})
		i, ok = v.find(uid)
	}
	if ok {
		m.jump(a, v.rowOf(i))
		return true
	}
	lo, hi := v.list.Gap(uid)
	m.jump(a, v.rowOf((lo+hi)/2))
	v.uid = uid
	v.seek((lo + hi) / 2)
	v.reveal()
	return true
}

func toAccount(m *Model, _ *account, arg string) error {
	if n, err := strconv.Atoi(arg); err == nil && n >= 1 && n <= len(m.accounts) {
		m.switchTo(n - 1)
		return nil
	}
	for i, a := range m.accounts {
		if strings.EqualFold(a.cfg.Name.String(), arg) {
			m.switchTo(i)
			return nil
		}
	}
	return wrong{"is no account", arg}
}

func toCreate(m *Model, a *account, arg string) error {
	m.createFolder(a, arg, nil)
	return nil
}

func accountNames(m *Model, _ *account) []string {
	var names []string
	for _, a := range m.accounts {
		names = append(names, a.cfg.Name.String())
	}
	return names
}

// sayWrong says what is wrong with a line that was typed.
func (m *Model) sayWrong(a *account, err error) {
	if w, ok := err.(wrong); ok {
		m.say(a, said(sWarn, safetext.Clean(w.typed)), own(sWarn, " "+w.text))
		return
	}
	m.say(a, said(sWarn, safetext.Clean(err.Error())))
}
