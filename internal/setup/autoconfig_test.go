package setup

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestAutoconfigRefused: what is broken, too large, redirected to where anybody
// could answer, or names hosts that are none, is not followed.
func TestAutoconfigRefused(t *testing.T) {
	a, _ := ParseAddress("alice@example.org")
	good := document(incoming("imap", "imap.example.org", "993", "SSL", ""))
	for name, answer := range map[string]http.HandlerFunc{
		"not found": func(w http.ResponseWriter, r *http.Request) { http.Error(w, good, http.StatusNotFound) },
		"a page":    func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html><body>Welcome</body>") },
		"nothing":   func(http.ResponseWriter, *http.Request) {},
		"too large": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, good+strings.Repeat(" ", maxAutoconfig))
		},
		"cut short": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, good[:len(good)/2]) },
		"no IMAP":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, document()) },
		"to plain http": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://example.org/x", http.StatusFound)
		},
		"round and round": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
		"host with a newline": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, document(incoming("imap", "a.example.org\nport = 1", "993", "SSL", "")))
		},
		"port 0": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, document(incoming("imap", "a.example.org", "0", "SSL", "")))
		},
		"port 70000": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, document(incoming("imap", "a.example.org", "70000", "SSL", "")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.handle("autoconfig.example.org", answer)
			if got := w.finder().autoconfig(t.Context(), a); len(got) > 0 {
				t.Errorf("got %+v", got)
			}
			if w.hasDialed("example.org:80") {
				t.Error("it was followed to plain http")
			}
		})
	}
	w := newWorld(t)
	w.handle("autoconfig.example.org", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/mail/config-v1.1.xml" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, good)
	}))
	if got := w.finder().autoconfig(t.Context(), a); len(got) != 1 {
		t.Errorf("a redirect by https: %+v", got)
	}
}

func FuzzAutoconfig(f *testing.F) {
	f.Add([]byte(document(incoming("imap", "imap.example.org", "993", "SSL", "%EMAILADDRESS%"))), "alice@example.org")
	f.Add([]byte(document(incoming("imap", "%EMAILDOMAIN%", "143", "STARTTLS", "%EMAILLOCALPART%\x1b"))), "a%EMAILDOMAIN%@b.example")
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]><clientConfig><emailProvider>&a;`), "a@b.example")
	f.Add([]byte("<clientConfig>"+strings.Repeat("<emailProvider>", 1000)), "a@b.example")
	f.Fuzz(func(t *testing.T, data []byte, address string) {
		a, err := ParseAddress(address)
		if err != nil {
			return
		}
		servers, err := parseAutoconfig(data, a)
		if (len(servers) == 0) == (err == nil) || len(servers) > maxCandidates {
			t.Fatalf("%d servers, error %v", len(servers), err)
		}
		for _, s := range servers {
			if !validHost(s.Host) || s.Port < 1 || s.Port > 65535 || s.User != a.Full && !validUser(s.User) || s.Source != FromAutoconfig {
				t.Errorf("%+v", s)
			}
		}
	})
}
