package imapsession

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"tidings/imapsession/wire"
)

// judge makes the fault of a log-in that failed, or returns nil. The secret is
// in none of it. Credentials are told of a secret that is no good.
func (l *link) judge(m mechanism, secret Secret, err error) error {
	l.pump()
	if err == nil {
		return nil
	}
	if !refused(err) {
		return l.lost(err)
	}
	var f *fault
	if secret.Token != "" {
		f = l.tokenFault(err)
	} else {
		f = loginFault(err, l.s.cfg.Host, m, l.s.proven)
		if f.fatal && l.s.cfg.Security == Plaintext && !m.readable() && m != byExternal {
			f.text += fmt.Sprintf("; or the server offers %s without being able to do it for this account, then only an encrypted link (tls) lets another way be tried", m)
		}
	}
	if f.fatal || f.planned {
		l.tellRejected()
	}
	return f
}

// tellRejected has the Credentials get another secret, if they can.
func (l *link) tellRejected() {
	if told, ok := l.s.cfg.Credentials.(interface{ Rejected() }); ok {
		told.Rejected()
	}
}

// advice is what a person can do about a refusal that servers put in words of
// their own, whatever response code goes with them.
type advice struct {
	words *regexp.Regexp
	says  string // what it means, and what to do
	// passes: it may be over the next time.
	passes bool
}

var advices = []advice{
	{
		words:  regexp.MustCompile(`(?i)too many (\w+ ){0,2}(connections|sessions|logins)|(maximum|max|limit)[\w ]{0,30}(connections|sessions)|connection limit`),
		says:   "too many connections to this account are open: end other mail programs, or set connections = 1 in the config",
		passes: true,
	},
	{
		words: regexp.MustCompile(`(?i)(application[- ]specific|app[- ]?specific|app) ?password`),
		says:  "it wants an app password instead of the ordinary one: make one in the account's security settings",
	},
	{
		words: regexp.MustCompile(`(?i)not enabled for imap|imap[\w ]{0,20} (is )?(disabled|not enabled|not allowed|switched off|turned off|blocked)|enable imap|imap access for this account`),
		says:  "IMAP is switched off for this account: switch it on in the settings of your mail on the web (or have your administrator do it)",
	},
	{
		words: regexp.MustCompile(`(?i)log ?in (via|with|through) (your|a) web ?browser|web ?login required`),
		says:  "the provider wants you to sign in with a browser once",
	},
	{
		words: regexp.MustCompile(`(?i)basic ?auth\w* ?(is|has been)? ?(disabled|blocked)|BasicAuthBlocked`),
		says:  "it takes no passwords any more: use [account.oauth2] in the config (tidings setup writes it)",
	},
	{
		words:  regexp.MustCompile(`(?i)authenticated but not connected`),
		says:   "it knows you, but opens no mailbox for you: see that user in the config is the account that you signed in to, and that IMAP is switched on for it (by your administrator)",
		passes: true,
	},
}

// adviceFor finds what is known of a server's words.
func adviceFor(text string) (advice, bool) {
	for _, a := range advices {
		if a.words.MatchString(text) {
			return a, true
		}
	}
	return advice{}, false
}

// providers are those that refuse ordinary passwords, by the end of their
// server's name.
var providers = []struct{ host, says string }{
	{"gmail.com", "Google takes no ordinary passwords here: make an app password, or use [account.oauth2] with provider = \"google\""},
	{"googlemail.com", "Google takes no ordinary passwords here: make an app password, or use [account.oauth2] with provider = \"google\""},
	{"office365.com", "Microsoft takes no passwords any more: use [account.oauth2] with provider = \"microsoft\""},
	{"outlook.com", "Microsoft takes no passwords any more: use [account.oauth2] with provider = \"microsoft\""},
	{"me.com", "Apple wants an app-specific password here: make one at account.apple.com"},
	{"yahoo.com", "Yahoo wants an app password here: make one in the account's security settings"},
	{"aol.com", "AOL wants an app password here: make one in the account's security settings"},
	{"fastmail.com", "Fastmail wants an app password here: make one in its settings under Privacy & Security"},
}

