package cli

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
	"rsc.io/qr"

	"tidings/internal/crash"
	"tidings/internal/credential"
	"tidings/internal/run"
	"tidings/internal/safetext"
)

// terminalPrompter shows a person in a terminal what signing in needs of them.
type terminalPrompter struct {
	*dialog
	environ []string
	// browse opens a page, and tells whether it could.
	browse func(ctx context.Context, address string) bool
	// giveUp, where it is set, ends the sign-in when the person presses Enter, as
	// ctrl+c does anywhere.
	giveUp   context.CancelFunc
	signing  context.Context // ends with the sign-in; set with giveUp
	watching sync.WaitGroup  // those who wait for Enter, until the sign-in ends
}

var _ credential.Prompter = (*terminalPrompter)(nil)

func newTerminalPrompter(d *dialog, environ []string) *terminalPrompter {
	p := &terminalPrompter{dialog: d, environ: environ}
	p.browse = p.openBrowser
	return p
}

// ShowDevice shows a QR code for a phone, and behind it, where it stays on the
// smallest screen, the address and the code.
func (p *terminalPrompter) ShowDevice(c credential.DeviceCode) {
	target := c.Complete
	if target == "" {
		target = c.Address
	}
	if picture := p.qr(target); picture != "" {
		fmt.Fprintf(p.out, "\nPoint a phone's camera at this:\n\n%s\nor open", picture)
	} else {
		fmt.Fprint(p.out, "\nOpen")
	}
	code := safetext.Clean(c.Code)
	if p.small() {
		fmt.Fprintf(p.out, " this page in any browser:\n %s\nand type this code there:\n %s\n", safetext.Clean(c.Address), code)
		p.copy(code)
		fmt.Fprintf(p.out, "(%s gives up)\n", p.key())
	} else {
		fmt.Fprintf(p.out, " this page in any browser, on any device:\n\n  %s\n\nand type this code there:\n\n  %s\n\n", safetext.Clean(c.Address), code)
		if p.copy(code) {
			fmt.Fprintln(p.out, "The code is in the clipboard, where the terminal allows that.")
		}
		if left := time.Until(c.Until); !c.Until.IsZero() && left > 0 {
			fmt.Fprintf(p.out, "It is good for %s. ", minutes(left))
		}
		p.wait()
	}
	if p.giveUp == nil {
		return
	}
	p.watching.Add(1)
	crash.Go("sign-in key", func() {
		defer p.watching.Done()
		if _, err := p.read(p.signing); err == nil {
			p.giveUp()
		}
	})
}

// wait says that it is the person's turn.
func (p *terminalPrompter) wait() {
	fmt.Fprintf(p.out, "Waiting for you to sign in there; %s gives up.\n", p.key())
}

// key is what ends the sign-in.
func (p *terminalPrompter) key() string {
	if p.giveUp != nil {
		return "Enter"
	}
	return "ctrl+c"
}

// small tells a terminal in which whole sentences would push the address and the
// code off the top.
func (p *terminalPrompter) small() bool {
	_, height, err := term.GetSize(p.fd)
	return err == nil && height < 18
}

// copy puts text into the clipboard (OSC 52; terminals that do not know it ignore
// it), and tells whether there is a terminal to ask.
func (p *terminalPrompter) copy(text safetext.Text) bool {
	if p.fd < 0 {
		return false
	}
	fmt.Fprintf(p.out, "\x1b]52;c;%s\a", base64.StdEncoding.EncodeToString([]byte(text.String())))
	return true
}

