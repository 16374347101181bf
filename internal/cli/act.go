package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidings/imapsession"
	"tidings/internal/message"
	"tidings/internal/safetext"
	"tidings/store"
	"tidings/store/query"
)

// takesHeadless adds the flags of a command without a screen.
func takesHeadless(c *cobra.Command, o *headlessOptions) {
	takesAccounts(c, &o.config, &o.accounts, "the account with this `NAME`; needed where the config has several")
	c.Flags().StringVar(&o.mailbox, "mailbox", "", "in this `FOLDER` (default: the one that the config names, mostly INBOX)")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON, for scripts")
	c.Flags().DurationVar(&o.timeout, "timeout", longest, "how long the connection may take")
}

// headlessCommands are the twins of what the keys do, for scripts.
func (p Program) headlessCommands() []*cobra.Command {
	return []*cobra.Command{
		p.listCommand(), p.searchCommand(), p.readCommand(),
		p.flagCommand(), p.moveCommand(), p.archiveCommand(), p.deleteCommand(),
	}
}

func (p Program) listCommand() *cobra.Command {
	var o headlessOptions
	var n int
	c := &cobra.Command{
		Use:   "list",
		Short: "Print the newest messages of a folder",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if n < 1 || n > 100_000 {
				return usagef("--limit is a number from 1 to 100000")
			}
			return p.with(c.Context(), o, min(n, 1000), func(ctx context.Context, h *headless) error {
				rows := h.list.Len()
				if err := h.known(ctx, max(rows-n, 0), rows); err != nil {
					return err
				}
				return p.printRows(ctx, h, o, h.list.UIDs(max(h.list.Len()-n, 0), h.list.Len()))
			})
		},
	}
	takesHeadless(c, &o)
	c.Flags().IntVarP(&n, "limit", "n", 20, "print at most `N` messages")
	return c
}

// known waits until the rows [lo,hi) are known, a screen of them at a time.
func (h *headless) known(ctx context.Context, lo, hi int) error {
	const screen = 200
	for top := hi; top > lo; top -= screen {
		from := max(top-screen, lo)
		if !h.list.UnknownIn(from, top) {
			continue
		}
		h.session.SetVisible(imapsession.Visible{Epoch: h.resync.Epoch, Lo: uint32(from + 1), Hi: uint32(top)})
		if err := h.until(ctx, func() bool { return !h.list.UnknownIn(from, min(top, h.list.Len())) }); err != nil {
			return err
		}
	}
	return nil
}

