package setup

import (
	"slices"
	"strings"
)

// Provider is a large provider whose server and ways to sign in are known.
type Provider struct {
	Name string
	Host string
	Port int // always TLS from the first byte
	// OAuth2 is the preset of [account.oauth2], "" where there is none.
	OAuth2 string
	// OnlyOAuth2: it takes no password any more.
	OnlyOAuth2 bool
	// Hint says what a person has to do before the password works; "" nothing.
	Hint    string
	domains []string // "yahoo." stands for yahoo in every country
	mx      []string // where the mail of other domains goes that it hosts
}

const (
	appPassword = "with two-step verification on, make an app password and sign in with that: "
	imapOff     = "IMAP has to be switched on in the settings of its web mail first"
)

var providers = []Provider{
	{Name: "Gmail", Host: "imap.gmail.com", Port: 993, OAuth2: "google", Hint: appPassword + "https://myaccount.google.com/apppasswords",
		domains: []string{"gmail.com", "googlemail.com"}, mx: []string{"google.com", "googlemail.com", "smtp.goog"}},
	{Name: "Microsoft 365", Host: "outlook.office365.com", Port: 993, OAuth2: "microsoft", OnlyOAuth2: true,
		mx: []string{"mail.protection.outlook.com", "mx.microsoft"}},
	{Name: "Outlook.com", Host: "outlook.office365.com", Port: 993, OAuth2: "microsoft", OnlyOAuth2: true,
		domains: []string{"outlook.", "hotmail.", "live.", "msn.com", "passport.com"}, mx: []string{"olc.protection.outlook.com"}},
	{Name: "iCloud", Host: "imap.mail.me.com", Port: 993, Hint: "it takes app-specific passwords only; make one at https://account.apple.com",
		domains: []string{"icloud.com", "me.com", "mac.com"}, mx: []string{"mail.icloud.com"}},
	{Name: "Yahoo", Host: "imap.mail.yahoo.com", Port: 993, Hint: "it takes app passwords only; make one at https://login.yahoo.com/account/security",
		domains: []string{"yahoo.", "ymail.com", "rocketmail.com"}, mx: []string{"yahoodns.net"}},
	{Name: "AOL", Host: "imap.aol.com", Port: 993, Hint: "it takes app passwords only; make one at https://login.aol.com/account/security",
		domains: []string{"aol.com", "aim.com"}},
	{Name: "Fastmail", Host: "imap.fastmail.com", Port: 993, Hint: "it takes app passwords only; make one at https://app.fastmail.com/settings/security",
		domains: []string{"fastmail.com", "fastmail.fm", "sent.com"}, mx: []string{"messagingengine.com"}},
	{Name: "GMX", Host: "imap.gmx.net", Port: 993, Hint: imapOff, domains: []string{"gmx.net", "gmx.de", "gmx.at", "gmx.ch"}},
	{Name: "GMX", Host: "imap.gmx.com", Port: 993, Hint: imapOff, domains: []string{"gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es"}},
	{Name: "WEB.DE", Host: "imap.web.de", Port: 993, Hint: imapOff, domains: []string{"web.de"}},
	{Name: "T-Online", Host: "secureimap.t-online.de", Port: 993, Hint: "it takes the password for mail programs, which is another one than that of the web", domains: []string{"t-online.de", "magenta.de"}},
	{Name: "Posteo", Host: "posteo.de", Port: 993, domains: []string{"posteo.de", "posteo.net"}},
	{Name: "mailbox.org", Host: "imap.mailbox.org", Port: 993, domains: []string{"mailbox.org"}, mx: []string{"mailbox.org"}},
	{Name: "IONOS", Host: "imap.ionos.de", Port: 993, mx: []string{"kundenserver.de"}},
	{Name: "Zoho", Host: "imap.zoho.com", Port: 993, Hint: imapOff, domains: []string{"zoho.com", "zohomail.com"}},
	{Name: "Zoho", Host: "imap.zoho.eu", Port: 993, Hint: imapOff, domains: []string{"zoho.eu", "zohomail.eu"}},
	{Name: "Yandex", Host: "imap.yandex.com", Port: 993, Hint: imapOff + ", and it takes app passwords only", domains: []string{"yandex.", "ya.ru"}, mx: []string{"yandex.net"}},
	{Name: "Mail.ru", Host: "imap.mail.ru", Port: 993, Hint: "it takes passwords for external programs only; make one in the account's security settings", domains: []string{"mail.ru", "bk.ru", "inbox.ru", "list.ru"}},
	{Name: "Orange", Host: "imap.orange.fr", Port: 993, domains: []string{"orange.fr", "wanadoo.fr"}},
	{Name: "Free", Host: "imap.free.fr", Port: 993, domains: []string{"free.fr"}},
	{Name: "Migadu", Host: "imap.migadu.com", Port: 993, mx: []string{"migadu.com"}},
	{Name: "Gandi", Host: "mail.gandi.net", Port: 993, mx: []string{"mail.gandi.net"}},
	{Name: "OVH", Host: "ssl0.ovh.net", Port: 993, mx: []string{"mail.ovh.net"}},
	{Name: "Infomaniak", Host: "mail.infomaniak.com", Port: 993, domains: []string{"ik.me", "etik.com"}, mx: []string{"infomaniak.ch"}},
}

// without are providers that have no IMAP that a program could reach; the
// sentence says what there is instead.
var without = map[string]string{
	"proton.me":      "Proton has IMAP by its Bridge only: start it, then set up by hand with the host, port and password that it shows",
	"protonmail.com": "Proton has IMAP by its Bridge only: start it, then set up by hand with the host, port and password that it shows",
	"pm.me":          "Proton has IMAP by its Bridge only: start it, then set up by hand with the host, port and password that it shows",
	"tutanota.com":   "Tuta has no IMAP",
	"tuta.com":       "Tuta has no IMAP",
	"tuta.io":        "Tuta has no IMAP",
	"hey.com":        "HEY has no IMAP",
}

// Without says why there is no server to be found for the address's domain, or
// "".
func Without(a Address) string { return without[a.Domain] }

// providerOf is the provider whose own domain it is.
func providerOf(domain string) *Provider {
	for i, p := range providers {
		if slices.ContainsFunc(p.domains, func(d string) bool {
			if base, ok := strings.CutSuffix(d, "."); ok {
				rest, ok := strings.CutPrefix(domain, base+".")
				return ok && isCountry(rest)
			}
			return d == domain
		}) {
			return &providers[i]
		}
	}
	return nil
}

// isCountry tells what may stand behind yahoo: com, de, co.uk, com.br. Anybody
// can register other things there.
func isCountry(s string) bool {
	first, second, two := strings.Cut(s, ".")
	if !two {
		return first == "com" || len(first) == 2
	}
	return (first == "co" || first == "com") && len(second) == 2
}

// providerByMX is the provider that a domain's mail goes to.
func providerByMX(host string) *Provider {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	var found *Provider
	longest := 0
	for i, p := range providers {
		for _, m := range p.mx {
			if (host == m || strings.HasSuffix(host, "."+m)) && len(m) > longest {
				found, longest = &providers[i], len(m)
			}
		}
	}
	return found
}

// ProviderByHost is the provider that a host belongs to; nil: none known.
func ProviderByHost(host string) *Provider {
	for i, p := range providers {
		if strings.EqualFold(p.Host, strings.TrimSuffix(host, ".")) {
			return &providers[i]
		}
	}
	return nil
}

func (p *Provider) server(a Address, from Source) Server {
	return Server{Host: p.Host, Port: p.Port, User: a.Full, Source: from, Provider: p}
}
