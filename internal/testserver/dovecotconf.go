package testserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// config writes dovecot.conf.
func (s *Server) config() []byte {
	home := filepath.Join(s.dir, "home", "%u")
	yesNo := map[bool]string{true: "yes", false: "no"}
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("base_dir = %s", filepath.Join(s.dir, "run"))
	line("state_dir = %s", filepath.Join(s.dir, "state"))
	line("log_path = /dev/stderr")
	line("listen = %s", s.host)
	line("protocols = imap")
	// Root leaves the inner processes to the users that the package made for
	// them; anyone else has nobody but himself.
	if me, err := user.Current(); err == nil && os.Getuid() != 0 {
		line("default_internal_user = %s", me.Username)
		line("default_login_user = %s", me.Username)
		if group, err := user.LookupGroupId(me.Gid); err == nil {
			line("default_internal_group = %s", group.Name)
		}
	}
	mechanisms := s.settings.mechanisms
	if mechanisms == "" {
		mechanisms = "plain login"
	}
	password := s.Password
	if s.settings.hashed {
		sum := sha256.Sum256([]byte(password))
		password = "{SHA256}" + base64.StdEncoding.EncodeToString(sum[:])
	}
	line("mail_location = %s:~/mail", s.settings.format)
	if s.settings.clientCerts {
		mechanisms += " external"
		line("passdb {\n  driver = static\n  mechanisms = external\n  args = nopassword=y\n}")
		line("auth_ssl_username_from_cert = yes")
		line("auth_ssl_require_client_cert = yes")
		line("ssl_verify_client_cert = yes")
		line("ssl_require_crl = no")
		line("ssl_ca = <%s", s.CAFile)
	}
	line("passdb {\n  driver = static\n  args = password=%s\n}", password)
	line("userdb {\n  driver = static\n  args = uid=%d gid=%d home=%s\n}", s.owner.uid, s.owner.gid, home)
	line("first_valid_uid = %d\nfirst_valid_gid = %d", min(s.owner.uid, 500), min(s.owner.gid, 500))
	if s.settings.oauth2 != nil {
		mechanisms += " xoauth2 oauthbearer"
		line("passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = %s\n}", filepath.Join(s.dir, "oauth2.conf"))
	}
	line("auth_mechanisms = %s", mechanisms)
	line("auth_failure_delay = 0")
	line("disable_plaintext_auth = %s", yesNo[s.settings.noPlaintext])
	line("ssl = yes")
	line("ssl_cert = <%s", filepath.Join(s.dir, "cert.pem"))
	line("ssl_key = <%s", filepath.Join(s.dir, "key.pem"))
	line("mail_fsync = never")
	line("mail_max_userip_connections = %d", s.settings.connections)
	if caps := s.capabilities(); caps != "" {
		line("imap_capability = %s", caps)
	}
	// chroot needs root; the delay after failed logins would be paid by tests.
	line("service anvil {\n  chroot =\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}")
	line("service imap-login {\n  chroot =\n  service_count = 0\n  process_min_avail = 1")
	line("  inet_listener imap {\n    port = %d\n  }", s.plain)
	line("  inet_listener imaps {\n    port = %d\n    ssl = yes\n  }\n}", s.secure)
	line("service imap {\n  process_limit = 200\n}")
	line("namespace inbox {\n  inbox = yes")
	for name, role := range specialUse {
		line("  mailbox %s {\n    special_use = \\%s\n    auto = create\n  }", name, role)
	}
	line("}")
	b.WriteString(s.settings.extra)
	return b.Bytes()
}

// config is what Dovecot's oauth2 passdb reads.
func (i Introspection) config() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	field := i.UsernameField
	if field == "" {
		field = "username"
	}
	line("introspection_url = %s", i.URL)
	line("introspection_mode = post")
	line("force_introspection = yes")
	line("username_attribute = %s", field)
	line("active_attribute = active")
	line("active_value = true")
	if i.Scope != "" {
		line("scope = %s", i.Scope)
	}
	line("timeout_msecs = 5000")
	line("max_parallel_connections = 5")
	return b.Bytes()
}

// specialUse are the folders that every account has, with their roles (RFC 6154).
var specialUse = map[string]string{
	"Archive": "Archive",
	"Drafts":  "Drafts",
	"Junk":    "Junk",
	"Sent":    "Sent",
	"Trash":   "Trash",
}

// dovecotCapabilities is what Dovecot 2.3 announces after log-in.
const dovecotCapabilities = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY " +
	"THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT " +
	"CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES " +
	"WITHIN CONTEXT=SEARCH LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE " +
	"SAVEDATE LITERAL+ NOTIFY SPECIAL-USE"

// capabilities is the list with the unwanted left out; empty if none is unwanted.
func (s *Server) capabilities() string {
	if len(s.settings.without) == 0 {
		return ""
	}
	var kept []string
	for _, name := range strings.Fields(dovecotCapabilities) {
		unwanted := false
		for _, without := range s.settings.without {
			unwanted = unwanted || strings.EqualFold(name, without)
		}
		if !unwanted {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}