// ShowBrowser opens the page where there is a browser, and says what to do where
// there is none.
func (p *terminalPrompter) ShowBrowser(b credential.BrowserPage) {
	opened := p.browse(context.Background(), b.Address)
	if opened {
		fmt.Fprintf(p.out, "\nYour browser should have opened a page to sign in. If not, open it yourself:\n\n  %s\n\n", safetext.Clean(b.Address))
	} else {
		fmt.Fprintf(p.out, "\nOpen this page in a browser, on this computer or another one:\n\n  %s\n\n", safetext.Clean(b.Address))
		if p.copy(safetext.Clean(b.Address)) {
			fmt.Fprintln(p.out, "Its address is in the clipboard, where the terminal allows that.")
		}
	}
	redirect := safetext.Clean(b.Redirect)
	switch port := portOf(b.Redirect); {
	case !b.Heard:
		fmt.Fprintf(p.out, "In the end the browser goes to an address that begins with %s\n", redirect)
		fmt.Fprintln(p.out, "Tidings cannot listen there (another program may), so copy that address and paste it here.")
	case !opened:
		fmt.Fprintf(p.out, "In the end the browser goes to an address that begins with %s\n", redirect)
		fmt.Fprintln(p.out, "On another computer it cannot open that: copy the address and paste it here.")
		if port != "" {
			fmt.Fprintf(p.out, "(Or have it arrive by itself: ssh -L %s:127.0.0.1:%s to this machine, before you open the page.)\n", port, port)
		}
	}
	p.wait()
}

// Paste reads the address that the browser ended at. It holds a code, so it is
// not shown.
func (p *terminalPrompter) Paste(ctx context.Context) (string, error) {
	text, err := p.unseen(ctx, "Paste the address here (it is not shown), or wait: ")
	text = strings.TrimSpace(text)
	if err == nil && text == "" && p.giveUp != nil {
		p.giveUp()
		return "", errNoAnswer
	}
	return text, err
}

// Note shows a sentence.
func (p *terminalPrompter) Note(sentence string) { fmt.Fprintln(p.out, safetext.Clean(sentence)) }

// qr draws a QR code of half blocks, "" where the terminal has no room for it.
// Its colours are said, since scanners want dark on light.
func (p *terminalPrompter) qr(text string) string {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	const quiet = 2
	side := code.Size + 2*quiet
	width, height, err := term.GetSize(p.fd)
	if err != nil || width < side+2 || height < (side+1)/2+4 {
		return ""
	}
	return drawQR(code.Size, code.Black, quiet)
}

// drawQR draws two rows of modules per line.
func drawQR(size int, black func(x, y int) bool, quiet int) string {
	var b strings.Builder
	dark := func(x, y int) bool {
		return x >= 0 && y >= 0 && x < size && y < size && black(x, y)
	}
	for y := -quiet; y < size+quiet; y += 2 {
		b.WriteString("  \x1b[38;5;16;48;5;231m")
		for x := -quiet; x < size+quiet; x++ {
			switch top, bottom := dark(x, y), dark(x, y+1); {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	return b.String()
}

// browserTime is how long the program that opens a page may take.
const browserTime = 5 * time.Second

// openBrowser opens a page with the desktop's own program, where there is a
// desktop.
func (p *terminalPrompter) openBrowser(ctx context.Context, address string) bool {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		return false
	}
	opener := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		opener = "open"
	case p.env("SSH_CONNECTION") != "" || p.env("DISPLAY") == "" && p.env("WAYLAND_DISPLAY") == "":
		return false
	}
	_, err := run.Program{Argv: []string{opener, address}, Timeout: browserTime}.Run(ctx)
	return err == nil
}

func (p *terminalPrompter) env(name string) string {
	for _, e := range p.environ {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// portOf is the port of an address, "" where it has none.
func portOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	authority, _, _ := strings.Cut(rest, "/")
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return ""
	}
	return authority[i+1:]
}

// minutes says a time in whole minutes, or seconds where it is short.
func minutes(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	}
	return fmt.Sprintf("%d minutes", int(d.Minutes()))
}

// toStderr says where a secret is kept when the first place does not serve.
func (p Program) toStderr(sentence string) {
	fmt.Fprintln(p.Stderr, "tidings: "+safetext.Clean(sentence).String())
}
