package cli

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tidings/imapsession"
	"tidings/internal/config"
	"tidings/internal/demo"
	"tidings/ui"
)

// demoOptions are the flags of `tidings demo`.
type demoOptions struct {
	seed       uint64
	rate       float64
	messages   int
	listenOnly bool
}

func (p Program) demoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Watch a mailbox with a life of its own, on a server inside this program",
		Long: `Watch a mailbox with a life of its own: an IMAP server inside this program,
on loopback, where mail arrives and other clients read, flag, move and delete
it. Nothing leaves this computer, and nothing is kept.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.rate < 0 || o.rate > 60_000 || math.IsNaN(o.rate) {
				return usagef("--rate is %v; expected 0 to 60000 events a minute", o.rate)
			}
			if o.messages < 0 || o.messages > 4_000_000 {
				return usagef("--messages is %d; expected 0 to 4000000", o.messages)
			}
			if !c.Flags().Changed("seed") {
				o.seed = rand.Uint64()
			}
			return p.demo(c.Context(), o)
		},
	}
	c.Flags().Uint64Var(&o.seed, "seed", 0, "make the same mail and the same events as every run with this `N` (default: new ones each time)")
	c.Flags().Float64Var(&o.rate, "rate", demo.DefaultRate, "events a minute")
	c.Flags().IntVar(&o.messages, "messages", demo.DefaultMessages, "messages in the mailbox to start with")
	c.Flags().BoolVar(&o.listenOnly, "listen-only", false, "print the server's address, user and password and serve other clients, without a screen")
	return c
}

func (p Program) demo(ctx context.Context, o demoOptions) error {
	if !o.listenOnly {
		if err := p.needTerminal(); err != nil {
			return fmt.Errorf("%w (without a screen: tidings demo --listen-only)", err)
		}
	}
	server, err := demo.Start(ctx, demo.Options{Seed: o.seed, Rate: o.rate, Messages: o.messages})
	if err != nil {
		return fmt.Errorf("the demo's server could not be started: %w", err)
	}
	defer server.Close()
	if o.listenOnly {
		fmt.Fprintf(p.Stdout, "IMAP without TLS on %s\nuser      %s\npassword  %s\nInterrupt (Ctrl+C) to end it.\n",
			server.Addr(), server.User(), server.Password())
		<-ctx.Done()
		return nil
	}
	w, err := demoAccount(server)
	if err != nil {
		return err
	}
	out := p.newWays(config.UI{})
	defer out.close()
	return p.show(ctx, []watched{w}, ui.Options{Ways: out, Notice: ui.NoticeBell, Demo: true, Keywords: labels(config.DefaultKeywords())})
}

// demoAccount watches the demo server as any account is watched.
func demoAccount(server *demo.Server) (watched, error) {
	host, portText, err := net.SplitHostPort(server.Addr())
	if err != nil {
		return watched{}, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return watched{}, err
	}
	a := config.Account{
		Name:    "demo",
		Host:    host,
		Port:    port,
		TLS:     config.TLSNone,
		User:    server.User(),
		Mailbox: "INBOX",
		Watch:   config.WatchIdle,
		Probe:   time.Minute,
	}
	return watch(a, demoCredentials{server}, newAccountLog(), nil, keeping{Cache: config.Cache{Bodies: 16 << 20, Backfill: config.BackfillAll, Prefetch: true}, memory: true})
}

type demoCredentials struct{ server *demo.Server }

func (c demoCredentials) Secret(context.Context) (imapsession.Secret, error) {
	return imapsession.Secret{User: c.server.User(), Password: c.server.Password()}, nil
}