// providerHint is what may be wrong with a right password at host, or "".
func providerHint(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, p := range providers {
		if host == p.host || strings.HasSuffix(host, "."+p.host) {
			return p.says
		}
	}
	return ""
}

// credentialsRefused tells a NO to who we are from one to what the server can
// do at present (RFC 5530).
func credentialsRefused(err error) bool {
	var no *imap.Error
	return errors.As(err, &no) && (no.Code == imap.ResponseCodeAuthenticationFailed || no.Code == "")
}

// loginFault classifies a refused password (RFC 5530 response codes).
func loginFault(err error, host string, m mechanism, proven bool) *fault {
	var no *imap.Error
	if !errors.As(err, &no) {
		return asFault(err)
	}
	f := &fault{err: err, after: statedBackoff(no.Text)}
	if a, ok := adviceFor(no.Text); ok {
		f.fatal = !a.passes
		f.text = "the server refused to sign in: it said " + words(err) + ": " + a.says
		if f.fatal {
			f.text += ", then correct the config" + restartOrR
		}
		return f
	}
	switch no.Code {
	case imap.ResponseCodeAuthenticationFailed:
		f.fatal = true
		what := "wrong user name or password"
		if m == byExternal {
			what = "the server does not take the client certificate for this user"
		}
		f.text = what + ": the server said " + words(err) + "; correct it" + restartOrR
		if hint := providerHint(host); hint != "" && m != byExternal {
			f.text = what + ": the server said " + words(err) + ". " + hint + "; correct it" + restartOrR
		}
	case imap.ResponseCodeAuthorizationFailed:
		f.fatal = true
		f.text = "the server lets this user in but not to this account: it said " + words(err) + "; correct user in the config" + Restart
	case imap.ResponseCodeExpired:
		f.fatal = true
		f.text = "the password has expired: the server said " + words(err) + "; renew it" + restartOrR
	case imap.ResponseCodePrivacyRequired:
		f.fatal = true
		f.text = "the server wants encryption first: it said " + words(err) + "; set tls in the config" + Restart
	default:
		if passing(no.Code) {
			f.text = "the server cannot sign in at present: it said " + words(err)
			return f
		}
		f.text = "the server refused to sign in: it said " + words(err)
		switch {
		case f.after > 0:
		case proven:
			f.doubtful = true
		default:
			f.fatal = true
			if hint := providerHint(host); hint != "" {
				f.text += ". " + hint + "; correct the config" + restartOrR
			} else {
				f.text += "; check user and password" + restartOrR
			}
		}
	}
	return f
}

// passing tells whether a response code says that a refusal will be over.
func passing(code imap.ResponseCode) bool {
	switch code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeLimit, imap.ResponseCodeInUse, imap.ResponseCodeServerBug:
		return true
	}
	return false
}

