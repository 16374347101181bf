package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// people, topics and words make narrow, unremarkable mail of the size that
// office mail has: about 2.5 KiB, 700 octets of it in header fields that a list
// needs.
var (
	people = []string{"Deploy Robot", "Help Desk", "Front Desk", "Build Robot", "IT Desk",
		"Town Planning", "Press Office", "Print Room", "Ops Watch", "Choir Office"}
	topics = []string{"Deploy window", "Quarterly figures", "Invoice", "Lunch on Thursday",
		"Build is broken", "Travel plans", "Backup report", "Draft for review", "Meeting moved",
		"Access to the archive"}
	words = strings.Fields(`the a this that we you they release server report number
		morning evening change question answer please thanks regards soon later week
		plan draft review window archive message folder list figure result`)
)

// epoch is the date of message 0; each message comes seven minutes later, so
// that the order by number, by date and by arrival is the same.
var epoch = time.Date(2024, 1, 8, 6, 0, 0, 0, time.UTC)

// Subject is message n's subject; no two are alike.
func Subject(n int) string {
	return fmt.Sprintf("%s no %06d", topics[n%len(topics)], n)
}

// Message is message n in full, with CRLF line ends. The same n gives the same
// octets.
func Message(n int) []byte {
	return MessageWithSubject(n, Subject(n))
}

// MessageWithSubject is Message(n) under another subject.
func MessageWithSubject(n int, subject string) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	from, to := people[r.IntN(len(people))], people[r.IntN(len(people))]
	date := epoch.Add(time.Duration(n) * 7 * time.Minute)
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	line("Return-Path: <%s>", address(from))
	for hop := range 2 {
		line("Received: from mx%d.example.net (mx%d.example.net [192.0.2.%d])", hop, hop, r.IntN(250)+1)
		line("\tby mail.example.org (Postfix) with ESMTPS id %012X", r.Uint64()>>16)
		line("\tfor <%s>; %s", address(to), date.Format(time.RFC1123Z))
	}
	line("Message-ID: <%016x.%d@example.net>", r.Uint64(), n)
	line("Date: %s", date.Format(time.RFC1123Z))
	line("From: %s <%s>", from, address(from))
	line("To: %s <%s>", to, address(to))
	if n%3 == 0 {
		cc := people[r.IntN(len(people))]
		line("Cc: %s <%s>", cc, address(cc))
	}
	line("Subject: %s", subject)
	if n%2 == 1 {
		line("In-Reply-To: <%016x.%d@example.net>", r.Uint64(), n-1)
		line("References: <%016x.%d@example.net>", r.Uint64(), n-2)
		line(" <%016x.%d@example.net>", r.Uint64(), n-1)
	}
	if n%5 == 0 {
		line("List-Id: Announcements <announce.lists.example.net>")
	}
	line("MIME-Version: 1.0")
	line("Content-Type: text/plain; charset=utf-8")
	line("X-Mailer: Example 1.0")
	line("")
	for range 6 + r.IntN(20) {
		var l []string
		for range 9 + r.IntN(4) {
			l = append(l, words[r.IntN(len(words))])
		}
		line("%s.", strings.Join(l, " "))
	}
	return b.Bytes()
}

func address(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.org"
}

// WriteMaildir makes a Maildir of messages 0 to n-1 in dir; every tenth is
// unread. It does nothing where dir was made by an earlier run.
func WriteMaildir(dir string, n int) error {
	done := filepath.Join(dir, fmt.Sprintf("bench-%d", n))
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for i := range n {
		m := bytes.ReplaceAll(Message(i), []byte("\r\n"), []byte("\n"))
		if err := os.WriteFile(filepath.Join(dir, "cur", maildirName(i, len(m))), m, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(done, nil, 0o644)
}

// maildirName orders by number, says the size so that the server need not ask
// the file system, and carries the flags.
func maildirName(i, size int) string {
	flags := "S"
	if i%10 == 0 {
		flags = ""
	}
	at := epoch.Add(time.Duration(i) * 7 * time.Minute).Unix()
	return fmt.Sprintf("%d.M%06dP1.bench,S=%d:2,%s", at, i%1000000, size, flags)
}

// WriteUniformMaildir makes a Maildir of n messages of which all but the
// newest few are the same file under other names: quick to make, and to a
// program that opens it no different, since nobody reads the old ones.
func WriteUniformMaildir(dir string, n, distinct int) error {
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	const linksPerFile = 30_000 // file systems allow 65,000 (ext4) or fewer
	var shared string
	var size int
	for i := range n {
		uniform := i < n-distinct
		if uniform && i%linksPerFile != 0 {
			if err := os.Link(shared, filepath.Join(dir, "cur", maildirName(i, size))); err != nil {
				return err
			}
			continue
		}
		m := bytes.ReplaceAll(Message(i), []byte("\r\n"), []byte("\n"))
		path := filepath.Join(dir, "cur", maildirName(i, len(m)))
		if err := os.WriteFile(path, m, 0o644); err != nil {
			return err
		}
		if uniform {
			shared, size = path, len(m)
		}
	}
	return nil
}
