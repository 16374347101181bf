package ui

import (
	"strings"
)

// action is what a key asks for.
type action uint8

const (
	actNone action = iota
	actDown
	actUp
	actHalfDown
	actHalfUp
	actPageDown
	actPageUp
	actTop
	actBottom
	actOpen
	actBack
	actPane
	actNextUnread
	actPrevUnread
	actCommand
	actSearch
	actFilter
	actSort
	actThreads
	actFold
	actDelete
	actArchive
	actMove
	actFolders
	actInbox
	actUnfold
	actFoldUp
	actSubscribed
	actRecount
	actGo
	actCopy
	actJunk
	actFlag
	actSeen
	actKeyword
	actUnlabel
	actMark
	actRange
	actMarkShown
	actMarkConversation
	actUndo
	actRedo
	actAttachments
	actLinks
	actCopyText
	actPipe
	actExport
	actSource
	actAccount
	actNextAccount
	actLog
	actOutbox
	actAgain
	actDiscard
	actRetry
	actSignIn
	actHelp
	actQuitHint
	actQuit
	actSuspend
)

// where is the panes in which a binding holds.
type where uint8

const (
	inList where = 1 << iota
	inReader
	inOverlay // help and log
	inPrompt  // while a line is being typed
	inFolders // the pane of folders
	inOutbox  // the pane of what waits, an overlay
	anywhere  = inList | inReader | inOverlay | inFolders
)

// binding is one line of the keymap.
type binding struct {
	keys  []string // as Bubble Tea names them
	show  ink      // as help and footer show them
	in    where
	act   action
	help  ink
	hint  ink // the footer's word for it; "" : not in the footer
	group ink
}

