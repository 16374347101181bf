package imapsession

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/scram"
)

// saslClient runs one SASL exchange for imapclient. first is what the client
// begins with, nil where the server speaks first; answer is asked for everything
// after it.
//
// imapclient sends what Start returns along with AUTHENTICATE, if the server has
// SASL-IR. If it has not, the client's first words are the answer to the
// server's first, empty challenge, which the tap shows imapclient as one.
type saslClient struct {
	name   string
	first  []byte
	answer func(challenge []byte) ([]byte, error)
	inline bool // the server has SASL-IR (RFC 4959)

	begun bool // first has been sent
}

var _ sasl.Client = (*saslClient)(nil)

func (c *saslClient) Start() (string, []byte, error) {
	if c.first == nil || !c.inline {
		return c.name, nil, nil
	}
	c.begun = true
	return c.name, c.first, nil
}

func (c *saslClient) Next(challenge []byte) ([]byte, error) {
	if c.first != nil && !c.begun {
		c.begun = true
		return c.first, nil
	}
	return c.answer(challenge)
}

// noMore: the server goes on where there is nothing more to say.
func noMore([]byte) ([]byte, error) {
	return nil, &fault{text: "the server asks for more than there is to say to sign in: the link was dropped"}
}

// plainClient is PLAIN (RFC 4616).
func plainClient(secret Secret) *saslClient {
	return &saslClient{name: "PLAIN", first: []byte("\x00" + secret.User + "\x00" + secret.Password), answer: noMore}
}

// loginClient is LOGIN, which was never more than a draft: servers prompt with
// anything, so the order of the prompts decides.
func loginClient(secret Secret) *saslClient {
	answers := []string{secret.User, secret.Password}
	return &saslClient{name: "LOGIN", answer: func([]byte) ([]byte, error) {
		if len(answers) == 0 {
			return noMore(nil)
		}
		next := answers[0]
		answers = answers[1:]
		return []byte(next), nil
	}}
}

// externalClient is EXTERNAL (RFC 4422 appendix A): the client certificate says
// who we are. An empty answer leaves the name to it; a user asks to be that one.
func externalClient(user string) *saslClient {
	return &saslClient{name: "EXTERNAL", first: []byte(user), answer: noMore}
}

// oauthProblem is why a server refused a token, from the challenge that comes
// before its NO (RFC 7628 §3.2.2; XOAUTH2 has the same). What a server left out
// is "".
type oauthProblem struct {
	Status string `json:"status"`
	Scope  string `json:"scope"`
	// said tells that there was such a challenge.
	said bool
}

// read takes a challenge. Anything may stand in it.
func (p *oauthProblem) read(challenge []byte) {
	p.said = true
	var raw struct {
		Status any    `json:"status"` // a number at some servers
		Scope  string `json:"scope"`
	}
	if json.Unmarshal(challenge, &raw) != nil {
		return
	}
	switch status := raw.Status.(type) {
	case string:
		p.Status = status
	case float64:
		p.Status = strconv.FormatFloat(status, 'f', -1, 64)
	}
	p.Scope = raw.Scope
}

// bearerClient is OAUTHBEARER (RFC 7628). Refused, the server says why in a
// challenge, and waits for one octet before it says NO.
func bearerClient(secret Secret, host string, port int, why *oauthProblem) *saslClient {
	first := "n,a=" + gs2Name(secret.User) + ",\x01host=" + host + "\x01port=" + strconv.Itoa(port) +
		"\x01auth=Bearer " + secret.Token + "\x01\x01"
	return &saslClient{name: "OAUTHBEARER", first: []byte(first), answer: once(why, []byte{1})}
}

// gs2Name writes a saslname (RFC 5801 §4).
func gs2Name(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

// xoauth2Client is XOAUTH2, Google's draft of the above, and all that Microsoft
// has. Refused, the server says why and waits for an empty line.
func xoauth2Client(secret Secret, why *oauthProblem) *saslClient {
	first := "user=" + secret.User + "\x01auth=Bearer " + secret.Token + "\x01\x01"
	return &saslClient{name: "XOAUTH2", first: []byte(first), answer: once(why, []byte{})}
}

// once answers the one challenge of a refusal.
func once(why *oauthProblem, reply []byte) func([]byte) ([]byte, error) {
	return func(challenge []byte) ([]byte, error) {
		if why.said {
			return noMore(nil)
		}
		why.read(challenge)
		return reply, nil
	}
}

// Iterations that a server may ask SCRAM for: fewer than the minimum of RFC 7677
// would let whoever listens guess the password, more would keep us busy.
const (
	minIterations = 4096
	maxIterations = 5_000_000
)

// scramClient is SCRAM-SHA-1 (RFC 5802) or SCRAM-SHA-256 (RFC 7677). An error
// means that the user or the password has characters that SCRAM cannot say.
// proven tells, behind the server's OK, whether it has shown that it knows the
// password, too.
func scramClient(name string, hash scram.HashGeneratorFcn, secret Secret) (c *saslClient, proven func() bool, err error) {
	client, err := hash.NewClient(secret.User, secret.Password, "")
	if err != nil {
		return nil, nil, err
	}
	conversation := client.WithMinIterations(minIterations).NewConversation()
	first, err := conversation.Step("")
	if err != nil {
		return nil, nil, err
	}
	failed := false
	return &saslClient{name: name, first: []byte(first), answer: func(challenge []byte) ([]byte, error) {
		if iterations(challenge) > maxIterations {
			return nil, &fault{text: fmt.Sprintf("the server wants the password hashed more than %d times, which would keep this machine busy: the link was dropped", maxIterations), fatal: true}
		}
		if failed || conversation.Done() {
			return noMore(nil)
		}
		reply, err := conversation.Step(string(challenge))
		if err != nil {
			// A conversation that goes on behind an error may take an empty proof for
			// the empty one that it expects then.
			failed = true
			if bytes.HasPrefix(challenge, []byte("e=")) {
				return []byte{}, nil // its NO says the rest
			}
			return nil, unproven(err)
		}
		return []byte(reply), nil
	}}, func() bool { return !failed && conversation.Valid() }, nil
}

// iterations reads the count of a SCRAM server-first message, or returns 0.
func iterations(challenge []byte) int {
	for attribute := range strings.SplitSeq(string(challenge), ",") {
		if count, ok := strings.CutPrefix(attribute, "i="); ok {
			n, err := strconv.Atoi(count)
			if err != nil {
				return maxIterations + 1
			}
			return n
		}
	}
	return 0
}
