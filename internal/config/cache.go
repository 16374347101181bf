package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cache is the [cache] table: what is kept on disk between runs.
type Cache struct {
	Bodies int64 // octets of messages that were read; 0: none are kept
	// Backfill is how far back the headers of a mailbox are fetched ahead: 0 not
	// at all, BackfillAll everything.
	Backfill time.Duration
	// Prefetch: the next unread message is fetched before it is opened.
	Prefetch bool
}

// BackfillAll is backfill = "all".
const BackfillAll time.Duration = -1

func defaultCache() Cache { return Cache{Bodies: 64 << 20, Backfill: BackfillAll, Prefetch: true} }

var cacheOptions = []option[Cache]{
	{"bodies", func(c *Cache, v any, _ string) error { return size(&c.Bodies, v) }},
	{"backfill", func(c *Cache, v any, _ string) error { return days(&c.Backfill, v) }},
	{"prefetch", func(c *Cache, v any, _ string) error { return boolean(&c.Prefetch, v) }},
}

// maxBodies bounds bodies: a terabyte is a slip of the hand.
const maxBodies = 64 << 30

// size takes a number of octets with a unit; "off" is 0.
func size(into *int64, v any) error {
	const expected = `a size from 1MB to 64GB, such as "64MB", or "off"`
	if n, ok := v.(int64); ok {
		return fmt.Errorf("is %d without a unit; expected %s", n, expected)
	}
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	if s == "off" {
		*into = 0
		return nil
	}
	digits := strings.TrimRight(s, "KMGBkmgb ")
	n, err := strconv.ParseInt(digits, 10, 32)
	var unit int64
	switch strings.ToUpper(strings.TrimSpace(s[len(digits):])) {
	case "KB":
		unit = 1 << 10
	case "MB":
		unit = 1 << 20
	case "GB":
		unit = 1 << 30
	}
	if err != nil || unit == 0 || n*unit < 1<<20 || n*unit > maxBodies {
		return fmt.Errorf("is %.40q; expected %s", s, expected)
	}
	*into = n * unit
	return nil
}

// days takes a number of days; "off" is 0.
func days(into *time.Duration, v any) error {
	const expected = `"all", "off", or a number of days such as "90d"`
	s, err := str(v, expected)
	if err != nil {
		return err
	}
	switch s {
	case "all":
		*into = BackfillAll
		return nil
	case "off":
		*into = 0
		return nil
	}
	digits, ok := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > 36500 {
		return fmt.Errorf("is %.40q; expected %s", s, expected)
	}
	*into = time.Duration(n) * 24 * time.Hour
	return nil
}
