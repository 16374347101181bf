package cli

import (
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func (p Program) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Print a message file as the reading pane shows it",
		Long: `Print a message file (RFC 5322, MIME) as the reading pane shows it; "-" reads
the message from standard input.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("tidings show takes one message file, or - to read one from standard input")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if Show(p.Stdin, p.Stdout, p.Stderr, args[0], asJSON, p.width()) != 0 {
				return errSaid
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object instead of text")
	return c
}

// width is the terminal's width where standard output is one, or 0.
func (p Program) width() int {
	if file, ok := p.Stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}
