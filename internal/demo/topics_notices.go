package demo

var automatic = []string{"Auto-Submitted: auto-generated", "Precedence: bulk"}

// noticeTopics are what machines write.
var noticeTopics = []topic{
	{
		subject: "[{project}] Build #{n} passed ({branch})",
		people:  []person{builds},
		fields:  automatic,
		opening: "Build #{n} of {project} on {branch} passed.\n\n  commit   {commit}\n  tests    1{n} passed, 0 failed\n  time     {small} min 12 s\n\nhttps://ci.example.net/{project}/{n}",
	},
	{
		subject: "[{project}] Build #{n} FAILED ({branch})",
		people:  []person{builds, dan},
		fields:  automatic,
		opening: "Build #{n} of {project} on {branch} failed.\n\n  commit   {commit}\n  tests    1{n} passed, {small} failed\n\n  --- FAIL: TestReconnectKeepsTheSelection (0.0{small}s)\n      list_test.go:{n}: selection on UID 41, want 42\n\nhttps://ci.example.net/{project}/{n}",
		replies: []string{"That one is mine, looking into it."},
	},
	{
		subject: "[{project}] Build #{n} passed again ({branch})",
		people:  []person{builds},
		fields:  automatic,
		opening: "Build #{n} of {project} on {branch} passed. The one before it had failed.\n\nhttps://ci.example.net/{project}/{n}",
	},
	{
		subject: "PROBLEM: {host} disk usage 9{small} %",
		people:  []person{monitor, frank},
		fields:  automatic,
		opening: "Service: disk /var\nHost: {host}\nState: WARNING\n\n/var is 9{small} % full. At this pace it is full in {small} days.\n\nhttps://ops.example.net/hosts/{host}",
		replies: []string{"Cleaned up. Old kernels, as every month."},
	},
	{
		subject: "RECOVERY: {host} answers again",
		people:  []person{monitor},
		fields:  automatic,
		opening: "Service: https\nHost: {host}\nState: OK\n\nAnswered after {small} minutes without an answer.\n\nhttps://ops.example.net/hosts/{host}",
	},
	{
		subject: "Backup of {host} finished",
		people:  []person{backups},
		fields:  automatic,
		opening: "Files      {n}42\nChanged    {n}\nWritten    {small}.{small} GiB\nDuration   {small} minutes\nErrors     0\n\nThe last restore test was {small} days ago.",
	},
	{
		subject: "[#{n}] Ticket opened: printer on the second floor",
		people:  []person{helpdesk, frank, helpdesk},
		opening: "A new ticket was opened.\n\nNumber: {n}\nSubject: printer on the second floor\n\n\"It prints, but only the left half.\"\n\nAnswer to this letter to add to the ticket.",
		replies: []string{"Cleaned the drum. Right half is back.", "Ticket {n} was closed. Thank you for your patience."},
	},
	{
		style:   alternative,
		subject: "A new sign-in from {city}",
		people:  []person{security},
		fields:  automatic,
		opening: "Your account was used to sign in from a new place.\n\nWhere: {city}\nWith: a terminal\n\nIf that was you, there is nothing to do. If not, change your password here: https://accounts.example.com/security",
	},
	{
		// Links that lie: none of these hosts is what its text says, or looks like.
		style:   htmlOnly,
		subject: "Your account is closed in {small} hours",
		people:  []person{notTheBank},
		opening: "Dear customer,\n\nconfirm your account today at [https://www.bank.example.com/login](https://bank.example.com.login-{n}.example.net/), or it is closed.\n\nOr sign in here: https://www.b\u0430nk.example/login\n\nYour bank. Questions? [Our help pages](https://bank.example.com.login-{n}.example.net/help) have the answers.",
	},
	{
		style:    attachment,
		subject:  "Your order {n} is on its way",
		people:   []person{shop},
		opening:  "Thank you for your order.\n\n  1 x Teapot, blue\n  2 x Cup, blue\n\nIt left our warehouse in {city} today. The invoice is attached.",
		file:     pdfFile,
		fileName: "invoice-{n}.pdf",
	},
	{
		style:   htmlOnly,
		subject: "Your tickets to {city}",
		people:  []person{trains},
		opening: "Have a good journey!\n\n{day}, {hour}:42, platform {small}, coach 1{small}, seat {small}{small}\n\nChange or return them until the day before at https://rail.example.org/orders/{n}",
	},
	{
		subject: "Reminder: two books are due on {day}",
		people:  []person{library},
		fields:  automatic,
		opening: "Dear reader,\n\nthese are due on {day}:\n\n  The Sea Around Us\n  A Pattern Language\n\nRenew them at https://library.example.org/loans or at the desk.",
	},
	{
		style:   invitation,
		subject: "Invitation: coffee with the {city} office",
		people:  []person{calendars},
		opening: "You are invited to \"coffee with the {city} office\".\n\nWhere: Room 2\nOrganizer: Calendar <calendar@example.org>",
	},
}
