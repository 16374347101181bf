// Tidings is a live mail monitor for the terminal.
package main

import (
	_ "embed"
	"os"

	"tidings/internal/cli"
	"tidings/internal/crash"
)

// example is what `tidings config` prints.
//
//go:embed config.toml.example
var example string

func main() {
	defer crash.Handle("main")
	os.Exit(cli.Program{
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Environ: os.Environ(),
		Example: example,
	}.Main())
}
