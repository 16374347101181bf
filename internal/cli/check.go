package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (p Program) checkCommand() *cobra.Command {
	var file string
	var accounts []string
	c := &cobra.Command{
		Use:   "check",
		Short: "Try the config: connect, sign in, and print what each server can do",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return p.check(c.Context(), file, accounts) },
	}
	c.Flags().StringVar(&file, "config", "", configUsage)
	c.Flags().StringArrayVar(&accounts, "account", nil, "check only the account with this `NAME` (repeatable)")
	return c
}

func (p Program) check(ctx context.Context, file string, names []string) error {
	cfg, err := p.load(file, names)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "the config is valid: %d accounts\n", len(cfg.Accounts))
	_ = ctx
	return errors.New("the accounts were not tried")
}
