package imapsession

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidings/internal/demo"
	"tidings/internal/testserver"
)

// The demo's life, at a pace that nobody lives at, while the session works.
func TestDemoIsFollowed(t *testing.T) {
	srv, err := demo.Start(t.Context(), demo.Options{Seed: 5, Messages: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	cfg := configFor(t, srv.Addr(), srv.User(), srv.Password())
	cfg.FirstWindow = 5000
	f, _ := start(t, cfg)
	f.live(1)
	rng := rand.New(rand.NewPCG(5, 5))
	for n := range 1000 {
		srv.Step()
		if n%10 == 0 {
			if _, id, ok := act(f, rng); ok {
				f.result(id)
			}
		}
	}
	want := []testserver.Row{}
	for _, r := range srv.Rows("INBOX") {
		row := testserver.Row{UID: r.UID, Flags: []string{}}
		for _, name := range r.Flags {
			if name != "\\Recent" {
				row.Flags = append(row.Flags, strings.ToLower(name)) // keywords have no case
			}
		}
		slices.Sort(row.Flags)
		want = append(want, row)
	}
	deadline := time.Now().Add(patience)
	for {
		f.mu.Lock()
		got := rows(f.list)
		f.mu.Unlock()
		for i := range got {
			for j, name := range got[i].Flags {
				got[i].Flags[j] = strings.ToLower(name)
			}
			slices.Sort(got[i].Flags)
		}
		if sameRows(got, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the list is not the server's (-server +ours):\n%s", cmp.Diff(want, got))
		}
		f.wait()
	}
	if len(f.resyncs) != 1 {
		t.Errorf("%d resyncs: the list disagreed with the server meanwhile", len(f.resyncs))
	}
}
