package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"

	"tidings/internal/config"
	"tidings/internal/demo"
	"tidings/internal/safetext"
)

// unwritten tells that the person is at a terminal and has no config yet.
func (p Program) unwritten(o monitorOptions) bool {
	if o.config != "" || len(o.accounts) > 0 || p.needTerminal() != nil {
		return false
	}
	path, err := config.DefaultPath()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// welcome is `tidings` without a config: it offers to write one, and the demo.
func (p Program) welcome(ctx context.Context, o monitorOptions) error {
	path, err := config.DefaultPath()
	if err != nil {
		return err
	}
	d, err := p.newDialog(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "Welcome to Tidings. There is no config yet (%s).\n", safetext.Clean(path))
	n, err := d.choose("What would you like?",
		"Set up my mail: it takes a minute (tidings setup)",
		"Look around first, in a mailbox that lives inside the program (tidings demo)",
		"Neither")
	d.close()
	if err != nil {
		return nil // ctrl+c is an answer, too
	}
	switch n {
	case 0:
		if err := p.setup(ctx, setupOptions{}); err != nil {
			return err
		}
		return p.monitor(ctx, o)
	case 1:
		return p.demo(ctx, demoOptions{seed: rand.Uint64(), rate: demo.DefaultRate, messages: demo.DefaultMessages})
	}
	return nil
}
