package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tidings/internal/config"
	"tidings/internal/safetext"
	"tidings/internal/setup"
)

// where finds the server, or asks for it.
func (s *setting) where() error {
	if s.host != "" {
		if err := s.byHand(s.host, s.port); err != nil {
			return usageError{err}
		}
		return nil
	}
	if why := setup.Without(s.address); why != "" {
		if s.d == nil {
			return errors.New(why)
		}
		s.d.say(safetext.Clean(why + "."))
		return s.askHost(setup.Server{})
	}
	s.tell("Looking for the server of %s ...", s.address.Domain)
	finder := s.finder
	found := finder.Find(s.ctx, s.address)
	if s.ctx.Err() != nil {
		return errNoAnswer
	}
	switch likely := found.Likely; {
	case found.Server != nil:
	case s.d == nil && likely != nil && (s.noLogin || s.print):
		found.Server = likely
	case s.d == nil && likely != nil:
		return fmt.Errorf("%s: see whether this machine is online, or write the account all the same with --no-login", found.Why)
	case s.d == nil:
		return fmt.Errorf("%s; name the server with --host (and --port, --tls)", found.Why)
	case likely != nil:
		s.d.say(safetext.Format("%s: is this machine online?", sentence(found.Why.String())))
		return s.askHost(*likely)
	default:
		s.d.say(safetext.Format("%s. Please name it yourself:", sentence(found.Why.String())))
		return s.askHost(setup.Server{})
	}
	s.server = *found.Server
	s.about = fmt.Sprintf("%s was %s.", s.server.Host, s.server.Source)
	if found.Likely != nil {
		return nil
	}
	s.tell("Found %s, port %d, TLS (%s; its certificate is valid).", s.server.Host, s.server.Port, string(s.server.Source))
	if s.server.Foreign {
		if s.d == nil {
			return fmt.Errorf("%s is not below %s, and DNS alone, which can be forged, names it; if it is the right one, say --host %s", s.server.Host, s.address.Domain, s.server.Host)
		}
		s.tell("It is not below %s, and only DNS names it, which can be forged on the way.", s.address.Domain)
	}
	if s.d != nil {
		right, err := s.d.yes("Is that the right server?", !s.server.Foreign)
		if err != nil {
			return err
		}
		if !right {
			return s.askHost(setup.Server{})
		}
	}
	return nil
}

// askHost asks for host, port and user; likely is what is offered, where it has a
// host.
func (s *setting) askHost(likely setup.Server) error {
	if likely.Host == "" {
		likely = setup.Server{Host: "imap." + s.address.Domain, Port: 993}
	}
	for {
		host, err := s.askFor("Server (IMAP)", likely.Host, "host", func(a *config.Account, text string) error { a.Host = text; return nil })
		if err != nil {
			return err
		}
		port := s.port
		if port == 0 {
			text, err := s.askFor("Port (993: TLS; 143: STARTTLS)", strconv.Itoa(likely.Port), "port", func(a *config.Account, text string) (err error) {
				if a.Port, err = strconv.Atoi(text); err != nil {
					return fmt.Errorf("port is %.20q; expected a whole number from 1 to 65535", text)
				}
				return nil
			})
			if err != nil {
				return err
			}
			port, _ = strconv.Atoi(text)
		}
		if err := s.byHand(host, port); err != nil {
			s.d.say(sentence(err.Error()))
			continue
		}
		if s.user != "" {
			return nil
		}
		if likely.User != "" {
			s.server.User = likely.User
		}
		s.server.User, err = s.askFor("User name", s.server.User, "user", func(a *config.Account, text string) error { a.User = text; return nil })
		return err
	}
}

// askFor asks for what will be an option of the account until a config would take it.
func (s *setting) askFor(question, offered, key string, put func(a *config.Account, text string) error) (string, error) {
	for {
		text, err := s.d.line(question, offered)
		if err != nil {
			return "", err
		}
		a := likelyAccount()
		if err = put(&a, text); err == nil {
			_, err = setup.Read(s.path, a, key)
		}
		if err == nil {
			return text, nil
		}
		s.d.say(sentence(err.Error()))
	}
}

// likelyAccount is one that a config takes.
func likelyAccount() config.Account {
	return config.Account{Name: "mail", Host: "imap.example.org", Port: 993, TLS: config.TLSImplicit, User: "alice"}
}

// byHand takes a server that the person has named, and looks at it. A port of 0 is
// the usual one.
func (s *setting) byHand(host string, port int) error {
	a := likelyAccount()
	a.Host, a.Port, a.TLS, a.CAFile = host, port, config.TLS(s.tls), s.caFile
	switch {
	case a.TLS == "" && a.Port == 143:
		a.TLS = config.TLSStart
	case a.TLS == "":
		a.TLS = config.TLSImplicit
	}
	if a.Port == 0 {
		a.Port = 993
		if a.TLS != config.TLSImplicit {
			a.Port = 143
		}
	}
	if _, err := setup.Read(s.path, a, "host", "port", "tls", "ca_file"); err != nil {
		return err
	}
	s.server = setup.Server{Host: host, Port: a.Port, User: s.address.Full, Provider: setup.ProviderByHost(host)}
	s.about = ""
	s.account.TLS = a.TLS
	if a.TLS == config.TLSStart {
		s.server.Security = setup.StartTLS
	}
	if a.TLS != config.TLSNone && !s.noLogin && !s.print {
		s.look(a)
	}
	return nil
}

// lookTime is how long a look at a server that the person has named may take.
const lookTime = 4 * time.Second

// look finds out how the server lets people in. That it cannot be reached, or is
// not trusted, is said when signing in is tried.
func (s *setting) look(a config.Account) {
	trust, err := a.TLSConfig()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, lookTime)
	defer cancel()
	finder := s.finder
	if finder.TLS == nil {
		finder.TLS = trust
	}
	_ = finder.Probe(ctx, &s.server)
}
