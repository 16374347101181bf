package bench

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Scrolled is what a program holds that has shown every row of a mailbox from its
// cache.
type Scrolled struct {
	Messages int
	Took     time.Duration // from the newest to the oldest, with pauses
	Loaded   Usage         // the index is loaded, nothing is scrolled yet
	Usage    Usage         // at the end
}

// pageDown is the key, burst how many of it are typed before the rows are waited
// for, rested how long nothing has to be written for them to be there.
const (
	pageDown = "\x1b[6~"
	burst    = 25
	rested   = 15 * time.Millisecond
)

// Scroll goes by pages through mailboxes of these sizes, from end to end, in the
// program at binary with the caches of WarmStarts.
func Scroll(h *Host, binary, work string, sizes []int) ([]Scrolled, error) {
	silent, err := silentServer()
	if err != nil {
		return nil, err
	}
	defer silent.Close()
	var all []Scrolled
	for _, n := range sizes {
		box := Mailbox{Addr: silent.Addr().String(), User: "warm", Password: "unused", Messages: n}
		home := filepath.Join(work, fmt.Sprintf("warm%d", n))
		if err := warmHome(home, box); err != nil {
			return nil, fmt.Errorf("make a cache of %d: %w", n, err)
		}
		config, err := TidingsConfig(home, box, "")
		if err != nil {
			return nil, err
		}
		s, err := scrollOnce(home, config, binary, box)
		if err != nil {
			return nil, fmt.Errorf("%d messages: %w", n, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func scrollOnce(home, config, binary string, box Mailbox) (Scrolled, error) {
	s := Scrolled{Messages: box.Messages}
	t, err := Start(Columns, Lines, homeEnv(home), binary, "--config", config)
	if err != nil {
		return s, err
	}
	defer t.Kill()
	if _, err := t.Wait(60*time.Second, "newest subjects", newest(box)); err != nil {
		return s, err
	}
	_ = t.Quiet(time.Second, 20*time.Second) // the index is loaded behind the first paint
	if s.Loaded, err = ReadUsage(t.Cmd.Process.Pid); err != nil {
		return s, err
	}
	began := t.Type("g")
	oldest := Subject(0)
	for pages := 0; !strings.Contains(t.Screen(), oldest); pages += burst {
		if pages*(Lines-10) > box.Messages+2*burst*Lines {
			return s, fmt.Errorf("the oldest message does not show after %d pages", pages)
		}
		if err := t.WaitOutput(t.Type(strings.Repeat(pageDown, burst)), 2*time.Second); err != nil {
			return s, err
		}
		_ = t.Quiet(rested, 2*time.Second)
	}
	s.Took = time.Since(began)
	s.Usage, err = ReadUsage(t.Cmd.Process.Pid)
	return s, err
}
