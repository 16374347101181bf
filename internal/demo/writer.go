package demo

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// writer makes letters: each a function of the seed, its number and its date.
// Numbers below messages are INBOX as it stands at the start, the others
// arrive. It may be used from any goroutine.
type writer struct {
	seed     uint64
	messages int
	now      time.Time
	order    []int // the topics, shuffled by the seed

	mu    sync.Mutex
	plans map[uint32]*plan // of the blocks used last
}

func newWriter(seed uint64, messages int, now time.Time) *writer {
	w := &writer{seed: seed, messages: messages, now: now, plans: map[uint32]*plan{}}
	w.order = rand.New(rand.NewPCG(seed, 1)).Perm(len(topics))
	return w
}

// blockSize is how many letters are planned together: a conversation stays
// within its block, so that any letter can be made without the others.
const blockSize = 32

// topicsPerBlock is how many new subjects a block has: a fixed number, so that
// block after block every topic has its turn.
const topicsPerBlock = 18

// maxPlans bounds the plans that are kept.
const maxPlans = 64

// plan says which letter of a block belongs to which conversation.
type plan struct {
	first  uint32 // number of the block's first letter
	drafts [blockSize]draft
}

// draft is a letter before it is written.
type draft struct {
	topic  *topic
	issue  int // varies the {words} of the topic
	root   int // index of the conversation's first letter in the block
	parent int // index of the letter this one answers, or -1
	depth  int // 0 for the first letter
	from   person
}

// plan of a block.
func (w *writer) plan(block uint32) *plan {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p, ok := w.plans[block]; ok {
		return p
	}
	if len(w.plans) >= maxPlans {
		clear(w.plans)
	}
	p := w.makePlan(block)
	w.plans[block] = p
	return p
}

func (w *writer) makePlan(block uint32) *plan {
	rng := rand.New(rand.NewPCG(w.seed, 2+uint64(block)))
	p := &plan{first: block * blockSize}
	var open []int // last letters of the conversations that may go on
	next := int(block) * topicsPerBlock
	fresh := topicsPerBlock // new subjects still due
	for k := range p.drafts {
		if len(open) > 0 && rng.IntN(blockSize-k) >= fresh {
			at := rng.IntN(len(open))
			last := p.drafts[open[at]]
			p.drafts[k] = draft{
				topic:  last.topic,
				issue:  last.issue,
				root:   last.root,
				parent: open[at],
				depth:  last.depth + 1,
				from:   last.topic.people[(last.depth+1)%len(last.topic.people)],
			}
			if p.drafts[k].depth >= len(last.topic.replies) {
				open = append(open[:at], open[at+1:]...)
			} else {
				open[at] = k
			}
			continue
		}
		t := &topics[w.order[next%len(topics)]]
		p.drafts[k] = draft{topic: t, issue: next/len(topics) + rng.IntN(3), root: k, parent: -1, from: t.people[0]}
		next++
		fresh--
		if len(t.replies) > 0 {
			open = append(open, k)
		}
	}
	return p
}

// letterOf finds a letter's draft.
func (w *writer) letterOf(number uint32) (*plan, int) {
	return w.plan(number / blockSize), int(number % blockSize)
}

// subject of a letter, as a person reads it.
func (w *writer) subject(number uint32) string {
	p, k := w.letterOf(number)
	return p.subject(w, k)
}

func (p *plan) subject(w *writer, k int) string {
	d := &p.drafts[k]
	subject := w.fillIn(d.topic.subject, p, d.root)
	switch {
	case d.depth == 0:
		return subject
	case d.topic.re != "":
		return d.topic.re + " " + subject
	default:
		return "Re: " + subject
	}
}

// text of a letter, without quotes.
func (p *plan) text(w *writer, k int) string {
	d := &p.drafts[k]
	text := d.topic.opening
	if d.depth > 0 {
		text = d.topic.replies[d.depth-1]
	}
	return w.fillIn(text, p, d.root)
}

