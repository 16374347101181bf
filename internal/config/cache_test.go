package config

import (
	"strings"
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	const account = "[[account]]\nname = \"a\"\nhost = \"h.example\"\nuser = \"u\"\n"
	for _, c := range []struct {
		text    string
		want    Cache
		problem string
	}{
		{"", Cache{64 << 20, BackfillAll, true}, ""},
		{"bodies = \"1GB\"\nbackfill = \"90d\"\nprefetch = false", Cache{1 << 30, 90 * 24 * time.Hour, false}, ""},
		{"bodies = \"off\"\nbackfill = \"off\"", Cache{Prefetch: true}, ""},
		{"bodies = \"2048 kb\"", Cache{2 << 20, BackfillAll, true}, ""},
		{"bodies = \"4KB\"", Cache{}, `bodies`},
		{"bodies = \"64\"", Cache{}, `bodies`},
		{"bodies = 64", Cache{}, `without a unit`},
		{"bodies = \"99999999999MB\"", Cache{}, `bodies`},
		{"bodies = \"\"", Cache{}, `bodies`},
		{"backfill = \"90\"", Cache{}, `"90d"`},
		{"backfill = \"0d\"", Cache{}, `"90d"`},
		{"backfil = \"all\"", Cache{}, `did you mean backfill`},
	} {
		cfg, err := parse("config.toml", []byte("[cache]\n"+c.text+"\n"+account))
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%q: %v, want a problem with %q", c.text, err, c.problem)
			}
		case err != nil:
			t.Errorf("%q: %v", c.text, err)
		case cfg.Cache != c.want:
			t.Errorf("%q: %+v, want %+v", c.text, cfg.Cache, c.want)
		}
	}
	if _, err := parse("config.toml", []byte("cache = 1\n"+account)); err == nil || !strings.Contains(err.Error(), "[cache]") {
		t.Errorf("cache = 1: %v", err)
	}
}
