package setup

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
)

// maxCandidates bounds how many hosts one domain can have us connect to.
const maxCandidates = 4

func (f Finder) resolver() Resolver {
	if f.Resolver != nil {
		return f.Resolver
	}
	return net.DefaultResolver
}

// srv asks for the SRV records of RFC 6186: _imaps before _imap, whose port has
// to speak STARTTLS.
func (f Finder) srv(ctx context.Context, a Address) ([]Server, error) {
	var out []Server
	var first error
	for _, service := range []struct {
		name     string
		security Security
	}{{"imaps", Implicit}, {"imap", StartTLS}} {
		_, records, err := f.resolver().LookupSRV(ctx, service.name, "tcp", a.Domain)
		if first == nil {
			first = err
		}
		for _, r := range records {
			host := strings.TrimSuffix(r.Target, ".")
			if !validHost(host) || r.Port == 0 || len(out) == maxCandidates { // "." says that there is no such service
				continue
			}
			s := Server{Host: strings.ToLower(host), Port: int(r.Port), Security: service.security, User: a.Full,
				Source: FromSRV, Foreign: !sameOwner(host, a.Domain), Provider: ProviderByHost(host)}
			// Where DNS names a provider that we know, it is that provider's own
			// certificate that has to pass: no forger has one.
			if s.Provider != nil {
				s.Foreign = false
			}
			out = append(out, s)
		}
	}
	return out, first
}

// mx looks whether the domain's mail goes to a provider that we know.
func (f Finder) mx(ctx context.Context, a Address) ([]Server, error) {
	records, err := f.resolver().LookupMX(ctx, a.Domain)
	slices.SortStableFunc(records, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	for _, r := range records {
		if p := providerByMX(r.Host); p != nil {
			return []Server{p.server(a, FromMX)}, nil
		}
	}
	return nil, err
}

// notFound tells that the name server answered: there is nothing.
func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// unanswered tells that nobody answered.
func unanswered(err error) bool { return err != nil && !notFound(err) }
