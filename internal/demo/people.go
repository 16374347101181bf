package demo

import (
	"mime"
	"time"
)

// person writes letters: a first name or a role, never a whole name.
type person struct {
	name    string
	address string
	offset  int // minutes east of UTC
}

// String is the person as an address header field shows it.
func (p person) String() string {
	if encoded := mime.BEncoding.Encode("utf-8", p.name); encoded != p.name {
		return encoded + " <" + p.address + ">"
	}
	return `"` + p.name + `" <` + p.address + ">"
}

func (p person) zone() *time.Location { return time.FixedZone("", p.offset*60) }

var me = person{"Demo", "demo@example.org", 0}

var (
	alice  = person{"Alice", "alice@example.org", 60}
	bob    = person{"Bob", "bob@example.com", -300}
	carol  = person{"Carol", "carol@example.org", 60}
	dan    = person{"Dan", "dan@example.net", -480}
	erin   = person{"Erin", "erin@example.com", 0}
	frank  = person{"Frank", "frank@example.org", 60}
	grace  = person{"Grace", "grace@example.net", 600}
	jurgen = person{"Jürgen", "juergen@example.org", 60}
	lena   = person{"Lena", "lena@example.com", 60}
	zoe    = person{"Zoé", "zoe@example.net", 60}
	remi   = person{"Rémi", "remi@example.org", 60}
	inigo  = person{"Íñigo", "inigo@example.com", 60}
	lucia  = person{"Lucía", "lucia@example.net", -180}
	lukasz = person{"Łukasz", "lukasz@example.org", 60}
	sakura = person{"さくら", "sakura@example.net", 540}
	kenji  = person{"健二", "kenji@example.com", 540}
	mina   = person{"미나", "mina@example.org", 540}
	lili   = person{"丽丽", "lili@example.net", 480}
	ming   = person{"小明", "ming@example.com", 480}
	olga   = person{"Ольга", "olga@example.org", 180}
	ivan   = person{"Иван", "ivan@example.net", 180}
	yael   = person{"יעל", "yael@example.com", 120}
	noam   = person{"נועם", "noam@example.org", 120}
	omar   = person{"عمر", "omar@example.net", 180}
	layla  = person{"ليلى", "layla@example.com", 180}
	eleni  = person{"Ελένη", "eleni@example.org", 120}
	asha   = person{"आशा", "asha@example.net", 330}

	builds     = person{"Build bot", "builds@ci.example.net", 0}
	monitor    = person{"Monitoring", "alerts@ops.example.net", 0}
	backups    = person{"Backups", "backup@ops.example.net", 0}
	helpdesk   = person{"Helpdesk", "helpdesk@example.com", 0}
	calendars  = person{"Calendar", "calendar@example.org", 60}
	shop       = person{"Orders", "orders@shop.example.com", -300}
	garden     = person{"The Weekly Gardener", "letter@garden.example.com", 0}
	kernels    = person{"Small Kernels Digest", "digest@kernels.example.net", 0}
	trains     = person{"Railway tickets", "tickets@rail.example.org", 60}
	library    = person{"Town library", "loans@library.example.org", 60}
	notTheBank = person{"Your bank", "service@login.example.net", 0}
	security   = person{"Security team", "security@example.com", 0}
	releases   = person{"Releases", "releases@forge.example.net", 0}

	team     = person{"Team", "team@example.org", 0}
	devList  = person{"tide-dev", "tide-dev@lists.example.net", 0}
	userList = person{"tide-users", "tide-users@lists.example.net", 0}
)

// The words that vary a topic.
var (
	branches = []string{"main", "release", "fix/idle-timeout", "feature/search", "fix/utf8-names", "docs"}
	hosts    = []string{"db1", "db2", "web3", "mail1", "build7", "cache2", "edge4"}
	projects = []string{"tide", "harbour", "lantern", "quay", "beacon", "ferry"}
	cities   = []string{"Lisbon", "Hamburg", "Kyoto", "Oslo", "Montréal", "Valparaíso", "Gdańsk"}
	days     = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
)
