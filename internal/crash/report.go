package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"time"

	"tidings/internal/xdg"
)

// caught is one panic.
type caught struct {
	goroutine string
	when      time.Time
	value     any
	stack     []uintptr
}

type report struct {
	version string
	caughts []caught
}

func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Tidings crash report. It holds no mail, no addresses and no passwords.\n\n")
	fmt.Fprintf(&b, "version:   %s\n", r.version)
	fmt.Fprintf(&b, "built by:  %s for %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, c := range r.caughts {
		fmt.Fprintf(&b, "\ngoroutine: %s\n", c.goroutine)
		fmt.Fprintf(&b, "when:      %s\n", c.when.UTC().Format(time.RFC3339))
		fmt.Fprintf(&b, "panic:     %s\n", describe(c.value))
		writeStack(&b, c.stack)
	}
	return b.String()
}

// describe says what is safe to say of a panic's value.
func describe(v any) string {
	t := reflect.TypeOf(v)
	base := t
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	// Any package can give its type a RuntimeError method; the runtime's own
	// types speak of numbers, addresses and Go types only.
	if e, ok := v.(runtime.Error); ok && base.PkgPath() == "runtime" {
		return e.Error()
	}
	return fmt.Sprintf("a value of type %s (not shown: it may quote a message)", t)
}

// writeStack writes the frames, innermost first. Files are cut to their last
// two elements: where the program was built is nobody's business.
func writeStack(b *strings.Builder, pcs []uintptr) {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" {
			file := filepath.ToSlash(f.File)
			file = filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
			fmt.Fprintf(b, "  %s\n      %s:%d\n", f.Function, file, f.Line)
		}
		if !more {
			return
		}
	}
}

// writeReport leaves the report in the state directory, or where that cannot
// be written, in the directory for temporary files. The file is the person's
// alone and never an existing one.
func writeReport(r report) (path string, err error) {
	text := r.String()
	dir, err := xdg.StateDir()
	if err == nil {
		if err = xdg.MakeDir(dir); err == nil {
			if path, err = writeNew(dir, text); err == nil {
				return path, nil
			}
		}
	}
	path, tempErr := writeNew(os.TempDir(), text)
	if tempErr == nil {
		return path, nil
	}
	return "", fmt.Errorf("%w; %w", err, tempErr)
}

func writeNew(dir, text string) (path string, err error) {
	stamp := time.Now().UTC().Format("20060102-150405")
	f, err := os.CreateTemp(dir, "tidings-crash-"+stamp+"-*.txt") // O_EXCL, 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return f.Name(), errors.Join(err, f.Close())
}

// farewell is the one sentence that the person reads.
func farewell(path string, err error) string {
	if err != nil {
		return fmt.Sprintf("tidings crashed, and its report could not be written (%v).\n", err)
	}
	return fmt.Sprintf("tidings crashed; please send the report, which holds no mail: %s\n", path)
}
