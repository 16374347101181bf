package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"tidings/internal/config"
	"tidings/internal/crash"
	"tidings/internal/mailfile"
	"tidings/internal/run"
	"tidings/internal/safetext"
	"tidings/internal/save"
	"tidings/ui"
)

const (
	openTime = 30 * time.Second // for a program that opens something and should return
	pipeTime = 10 * time.Minute
)

// ways are the screen's ways out: files and programs, as the config has them.
type ways struct {
	saveDir  string // "": ~/Downloads, or the home directory
	open     []string
	openWith map[string][]string
	openLink []string
	// read waits until the person has read what a program that failed has left on
	// the terminal.
	read func(context.Context, error)

	mu   sync.Mutex
	lent string // the folder of the files that were handed to programs; "": none

	writing sync.WaitGroup // files
}

func (p Program) newWays(c config.UI) *ways {
	w := &ways{saveDir: c.SaveDir, open: c.Open, openWith: c.OpenWith, openLink: c.OpenLink, read: p.untilRead}
	if len(w.open) == 0 {
		w.open = []string{"xdg-open"}
		if runtime.GOOS == "darwin" {
			w.open = []string{"open"}
		}
	}
	if len(w.openLink) == 0 {
		w.openLink = w.open
	}
	return w
}

// closeTime is how long the end waits for files that are being written: their
// contexts have ended, and what there is of them is about to be removed.
const closeTime = time.Second

// close removes the files that were handed to programs, and waits for those that
// will not be finished to be gone.
func (w *ways) close() {
	gone := make(chan struct{})
	crash.Go("files that end", func() {
		w.writing.Wait()
		close(gone)
	})
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lent != "" {
		os.RemoveAll(w.lent)
		w.lent = ""
	}
}

// folder is the directory that a person named, or else the config; relative to
// the current one, "~" is their home.
func (w *ways) folder(dir string) (string, error) {
	home, err := os.UserHomeDir()
	switch {
	case dir == "" && w.saveDir != "":
		return w.saveDir, nil
	case dir == "~" || dir == "":
	case strings.HasPrefix(dir, "~/"):
		dir = filepath.Join(home, dir[2:])
		if err == nil {
			return dir, nil
		}
	default:
		return filepath.Abs(dir)
	}
	if err != nil {
		return "", fmt.Errorf("HOME is not set: say save_dir in the config: %w", err)
	}
	if down := filepath.Join(home, "Downloads"); dir == "" {
		if info, err := os.Stat(down); err == nil && info.IsDir() {
			return down, nil
		}
	}
	return home, nil
}

func (w *ways) Save(ctx context.Context, dir, name string, from io.Reader) (string, error) {
	return w.save(ctx, dir, name, copyFrom(from))
}

// copyFrom writes what comes from a reader.
func copyFrom(from io.Reader) func(io.Writer) error {
	return func(to io.Writer) error {
		_, err := io.Copy(to, from)
		return err
	}
}

func (w *ways) SaveMbox(ctx context.Context, dir, name string, letters []ui.Letter) (string, error) {
	return w.save(ctx, dir, name, func(to io.Writer) error {
		m := mailfile.NewMboxWriter(to)
		for _, l := range letters {
			if err := ctx.Err(); err != nil {
				return err
			}
			from := l.From
			if l.Data != nil {
				from = bytes.NewReader(l.Data)
			}
			if err := m.Write(from, l.Sender, l.Date); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *ways) save(ctx context.Context, dir, name string, write func(io.Writer) error) (string, error) {
	dir, err := w.folder(dir)
	if err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	w.writing.Add(1)
	defer w.writing.Done()
	return save.File(dir, name, write)
}

// program is the one that opens a media type.
func (w *ways) program(mediaType string) []string {
	if p, ok := w.openWith[mediaType]; ok {
		return p
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	if p, ok := w.openWith[kind+"/*"]; ok {
		return p
	}
	return w.open
}

func (w *ways) Open(ctx context.Context, name, mediaType string, from io.Reader) error {
	dir, err := w.lend()
	if err != nil {
		return err
	}
	path, err := save.File(dir, name, copyFrom(from))
	if err != nil {
		return err
	}
	return opened(ctx, append(slices.Clone(w.program(mediaType)), path))
}

// lend is a folder of our own, for files that a program is to open. It goes when
// the screen does.
func (w *ways) lend() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lent == "" {
		dir, err := os.MkdirTemp("", "tidings-*") // 0700
		if err != nil {
			return "", fmt.Errorf("there is no place for a file to be opened: %w", err)
		}
		w.lent = dir
	}
	return w.lent, nil
}

func (w *ways) OpenLink(ctx context.Context, link string) error {
	// A program must not take a link for one of its options, or a file.
	u, err := url.Parse(link)
	if err != nil || !slices.Contains([]string{"http", "https", "ftp", "mailto"}, strings.ToLower(u.Scheme)) {
		return errors.New("this is no link that a program could be given; copy it instead")
	}
	return opened(ctx, append(slices.Clone(w.openLink), link))
}

// opened runs a program that opens something. One that is still there after
// openTime is an open window and no failure; it stays.
func opened(ctx context.Context, argv []string) error {
	return said(run.Open(ctx, argv, openTime))
}

func (w *ways) Pipe(ctx context.Context, line string, data []byte) ([]byte, error) {
	result, err := shell(line, data).Run(ctx)
	if err == nil && result.StdoutTruncated {
		result.Stdout = append(result.Stdout, "\n(it printed more)\n"...)
	}
	if err != nil {
		result.Stdout = append(result.Stdout, result.Stderr...) // its words are more than the last of them
	}
	return result.Stdout, said(result, err)
}

func (w *ways) Foreground(ctx context.Context, line string, data []byte) error {
	p := shell(line, data)
	p.Timeout, p.Terminal, p.Screen = 0, true, true
	_, err := p.Run(ctx)
	if err != nil && ctx.Err() == nil {
		w.read(ctx, err) // why it failed stands where the screen is about to be
	}
	return err
}

// said is err with what the program said of it.
func said(result run.Result, err error) error {
	if err == nil {
		return nil
	}
	var failed *run.Error
	words := safetext.Clean(run.LastLine(result.Stderr)).String()
	if words == "" || !errors.As(err, &failed) {
		return err
	}
	return fmt.Errorf("%w: it said: %s", err, words)
}

// shell is a command line that a person typed. Nothing of a message is ever part
// of it: that comes on standard input.
func shell(line string, data []byte) *run.Program {
	return &run.Program{Argv: []string{"sh", "-c", line}, Stdin: bytes.NewReader(data), Timeout: pipeTime}
}
