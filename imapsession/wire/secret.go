package wire

import (
	"bytes"
	"encoding/base64"
)

// secrets are what log-ins of this connection told the server, in every form
// in which the server might repeat it. They are only ever compared with.
type secrets struct {
	forms [][]byte
}

// learn adds a secret. One of a single octet would be found in every line, and
// is: rather a trace without texts than one with a password.
func (s *secrets) learn(b []byte) {
	if len(b) == 0 {
		return
	}
	for _, form := range s.forms {
		if bytes.Equal(form, b) {
			return
		}
	}
	s.forms = append(s.forms, bytes.Clone(b))
}

// in reports whether any secret is part of text.
func (s *secrets) in(text []byte) bool {
	for _, form := range s.forms {
		if bytes.Contains(text, form) {
			return true
		}
	}
	return false
}

// learnLogin adds the password of "tag LOGIN user password", literals inlined.
func (s *secrets) learnLogin(command []byte) {
	c := cursor{b: command}
	for range 2 {
		c.space()
		c.word()
	}
	c.space()
	c.astring()
	c.space()
	quoted := c.rest()
	pass, ok := c.astring()
	if !ok {
		pass = quoted
	}
	s.learn(pass)
	if quoted = bytes.Trim(quoted, `"`); len(quoted) > 0 {
		s.learn(quoted)
	}
	s.learn([]byte(base64.StdEncoding.EncodeToString(pass)))
}

// learnSASL adds what one base64 response of a SASL exchange carries: the
// password of PLAIN stands behind the last NUL, the token of XOAUTH2 and
// OAUTHBEARER behind "Bearer", that of LOGIN is everything.
func (s *secrets) learnSASL(response []byte) {
	if len(response) < 2 {
		return // "=", "*" or an empty line
	}
	s.learn(response)
	dec, err := base64.StdEncoding.DecodeString(string(response))
	if err != nil {
		return
	}
	if i := bytes.LastIndexByte(dec, 0); i >= 0 {
		s.learn(dec[i+1:])
		return
	}
	for part := range bytes.SplitSeq(dec, []byte{1}) {
		if i := bytes.Index(part, []byte("Bearer ")); i >= 0 {
			s.learn(part[i+len("Bearer "):])
		}
	}
	s.learn(dec)
}

// shortSecret is how short a secret has to be to be taken out of no text: it
// would be found in every other one.
const shortSecret = 4

// withoutSecrets takes what a log-in told the server out of a text that people
// and logs will see: some servers quote it in their refusal.
func (t *Tap) withoutSecrets(text []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, form := range t.secrets.forms {
		if len(form) >= shortSecret && bytes.Contains(text, form) {
			text = bytes.ReplaceAll(text, form, []byte("[redacted]"))
		}
	}
	return text
}

// holdsSecret reports whether a text from the server repeats what a log-in
// told it.
func (t *Tap) holdsSecret(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.secrets.in(text)
}
