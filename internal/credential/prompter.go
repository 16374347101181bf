package credential

import (
	"context"
	"time"
)

// DeviceCode is what a person needs to sign in by a code. Everything in it is
// outside text.
type DeviceCode struct {
	Address string // where to go, with any browser on any device
	Code    string // what to type there
	// Complete is Address with the code in it, for a QR code; "" where the
	// provider has none.
	Complete string
	Until    time.Time // when the code ends; zero where not said
}

// BrowserPage is what a person needs to sign in by a browser.
type BrowserPage struct {
	Address string // the page to open
	// Redirect is where the browser comes back to: on this machine it is heard;
	// elsewhere it fails to open, and the person pastes it. "ssh -L" to its port
	// has it heard, too.
	Redirect string
	// Heard tells that Redirect is listened at; pasting is the only way if not.
	Heard bool
}

// Prompter shows a person what SignIn needs of them. Its methods are called from
// one goroutine, but for Paste, which runs beside the others.
type Prompter interface {
	// ShowDevice shows a code and where it goes, and returns at once.
	ShowDevice(DeviceCode)
	// ShowBrowser shows a page to open, or opens it, and returns at once.
	ShowBrowser(BrowserPage)
	// Paste returns the next line that the person pastes: the address that the
	// browser ended at. It ends with ctx. An error means that nothing can be
	// pasted here; it is not called again then.
	Paste(ctx context.Context) (string, error)
	// Note shows a sentence, e.g. that what was pasted is not it.
	Note(sentence string)
}