// tokenFault classifies a refused token. The first in a row is worth one more
// try with a new one, without a word: its time may have been over by the
// server's clock, or it was taken back. A new one that is refused as well is the
// person's business.
func (l *link) tokenFault(err error) *fault {
	var no *imap.Error
	if !errors.As(err, &no) {
		return asFault(err)
	}
	f := &fault{err: err, after: statedBackoff(no.Text)}
	said := words(err) + l.why.String()
	if a, ok := adviceFor(no.Text); ok {
		f.fatal = !a.passes
		f.text = "the server refused to sign in: it said " + said + ": " + a.says
		if f.fatal {
			f.text += againR
		}
		return f
	}
	switch {
	case passing(no.Code), f.after > 0:
		f.text = "the server cannot sign in at present: it said " + said
	case l.why.Status == "insufficient_scope":
		f.fatal, f.signIn = true, l.s.signInCommand() != ""
		f.text = "the token does not reach as far as mail: the server said " + said + "; correct scopes in [account.oauth2], then start Tidings again"
		if f.signIn {
			f.text += " and sign in again"
		}
	case no.Code == imap.ResponseCodeAuthorizationFailed && l.s.signInCommand() == "":
		f.fatal = true
		f.text = "whom the token stands for may not open this mailbox: the server said " + said + "; correct user in the config, or have your administrator open the mailbox to this client" + againR
	case no.Code == imap.ResponseCodeAuthorizationFailed:
		f.fatal, f.signIn = true, true
		f.text = fmt.Sprintf("%s with another account, or correct user in the config: the one that you signed in to may not open this mailbox, the server said %s", signInAgain(l.s.signInCommand()), said)
	case l.s.signing.renewed(l.role):
		f.planned = true
		f.text = "the server refused the token: getting a new one (it said " + said + ")"
	case l.s.signInCommand() == "":
		f.fatal = true
		f.text = "the server refused a token that is new: it said " + said + "; see that user in the config is whom the token is for, that IMAP is switched on for that mailbox and open to this client, and that scopes (if set) are what the server wants" + againR
	default:
		f.fatal, f.signIn = true, true
		f.text = fmt.Sprintf("the server refused a token that is new: it said %s; see that user in the config is the account that you signed in to, that IMAP is switched on for it, and that scopes (if set) are what the server wants; then %s", said, signInAgain(l.s.signInCommand()))
	}
	return f
}

// againR ends a sentence about something that is mended at the server's side.
const againR = ", then press r"

// signInAgain is the one thing that helps a grant that is no more.
func signInAgain(command string) string {
	return "sign in again: press R, or run " + say(command).String()
}

// signInCommand is the command line by which a person signs in to the account, or
// "" where nobody can: a program comes by its tokens.
func (s *Session) signInCommand() string {
	if known, ok := s.cfg.Credentials.(interface{ SignInCommand() string }); ok {
		return known.SignInCommand()
	}
	return ""
}

// String is what the server's challenge added to its NO, in brackets.
func (p oauthProblem) String() string {
	var parts []string
	if p.Status != "" {
		parts = append(parts, "status "+say(p.Status).String())
	}
	if p.Scope != "" {
		parts = append(parts, "it wants the scope "+say(p.Scope).String())
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// unproven: who answers cannot be the server that knows the password.
func unproven(err error) *fault {
	return &fault{
		text:  "the server could not prove that it knows the password, as SCRAM has it do: somebody may be in between; see whether host is right, and if it is, change the password" + restartOrR,
		err:   err,
		fatal: true,
	}
}

// expiredWords are how servers put it that a token's time is over in the middle
// of a session: Exchange ("Session invalidated - AccessTokenExpired", "User is
// authenticated but not connected"), Gmail ("Session expired, please login
// again").
var expiredWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)AccessTokenExpired|token (has )?(expired|been revoked)|expired (access )?token|session (has )?expired|authenticated but not connected`)
})

// tokenOver tells whether a BYE, or a NO or BAD to some command, says that the token's
// time is over.
func (l *link) tokenOver(ev wire.Event) bool {
	return l.byToken && (ev.Code == string(imap.ResponseCodeExpired) || expiredWords().MatchString(ev.Text))
}

// errExpired ends a link on which a command was refused for that.
func errExpired() *fault {
	return &fault{text: "the server refuses commands: the token's time is over"}
}

// renewal is how a link ends whose token's time is over: a new token and a new
// link, without a word, unless the link had hardly begun.
func (l *link) renewal(f *fault) *fault {
	l.tellRejected()
	if l.liveSince.IsZero() || time.Since(l.liveSince) < stableAfter {
		f.fatal, f.doubtful = false, false
		return f
	}
	return &fault{planned: true, text: "the token's time is over: signing in with a new one", err: f}
}
