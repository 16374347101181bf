//go:build unix

package tty

import (
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// entering and leaving are every mode that we set, and how it is put back.
// What depends on the terminal's answers is the canvas's: synchronized output
// (2026, set for the length of a frame) and grapheme clusters (2027).
const (
	entering = saveTitle +
		ansi.ResetModifyOtherKeys +
		ansi.SetModeAltScreenSaveCursor +
		ansi.ResetModeTextCursorEnable +
		ansi.SetModeBracketedPaste +
		ansi.SetModeFocusEvent +
		ansi.SetModeMouseButtonEvent + ansi.SetModeMouseExtSgr +
		ansi.SetModifyOtherKeys2 + disambiguate

	leaving = ansi.ResetModifyOtherKeys + popKeys +
		ansi.ResetModeMouseExtSgr + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseButtonEvent +
		ansi.ResetModeFocusEvent +
		ansi.ResetModeBracketedPaste +
		ansi.ResetStyle +
		bottom + // for terminals without an alternate screen
		ansi.ResetModeAltScreenSaveCursor +
		ansi.SetModeTextCursorEnable

	// Terminals without a stack of titles are left with an empty one.
	saveTitle    = "\x1b[22;2t"
	restoreTitle = "\x1b]2;\a\x1b[23;2t"

	// The keyboard protocol of kitty, the least of its levels: keys that look
	// alike are told apart. The stack is one per screen.
	disambiguate = "\x1b[>1u"
	popKeys      = "\x1b[<1u"

	bottom = "\x1b[9999;1H"

	// cut ends whatever sequence was cut off before it.
	cut = "\x1b\\"
)

// questions are asked on entering. The last is one that every terminal answers,
// in turn: after that, no other answer is under way.
const questions = ansi.RequestBackgroundColor +
	ansi.RequestKittyKeyboard +
	ansi.RequestModeSynchronizedOutput +
	ansi.RequestModeUnicodeCore +
	ansi.RequestPrimaryDeviceAttributes

// enter is what a terminal is sent first. Bubble Tea asks for modes nowhere
// under ssh, for fear of Terminal.app, which prints the question and would not
// be known as such from afar. It does pass on its name (TERM_PROGRAM) where
// ssh is told to; the gain of modes 2026 and 2027 for all others is greater.
func enter(environ []string) string {
	q := questions
	if strings.Contains(uv.Environ(environ).Getenv("TERM_PROGRAM"), "Apple") {
		q = strings.ReplaceAll(q, ansi.RequestModeSynchronizedOutput+ansi.RequestModeUnicodeCore, "")
	}
	return entering + q
}

// canSynchronize reports whether event is the answer that the terminal knows
// synchronized output.
func canSynchronize(event uv.Event) bool {
	r, ok := event.(uv.ModeReportEvent)
	return ok && r.Mode == ansi.ModeSynchronizedOutput && r.Value == ansi.ModeReset
}

// endsAnswers reports whether event answers the last question.
func endsAnswers(event uv.Event) bool {
	_, ok := event.(uv.PrimaryDeviceAttributesEvent)
	return ok
}
