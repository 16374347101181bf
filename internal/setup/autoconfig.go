package setup

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxAutoconfig bounds the document; real ones have 2 KB.
const maxAutoconfig = 256 << 10

// autoconfigURLs are where a domain keeps its document. Only https: what comes by
// http anybody on the way could have written, and it says where the password is
// sent.
func autoconfigURLs(a Address) []string {
	return []string{
		"https://autoconfig." + a.Domain + "/mail/config-v1.1.xml?emailaddress=" + url.QueryEscape(a.Full),
		"https://" + a.Domain + "/.well-known/autoconfig/mail/config-v1.1.xml",
	}
}

// autoconfig fetches the domain's document and returns the IMAP servers in it.
func (f Finder) autoconfig(ctx context.Context, a Address) []Server {
	transport := f.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = -1
		t.DisableKeepAlives = true
		t.MaxResponseHeaderBytes = 64 << 10
		transport = t
	}
	client := http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if next.URL.Scheme != "https" || len(via) > 3 {
			return errors.New("it leads away from https")
		}
		return nil
	}}
	for _, address := range autoconfigURLs(a) {
		data, err := fetch(ctx, &client, address)
		if err != nil {
			continue
		}
		if servers, err := parseAutoconfig(data, a); err == nil {
			return servers
		}
	}
	return nil
}

func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/xml, application/xml")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAutoconfig+1))
	if err == nil && len(data) > maxAutoconfig {
		err = errors.New("too large")
	}
	return data, err
}

// clientConfig is the part of the document (config-v1.1.xml) that concerns us.
type clientConfig struct {
	XMLName   xml.Name `xml:"clientConfig"`
	Providers []struct {
		Incoming []struct {
			Type           string   `xml:"type,attr"`
			Hostname       string   `xml:"hostname"`
			Port           string   `xml:"port"`
			SocketType     string   `xml:"socketType"`
			Username       string   `xml:"username"`
			Authentication []string `xml:"authentication"`
		} `xml:"incomingServer"`
	} `xml:"emailProvider"`
}

// parseAutoconfig returns the document's IMAP servers that have TLS, in its
// order. Whatever stands in it, the hosts, ports and users that come out are fit
// for a config.
func parseAutoconfig(data []byte, a Address) ([]Server, error) {
	var doc clientConfig
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = true
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	var out []Server
	for _, p := range doc.Providers {
		for _, in := range p.Incoming {
			if !strings.EqualFold(strings.TrimSpace(in.Type), "imap") || len(out) == maxCandidates {
				continue
			}
			s := Server{User: a.Full, Source: FromAutoconfig}
			switch strings.ToUpper(strings.TrimSpace(in.SocketType)) {
			case "SSL":
				s.Security = Implicit
			case "STARTTLS":
				s.Security = StartTLS
			default:
				continue // unprotected
			}
			s.Host = strings.ToLower(strings.TrimSuffix(fillIn(in.Hostname, a), "."))
			port, err := strconv.ParseUint(strings.TrimSpace(in.Port), 10, 16)
			if err != nil || port == 0 || !validHost(s.Host) {
				continue
			}
			s.Port = int(port)
			if user := fillIn(in.Username, a); user != "" && validUser(user) {
				s.User = user
			}
			s.Provider = ProviderByHost(s.Host)
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it names no IMAP server with TLS")
	}
	return out, nil
}

// fillIn puts the address into a value's placeholders.
func fillIn(value string, a Address) string {
	return strings.NewReplacer(
		"%EMAILADDRESS%", a.Full, "%EMAILLOCALPART%", a.Local, "%EMAILDOMAIN%", a.Domain,
	).Replace(strings.TrimSpace(value))
}

// validUser tells whether a user's name is one that a config takes.
func validUser(s string) bool {
	if len(s) > 256 {
		return false
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == 0xfffd || r > 0x7e {
			return false
		}
	}
	return true
}
