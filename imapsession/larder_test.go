package imapsession

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidings/store"
)

func TestKeptBodyIsReadFromTheCache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 50)
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache = cache
		f, stop := start(t, cfg)
		f.live(1)
		id := f.s.Do(FetchBody{Target: f.target(40)})
		f.result(id)
		target := f.target(40)
		if string(cache.bodies[40]) != fakeBody(40) {
			t.Fatalf("%d octets are kept", len(cache.bodies[40]))
		}
		fetched := len(srv.said("BODY.PEEK[]"))
		id = f.s.Do(FetchBody{Target: target})
		f.result(id)
		if b := f.bodies[id]; string(b.Data) != fakeBody(40) || !b.Complete || b.Truncated || b.Size != int64(len(b.Data)) {
			t.Errorf("opened again: %d octets, complete %v", len(b.Data), b.Complete)
		}
		id = f.s.Do(FetchBody{Target: target, Limit: 100})
		f.result(id)
		if b := f.bodies[id]; len(b.Data) != 100 || !b.Complete || !b.Truncated {
			t.Errorf("with a limit: %d octets, complete %v, truncated %v", len(b.Data), b.Complete, b.Truncated)
		}
		if n := len(srv.said("BODY.PEEK[]")); n != fetched {
			t.Errorf("the server was asked %d times more", n-fetched)
		}
		stop()

		// The next run is without a network.
		srv.with(func() { srv.dialErr = errNoNetwork })
		f, _ = start(t, cfg)
		f.until("waiting", func() bool { return f.last().State == Waiting })
		began := time.Now()
		id = f.s.Do(FetchBody{Target: target})
		if r := f.result(id); r.Err != nil || string(f.bodies[id].Data) != fakeBody(40) {
			t.Errorf("offline: %v, %d octets", r.Err, len(f.bodies[id].Data))
		}
		if d := time.Since(began); d > 0 {
			t.Errorf("offline it took %v", d)
		}
		id = f.s.Do(FetchBody{Target: Target{Mailbox: "INBOX", UIDValidity: target.UIDValidity, UIDs: []store.UID{41}}})
		synctest.Wait()
		if _, ended := f.results[id]; ended {
			t.Error("a message that is not kept was not waited for")
		}
	})
}

func TestKeptBodyIsReadAfterAFatalRefusal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 50)
		cache := newFakeCache()
		cache.bodies[40] = []byte(fakeBody(40))
		srv.on = refuse("AUTHENTICATE", "NO [AUTHENTICATIONFAILED] no")
		cfg := srv.config()
		cfg.Cache = cache
		f, stop := start(t, cfg)
		f.until("offline", func() bool { return f.last().Fatal })
		target := Target{Mailbox: "INBOX", UIDValidity: 7, UIDs: []store.UID{40}}
		id := f.s.Do(FetchBody{Target: target})
		if r := f.result(id); r.Err != nil || string(f.bodies[id].Data) != fakeBody(40) {
			t.Errorf("%v, %d octets", r.Err, len(f.bodies[id].Data))
		}
		target.UIDs = []store.UID{41}
		if r := f.do(FetchBody{Target: target}); r.Err == nil || !strings.Contains(r.Err.Error(), "not connected") {
			t.Errorf("one that is not kept: %v", r.Err)
		}
		stop()
	})
}

func TestNextUnreadIsFetchedAhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 50)
		for i := range srv.rows {
			if uid := i + 1; uid != 30 && uid != 38 && uid != 47 {
				srv.rows[i].flags = `\Seen`
			}
		}
		cache := newFakeCache()
		cfg := srv.config()
		cfg.Cache, cfg.Prefetch = cache, true
		f, _ := start(t, cfg)
		f.live(1)
		srv.idling(t)
		if len(cache.bodies) != 0 {
			t.Fatalf("%d messages were fetched before anybody looked", len(cache.bodies))
		}
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 31, Hi: 50})
		srv.idling(t)
		if len(cache.bodies) != 1 || string(cache.bodies[47]) != fakeBody(47) {
			t.Fatalf("with the screen on 31 to 50 these are kept: %v", keys(cache.bodies))
		}
		f.result(f.s.Do(FetchBody{Target: f.target(40)}))
		srv.idling(t)
		if cache.bodies[38] == nil || cache.bodies[30] != nil {
			t.Fatalf("after 40 was opened these are kept: %v", keys(cache.bodies))
		}
		asked := len(srv.said("BODY.PEEK[]"))
		f.result(f.s.Do(FetchBody{Target: f.target(38)}))
		f.do(StoreFlags{Target: f.target(38), Add: []string{`\Seen`}})
		srv.idling(t)
		if cache.bodies[30] == nil {
			t.Errorf("after 38 was read these are kept: %v", keys(cache.bodies))
		}
		if n := len(srv.said("BODY.PEEK[]")) - asked; n != 1 {
			t.Errorf("opening a message that was fetched ahead, and the one after it: %d FETCHes", n)
		}
		for _, r := range srv.rows {
			if unread := r.uid == 30 || r.uid == 47; unread != (r.flags == "") {
				t.Errorf("message %d has flags %q", r.uid, r.flags)
			}
		}
		if n := len(srv.said("BODY[")); n != 0 {
			t.Errorf("%d FETCHes that mark as read", n)
		}
		f.inStep(srv)
	})
}

func TestLargeMessageIsNotFetchedAhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		srv := newFake(t, 2000) // the newest has 440 KB
		cfg := srv.config()
		cfg.Cache, cfg.Prefetch = newFakeCache(), true
		f, _ := start(t, cfg)
		f.live(1)
		f.s.SetVisible(Visible{Epoch: f.epoch, Lo: 1990, Hi: 2000})
		srv.idling(t)
		if n := len(srv.said("BODY.PEEK[]")); n != 0 {
			t.Errorf("%d FETCHes of its text", n)
		}
		if n := len(srv.said("UID FETCH 2000 (UID RFC822.SIZE)")); n != 1 {
			t.Errorf("its size was asked for %d times: %s", n, strings.Join(srv.said("RFC822.SIZE"), "; "))
		}
	})
}

func keys(m map[store.UID][]byte) []store.UID {
	var out []store.UID
	for u := range m {
		out = append(out, u)
	}
	return out
}