func (p Program) searchCommand() *cobra.Command {
	var o headlessOptions
	var n int
	c := &cobra.Command{
		Use:   "search QUERY...",
		Short: "Print the messages that match a query, newest first",
		Long: `Print the messages that match a query, newest first. The query is the one that
"/" takes on screen: words, "phrases", from: to: cc: subject: body: list:
is:unread is:flagged is:answered has:attachment before: since: on: larger:
smaller:, negated with -, joined by or; quote it, so that the shell leaves it
alone and a - in it is no flag. The server is asked.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("say what to search for")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			q, err := query.Parse(text, time.Now())
			if err != nil {
				return usagef("%s: %w", text, err)
			}
			return p.with(c.Context(), o, 1, func(ctx context.Context, h *headless) error {
				if _, err := h.do(ctx, imapsession.Search{Target: h.target(), Query: q}); err != nil {
					return err
				}
				found := slices.Compact(slices.Sorted(slices.Values(h.found)))
				if n > 0 && len(found) > n {
					found = found[len(found)-n:]
				}
				if err := p.printRows(ctx, h, o, found); err != nil {
					return err
				}
				if len(found) == 0 {
					return errSaid // as grep does
				}
				return nil
			})
		},
	}
	takesHeadless(c, &o)
	c.Flags().IntVarP(&n, "limit", "n", 100, "print at most `N` messages (0: all)")
	return c
}

func (p Program) readCommand() *cobra.Command {
	var o headlessOptions
	var mark, raw bool
	c := &cobra.Command{
		Use:   "read UID",
		Short: "Print a message as the reading pane shows it",
		Args:  someUIDs(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			uids, err := parseUIDs(args)
			if err != nil {
				return err
			}
			return p.with(c.Context(), o, 1, func(ctx context.Context, h *headless) error {
				if _, err := h.do(ctx, imapsession.FetchBody{Target: h.target(uids...), Limit: maxShow}); err != nil {
					return err
				}
				w := bufio.NewWriter(p.Stdout)
				var written error
				switch m := message.Parse(h.body.Data, h.body.Truncated); {
				case raw:
					_, written = w.Write(h.body.Data)
				case o.json:
					written = writeJSON(w, m)
				default:
					writeMessage(w, m, 0)
				}
				if err := errors.Join(written, w.Flush()); err != nil {
					return fmt.Errorf("the output could not be written: %w", err)
				}
				if mark {
					_, err := h.do(ctx, imapsession.StoreFlags{Target: h.target(uids...), Add: []string{`\Seen`}})
					return err
				}
				return nil
			})
		},
	}
	takesHeadless(c, &o)
	c.Flags().BoolVar(&mark, "mark", false, "mark it read")
	c.Flags().BoolVar(&raw, "raw", false, "print it as it came, for a file or a pipe")
	return c
}

func (p Program) flagCommand() *cobra.Command {
	var o headlessOptions
	var add, remove []string
	c := &cobra.Command{
		Use:   "flag [--add FLAG] [--remove FLAG] UID...",
		Short: "Add and remove flags: seen, flagged, answered, draft, or any keyword",
		Args:  someUIDs(1, 0),
		RunE: func(c *cobra.Command, args []string) error {
			if len(add)+len(remove) == 0 {
				return usagef("say which flag: --add seen, --remove flagged ...")
			}
			return p.act(c.Context(), o, args, func(_ context.Context, h *headless, uids []store.UID) (imapsession.Command, string, error) {
				return imapsession.StoreFlags{Target: h.target(uids...), Add: flagNames(add), Remove: flagNames(remove)}, "flagged", nil
			})
		},
	}
	takesHeadless(c, &o)
	c.Flags().StringArrayVar(&add, "add", nil, "add this `FLAG` (repeatable)")
	c.Flags().StringArrayVar(&remove, "remove", nil, "remove this `FLAG` (repeatable)")
	return c
}

// flagNames are flags as IMAP names them: "seen" is \Seen, what is no system flag
// is a keyword.
func flagNames(names []string) []string {
	var flags []string
	for _, n := range names {
		switch strings.ToLower(strings.TrimPrefix(n, `\`)) {
		case "seen", "read":
			n = `\Seen`
		case "flagged":
			n = `\Flagged`
		case "answered":
			n = `\Answered`
		case "draft":
			n = `\Draft`
		case "deleted":
			n = `\Deleted`
		}
		flags = append(flags, n)
	}
	return flags
}

func (p Program) moveCommand() *cobra.Command {
	var o headlessOptions
	var to string
	c := &cobra.Command{
		Use:   "move --to FOLDER UID...",
		Short: "Move messages to another folder",
		Args:  someUIDs(1, 0),
		RunE: func(c *cobra.Command, args []string) error {
			if to == "" {
				return usagef("say into which folder: --to FOLDER")
			}
			return p.act(c.Context(), o, args, func(_ context.Context, h *headless, uids []store.UID) (imapsession.Command, string, error) {
				return imapsession.Move{Target: h.target(uids...), Dest: to}, "moved to " + to, nil
			})
		},
	}
	takesHeadless(c, &o)
	c.Flags().StringVar(&to, "to", "", "move to this `FOLDER`")
	return c
}

func (p Program) archiveCommand() *cobra.Command {
	return p.roleCommand("archive UID...", "Move messages to the archive", "archive", func(h *headless) string { return h.account.Archive })
}

func (p Program) deleteCommand() *cobra.Command {
	return p.roleCommand("delete UID...", "Move messages to the trash", "trash", func(h *headless) string { return h.account.Trash })
}

// roleCommand moves messages to the folder of a role.
func (p Program) roleCommand(use, short, role string, named func(*headless) string) *cobra.Command {
	var o headlessOptions
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  someUIDs(1, 0),
		RunE: func(c *cobra.Command, args []string) error {
			return p.act(c.Context(), o, args, func(ctx context.Context, h *headless, uids []store.UID) (imapsession.Command, string, error) {
				f, err := h.folderFor(ctx, role, named(h))
				if err != nil {
					return nil, "", err
				}
				return imapsession.Move{Target: h.target(uids...), Dest: f.Raw}, "moved to " + f.Name.String(), nil
			})
		},
	}
	takesHeadless(c, &o)
	return c
}

// act has a command done on the messages that the arguments name.
func (p Program) act(ctx context.Context, o headlessOptions, args []string, command func(context.Context, *headless, []store.UID) (imapsession.Command, string, error)) error {
	uids, err := parseUIDs(args)
	if err != nil {
		return err
	}
	return p.with(ctx, o, 1, func(ctx context.Context, h *headless) error {
		c, done, err := command(ctx, h, uids)
		if err != nil {
			return err
		}
		r, err := h.do(ctx, c)
		if o.json {
			out := struct {
				Done bool   `json:"done"`
				Note string `json:"note,omitempty"`
				Err  string `json:"error,omitempty"`
			}{Done: err == nil, Note: r.Note.String()}
			if err != nil {
				out.Err = cleaned(err.Error())
			}
			if written := json.NewEncoder(p.Stdout).Encode(out); written != nil {
				return written
			}
			if err != nil {
				return errSaid
			}
			return nil
		}
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%d %s", len(uids), done)
		if !r.Note.IsEmpty() {
			line += ": " + r.Note.String()
		}
		fmt.Fprintln(p.Stdout, safetext.Clean(line))
		return nil
	})
}

// someUIDs wants at least lo arguments, and at most hi where that is not 0.
func someUIDs(lo, hi int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < lo:
			return usagef("name a message by its UID, as %s list prints it", c.Root().Name())
		case hi > 0 && len(args) > hi:
			return usagef("name one message")
		}
		_, err := parseUIDs(args)
		return err
	}
}

// maxRange is how many UIDs a range on the command line may stand for.
const maxRange = 100_000

// parseUIDs reads UIDs and ranges of them: 17 20:25.
func parseUIDs(args []string) ([]store.UID, error) {
	var uids []store.UID
	for _, arg := range args {
		for _, part := range strings.Split(arg, ",") {
			first, last, ranged := strings.Cut(part, ":")
			lo, err := strconv.ParseUint(first, 10, 32)
			hi := lo
			if err == nil && ranged {
				hi, err = strconv.ParseUint(last, 10, 32)
			}
			if err != nil || lo == 0 || hi < lo || hi-lo >= maxRange {
				return nil, usagef("%q is no UID; a UID is a number such as 17, a range 17:25", part)
			}
			for u := lo; u <= hi; u++ {
				uids = append(uids, store.UID(u))
			}
		}
	}
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

// jsonRow is one message of a list.
type jsonRow struct {
	UID            uint32        `json:"uid"`
	UIDValidity    uint32        `json:"uid_validity"`
	Arrived        *string       `json:"arrived"` // INTERNALDATE, RFC 3339
	Date           *string       `json:"date"`
	From           []jsonAddress `json:"from"`
	To             []jsonAddress `json:"to"`
	Subject        string        `json:"subject"`
	MessageID      string        `json:"message_id"`
	Size           int64         `json:"size"`
	Flags          []string      `json:"flags"`
	HasAttachments bool          `json:"has_attachment"`
}

// printRows prints messages, newest first.
func (p Program) printRows(ctx context.Context, h *headless, o headlessOptions, uids []store.UID) error {
	if err := h.describe(ctx, uids); err != nil {
		return err
	}
	w := bufio.NewWriter(p.Stdout)
	if o.json {
		w.WriteString("[")
	}
	printed := 0
	for _, uid := range slices.Backward(uids) {
		s := h.sums[uid]
		if s == nil {
			continue // gone meanwhile
		}
		var flags []string
		if i, ok := h.list.Find(uid); ok {
			flags = h.list.Row(i).Flags.Names()
		}
		if o.json {
			if printed > 0 {
				w.WriteString(",\n")
			}
			if err := writeRow(w, h.resync.UIDValidity, s, flags); err != nil {
				return err
			}
		} else {
			printRow(w, s, flags)
		}
		printed++
	}
	if o.json {
		w.WriteString("]\n")
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("the output could not be written: %w", err)
	}
	return nil
}

func printRow(w *bufio.Writer, s *store.Summary, flags []string) {
	mark := func(flag, set string) string {
		if slices.Contains(flags, flag) {
			return set
		}
		return "-"
	}
	unread := "N"
	if slices.Contains(flags, `\Seen`) {
		unread = "-"
	}
	from := safetext.Const("(no sender)")
	if len(s.From) > 0 {
		if from = s.From[0].Name; from.IsEmpty() {
			from = s.From[0].Addr
		}
	}
	at := s.Internal
	if at.IsZero() {
		at = s.Date
	}
	fmt.Fprintf(w, "%d\t%s%s%s\t%s\t%s\t%s\n", s.UID, unread, mark(`\Flagged`, "F"), mark(`\Answered`, "A"),
		at.Local().Format("2006-01-02 15:04"), from, s.Subject)
}

func writeRow(w *bufio.Writer, validity uint32, s *store.Summary, flags []string) error {
	stamp := func(t time.Time) *string {
		if t.IsZero() {
			return nil
		}
		out := t.Format(time.RFC3339)
		return &out
	}
	addresses := func(as []store.Address) []jsonAddress {
		out := make([]jsonAddress, 0, len(as))
		for _, a := range as {
			out = append(out, jsonAddress{a.Name.String(), a.Addr.String()})
		}
		return out
	}
	clean := make([]string, 0, len(flags))
	for _, f := range flags {
		clean = append(clean, cleaned(f))
	}
	b, err := json.Marshal(jsonRow{
		UID: uint32(s.UID), UIDValidity: validity, Arrived: stamp(s.Internal), Date: stamp(s.Date),
		From: addresses(s.From), To: addresses(s.To), Subject: s.Subject.String(), MessageID: cleaned(s.MessageID),
		Size: s.Size, Flags: clean, HasAttachments: s.Mixed,
	})
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