// keymap is the one table behind key handling, help, the footer and the docs.
var keymap = []binding{
	{[]string{"enter", "l", "right"}, "Enter l", inList, actOpen, "open the message", "open", "Reading"},
	{[]string{"esc", "h", "left"}, "Esc h", inReader | inOverlay, actBack, "back", "back", "Reading"},
	{[]string{"tab"}, "Tab", inList | inReader, actPane, "the other pane", "", "Reading"},

	{[]string{"j", "down"}, "j ↓", anywhere, actDown, "next message, or one line down", "", "Moving"},
	{[]string{"k", "up"}, "k ↑", anywhere, actUp, "previous message, or one line up", "", "Moving"},
	{[]string{"ctrl+d"}, "ctrl+d", anywhere, actHalfDown, "half a page down", "", "Moving"},
	{[]string{"ctrl+u"}, "ctrl+u", anywhere, actHalfUp, "half a page up", "", "Moving"},
	{[]string{"space"}, "Space", inReader | inOverlay, actPageDown, "a page down", "page", "Moving"},
	{[]string{"pgdown", "ctrl+f"}, "PgDn", anywhere, actPageDown, "a page down", "", "Moving"},
	{[]string{"pgup", "ctrl+b"}, "PgUp", anywhere, actPageUp, "a page up", "", "Moving"},
	{[]string{"g", "home"}, "g Home", anywhere, actTop, "the newest message, or the first line", "", "Moving"},
	{[]string{"G", "end"}, "G End", anywhere, actBottom, "the oldest message, or the last line", "", "Moving"},
	{[]string{":"}, ":", inList | inReader, actCommand, "go to a day, a row, and more: see below", "", "Moving"},
	{[]string{"n"}, "n", inList | inReader, actNextUnread, "next unread message, or next of what was found", "next unread", "Moving"},
	{[]string{"p"}, "p", inList | inReader, actPrevUnread, "previous unread message, or of what was found", "", "Moving"},

	{[]string{"/"}, "/", inList | inReader, actSearch, "search as you type; Enter asks the server, too", "search", "Views"},
	{[]string{"f"}, "f", inList, actFilter, "show all, the unread, the flagged, or today's", "", "Views"},
	{[]string{"S"}, "S", inList, actSort, "sort by arrival, date, sender, subject or size", "", "Views"},
	{[]string{"t"}, "t", inList, actThreads, "conversations, or single messages", "", "Views"},
	{[]string{"z"}, "z", inList, actFold, "unfold the conversation, or fold it", "", "Views"},
	{[]string{"esc"}, "Esc", inList, actBack, "stop, drop the marks, or leave the view", "", "Views"},

	{[]string{"d", "delete"}, "d", inList | inReader, actDelete, "delete: to Trash; in Trash for ever (it asks)", "delete", "Acting"},
	{[]string{"a"}, "a", inList | inReader, actArchive, "archive", "archive", "Acting"},
	{[]string{"m"}, "m", inList | inReader, actMove, "move to a folder", "move", "Acting"},
	{[]string{"C"}, "C", inList | inReader, actCopy, "copy to a folder", "", "Acting"},
	{[]string{"J"}, "J", inList | inReader, actJunk, "junk; in the junk folder: not junk", "", "Acting"},
	{[]string{"!"}, "!", inList | inReader, actFlag, "flag, or take the flag away", "flag", "Acting"},
	{[]string{"U"}, "U", inList | inReader, actSeen, "mark read, or unread", "read/unread", "Acting"},
	{[]string{"+"}, "+", inList | inReader, actKeyword, "answered, or a label (keyword)", "", "Acting"},
	{[]string{"-"}, "-", inList | inReader, actUnlabel, "take a label away from all that have it", "", "Acting"},
	{[]string{"u"}, "u", inList | inReader, actUndo, "take back what was done last, and before", "undo", "Acting"},
	{[]string{"ctrl+r"}, "ctrl+r", inList | inReader, actRedo, "do it again", "", "Acting"},

	{[]string{"x"}, "x", inList, actMark, "mark the message, to act on all that are marked", "mark", "Marking"},
	{[]string{"V"}, "V", inList, actRange, "mark from here to the cursor; again: done", "", "Marking"},
	{[]string{"X"}, "X", inList, actMarkShown, "mark all that the view shows, or none of it", "", "Marking"},
	{[]string{"T"}, "T", inList, actMarkConversation, "mark the conversation", "", "Marking"},

	{[]string{"c"}, "c", inList | inReader | inFolders, actFolders, "the folders, with what is unread in them", "folders", "Folders"},
	{[]string{"B"}, "B", inList | inReader | inFolders, actInbox, "the inbox, or what the account watches", "", "Folders"},
	{[]string{"enter"}, "Enter", inFolders, actOpen, "open the folder", "open", "Folders"},
	{[]string{"/"}, "/", inFolders, actGo, "go to a folder, by letters of its name", "go", "Folders"},
	{[]string{"z", "space"}, "z Space", inFolders, actFold, "fold what is below the folder, or unfold it", "fold", "Folders"},
	{[]string{"l", "right"}, "l →", inFolders, actUnfold, "unfold it", "", "Folders"},
	{[]string{"h", "left"}, "h ←", inFolders, actFoldUp, "fold it, or go to the folder above", "", "Folders"},
	{[]string{"s"}, "s", inFolders, actSubscribed, "only the subscribed ones, or all", "subscribed", "Folders"},
	{[]string{"r"}, "r", inFolders, actRecount, "ask for the folders and count again", "", "Folders"},
	{[]string{"esc", "q"}, "Esc", inFolders, actBack, "put the folders away", "back", "Folders"},

	{[]string{"s"}, "s", inList | inReader, actAttachments, "attachments: save, open, read them", "", "Taking out"},
	{[]string{"o"}, "o", inList | inReader, actLinks, "links: open or copy one", "", "Taking out"},
	{[]string{"y"}, "y", inList | inReader, actCopyText, "copy subject, sender, Message-ID, link or text", "", "Taking out"},
	{[]string{"|"}, "|", inList | inReader, actPipe, "give the message, or its text, to a command", "", "Taking out"},
	{[]string{"e"}, "e", inList | inReader, actExport, "export it (.eml, mbox), or open it elsewhere", "", "Taking out"},
	{[]string{"v"}, "v", inList | inReader, actSource, "all headers, or the source", "", "Taking out"},

	{[]string{"w"}, "w", anywhere, actOutbox, "what waits to be sent", "", "Waiting"},
	{[]string{"r"}, "r", inOutbox, actAgain, "send it again, or try the connection now", "again", "Waiting"},
	{[]string{"d", "delete"}, "d", inOutbox, actDiscard, "take it out: it is not done", "discard", "Waiting"},

	{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", inList | inReader | inFolders, actAccount, "that account", "", "Tidings"},
	{[]string{"A"}, "A", inList | inReader | inFolders, actNextAccount, "next account", "", "Tidings"},
	{[]string{"r"}, "r", inList | inReader | inOverlay, actRetry, "try the connection again now", "", "Tidings"},
	{[]string{"R"}, "R", inList | inReader, actSignIn, "sign in again", "", "Tidings"},
	{[]string{"L"}, "L", anywhere, actLog, "the log of the connection", "log", "Tidings"},
	{[]string{"?"}, "?", anywhere, actHelp, "this help", "help", "Tidings"},
	{[]string{"ctrl+z"}, "ctrl+z", anywhere | inPrompt, actSuspend, "suspend", "", "Tidings"},
	{[]string{"Q", "ctrl+c"}, "Q ctrl+c", anywhere, actQuit, "quit", "quit", "Tidings"},
	{[]string{"ctrl+c"}, "", inPrompt, actQuit, "", "", ""}, // there a Q is a letter
	{[]string{"q"}, "q", inReader | inOverlay, actBack, "back (in the list: says how to quit)", "", "Tidings"},
	{[]string{"q"}, "", inList, actQuitHint, "", "", ""},
}

// keyIndex finds the bindings of a key without a walk over the table.
var keyIndex = func() map[string][]int {
	idx := map[string][]int{}
	for i, b := range keymap {
		for _, k := range b.keys {
			idx[k] = append(idx[k], i)
		}
	}
	return idx
}()

// lookup finds what a key means in a pane.
func lookup(key string, in where) action {
	for _, i := range keyIndex[key] {
		if keymap[i].in&in != 0 {
			return keymap[i].act
		}
	}
	return actNone
}

// KeysMarkdown renders the keymap as the Markdown tables of the docs.
func KeysMarkdown() string {
	var b strings.Builder
	group := ink("")
	for _, k := range keymap {
		if k.help == "" {
			continue
		}
		if k.group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			group = k.group
			b.WriteString("## " + string(group) + "\n\n| Key | What it does |\n| --- | --- |\n")
		}
		b.WriteString("| `" + strings.ReplaceAll(string(k.show), " ", "` `") + "` | " + string(k.help) + " |\n")
	}
	return b.String()
}