// fillIn replaces the {words} of a text: the same in all letters of one
// conversation.
func (w *writer) fillIn(text string, p *plan, root int) string {
	if !strings.Contains(text, "{") {
		return text
	}
	number := uint64(p.first) + uint64(root)
	roll := func(salt uint64) uint64 { return mix(w.seed ^ 0xf111 ^ mix(number+salt<<32)) }
	var b strings.Builder
	b.Grow(len(text) + 32)
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		word, after, closed := strings.Cut(rest, "}")
		value, known := vary(word, roll)
		if !closed || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(value)
		text = after
	}
}

// vary chooses what stands for a {word}; roll is a number for each salt.
func vary(word string, roll func(salt uint64) uint64) (string, bool) {
	number := func(salt, n uint64) string { return strconv.FormatUint(roll(salt)%n, 10) }
	choose := func(salt uint64, words []string) string { return words[roll(salt)%uint64(len(words))] }
	switch word {
	case "n":
		return strconv.FormatUint(100+roll(1)%9000, 10), true
	case "small":
		return strconv.FormatUint(2+roll(2)%8, 10), true
	case "version":
		return number(3, 5) + "." + number(4, 20) + "." + number(5, 9), true
	case "commit":
		return strconv.FormatUint(1<<27|roll(6)>>36, 16), true
	case "branch":
		return choose(7, branches), true
	case "host":
		return choose(8, hosts), true
	case "project":
		return choose(9, projects), true
	case "city":
		return choose(10, cities), true
	case "day":
		return choose(11, days), true
	case "hour":
		return strconv.FormatUint(9+roll(12)%9, 10), true
	}
	return "", false
}

// messageID of the letter at k.
func (p *plan) messageID(w *writer, k int) string {
	d := &p.drafts[k]
	number := p.first + uint32(k)
	id := mix(w.seed ^ uint64(number)*0x9e3779b97f4a7c15)
	_, host, _ := strings.Cut(d.from.address, "@")
	return "<" + strconv.FormatUint(id, 36) + "." + strconv.FormatUint(uint64(number), 10) + "@" + host + ">"
}

// mix is the finisher of splitmix64: a cheap number that looks random.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fill puts the generated letters into a mailbox. It makes rows, not letters.
func (s *Server) fill(m *mailbox, n int) {
	m.rows = make([]row, 0, n+n/16+64)
	unseen := flagSet(0)
	seen := s.flags.intern([]imap.Flag{imap.FlagSeen})
	answered := s.flags.intern([]imap.Flag{imap.FlagSeen, imap.FlagAnswered})
	flagged := s.flags.intern([]imap.Flag{imap.FlagSeen, imap.FlagFlagged})
	starred := s.flags.intern([]imap.Flag{imap.FlagFlagged})
	forwarded := s.flags.intern([]imap.Flag{imap.FlagSeen, "$Forwarded"})
	for i := range n {
		age := n - 1 - i
		roll := int(mix(s.writer.seed+uint64(i)*0x2545f4914f6cdd1d) % 1000)
		unread := 15 // per mille
		switch {
		case age < 10:
			unread = 700
		case age < 60:
			unread = 250
		case age < 300:
			unread = 60
		}
		flags := seen
		switch {
		case roll < unread/12:
			flags = starred
		case roll < unread:
			flags = unseen
		case roll >= 960:
			flags = flagged
		case roll >= 880:
			flags = answered
		case roll >= 860:
			flags = forwarded
		}
		m.rows = append(m.rows, row{
			uid:    uint32(i + 1),
			flags:  flags,
			date:   s.writer.date(i).Unix(),
			number: uint32(i),
		})
	}
	m.next = uint32(n + 1)
}

// date of letter number of the initial mailbox: dense near now, thinning out
// into the past, ascending with the number.
func (w *writer) date(number int) time.Time {
	n := float64(max(w.messages, 1))
	// 1 for the newest, and irregular: people write when they like.
	age := float64(w.messages-number) - 0.9*float64(mix(w.seed^uint64(number)*0xd1342543de82ef95)%1000)/1000
	days := math.Min(40*math.Pow(n/300, 0.78), 15*365)
	past := time.Duration(days*math.Pow(age/(n+1), 1.7)*24*float64(time.Hour)) + time.Duration(age*float64(4*time.Minute))
	if n > 10_000 {
		past -= time.Duration(age * float64(4*time.Minute) * 0.99)
	}
	return w.now.Add(-past)
}
