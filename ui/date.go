package ui

import (
	"strconv"
	"strings"
	"time"
)

// parseDay reads a day as a person types it: 2024-03-01, 2024-03 and 2024 (the
// first day of it), today, yesterday, a weekday (the last one before today), or
// how long ago: 3d, 2w, 6m, 1y.
func parseDay(s string, now time.Time) (day time.Time, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch s {
	case "":
		return time.Time{}, false
	case "today":
		return today, true
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	for d := 1; d <= 7; d++ {
		if at := today.AddDate(0, 0, -d); len(s) >= 3 && strings.HasPrefix(strings.ToLower(at.Weekday().String()), s) {
			return at, true
		}
	}
	for _, layout := range []string{"2006-1-2", "2006-1", "2006", "2 Jan 2006", "Jan 2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	if n, err := strconv.Atoi(s[:len(s)-1]); err == nil && n >= 0 && n < 10_000 {
		switch s[len(s)-1] {
		case 'd':
			return today.AddDate(0, 0, -n), true
		case 'w':
			return today.AddDate(0, 0, -7*n), true
		case 'm':
			return today.AddDate(0, -n, 0), true
		case 'y':
			return today.AddDate(-n, 0, 0), true
		}
	}
	return time.Time{}, false
}
