package credential

import (
	"regexp"
	"strconv"
	"sync"
)

// entraWords find Microsoft's number for what is wrong.
var entraWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`AADSTS(\d{4,8})`)
})

func entraCode(description string) int {
	m := entraWords().FindStringSubmatch(description)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// entraErrors say what can be done about Microsoft's errors, by the number that
// its descriptions begin with (learn.microsoft.com, "Microsoft Entra
// authentication and authorization error codes").
var entraErrors = map[int]struct {
	says   string
	signIn bool
}{
	50020:   {says: "the account is not of this directory: set tenant to the account's own, or to \"common\""},
	50034:   {says: "there is no such account in this directory: see that user and tenant in the config are right"},
	50053:   {says: "the account is locked for a while, after too many attempts to sign in"},
	50057:   {says: "the account is disabled: ask who administers it"},
	50055:   {says: "the account's password has expired: change it, then sign in again", signIn: true},
	50059:   {says: "it cannot tell the directory: set tenant to your directory's id or domain"},
	50072:   {says: "the account has to be set up for multi-factor authentication first", signIn: true},
	50074:   {says: "multi-factor authentication is due", signIn: true},
	50076:   {says: "multi-factor authentication is due, after a change of its rules or of where you are", signIn: true},
	50078:   {says: "the multi-factor authentication has expired", signIn: true},
	50079:   {says: "the account has to be set up for multi-factor authentication first", signIn: true},
	50097:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	50105:   {says: "the account is not assigned to the application: ask who administers it"},
	50126:   {says: "wrong user name or password"},
	50129:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	50133:   {says: "the sign-in has ended, for the password was changed", signIn: true},
	50158:   {says: "another check of the organization's is due", signIn: true},
	50173:   {says: "the sign-in has ended, for the password was changed or an administrator ended it", signIn: true},
	50194:   {says: "the application is registered for one directory only: set tenant to that directory's id or domain instead of \"common\""},
	53000:   {says: "the organization lets in only devices that it manages: ask who administers it"},
	53003:   {says: "a rule of the organization (Conditional Access) forbids this sign-in: ask who administers it"},
	65001:   {says: "nobody has consented to the application's access to mail: sign in again and consent, or have an administrator consent", signIn: true},
	65004:   {says: "you have not consented to the application's access to mail", signIn: true},
	70000:   {says: "the sign-in has ended", signIn: true},
	70008:   {says: "the sign-in has expired, after a time without use", signIn: true},
	70011:   {says: "it does not give the scopes that are asked for: correct scopes in [account.oauth2]"},
	70016:   {says: "the code has not been typed yet: try again"},
	70020:   {says: "the code's time was over before it was typed: try again"},
	70043:   {says: "the organization ends every sign-in after some time, and that is over", signIn: true},
	90002:   {says: "there is no such directory: correct tenant in [account.oauth2]"},
	90094:   {says: "an administrator has to consent to the application's access to mail"},
	90095:   {says: "an administrator has to consent to the application's access to mail"},
	500011:  {says: "the directory has no Exchange Online, or nobody has consented to the application's access to it"},
	530003:  {says: "the organization lets in only devices that it manages: ask who administers it"},
	700016:  {says: "there is no such application in this directory: correct client_id or tenant in [account.oauth2]"},
	700082:  {says: "the sign-in has expired, after 90 days without use", signIn: true},
	700084:  {says: "the sign-in has expired: that of a single page application lasts a day; register Tidings under \"Mobile and desktop applications\" instead", signIn: true},
	7000112: {says: "the application is disabled: ask who administers it"},
	7000215: {says: "the client secret is wrong: client_secret_... wants its value, not its id"},
	7000218: {says: "it wants a client secret: switch on \"Allow public client flows\" under Authentication in the application's registration"},
	7000222: {says: "the client secret has expired: make a new one in the application's registration"},
}
