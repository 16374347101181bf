package demo

// workTopics are what a team writes to each other.
var workTopics = []topic{
	{
		subject: "Deploy window on {day}",
		people:  []person{alice, bob, carol},
		to:      team,
		opening: "Hi all,\n\nI would like to roll out {project} {version} on {day} at {hour}:00 UTC. It needs one restart\nof {host}, about two minutes, and nobody should notice.\n\nAny objections?\n\nAlice",
		replies: []string{
			"Fine with me. Please wait for the backup to finish first, it runs until half past.",
			"No objections from here. I will watch the graphs while you do it.",
			"Done. {host} was away for 48 seconds. I leave the old version installed until tomorrow.",
			"Graphs look good. Thank you!",
		},
	},
	{
		subject: "{host} is slow since this morning",
		people:  []person{frank, erin, alice},
		opening: "Is anybody else seeing this? Queries on {host} that took 20 ms take two seconds now.\n\nNothing in the log that I would understand.",
		replies: []string{
			"Same here. Disk is at 97 %, mostly {project} logs from the weekend.",
			"Rotated and compressed. Better?",
			"Much better, back to normal. What wrote so much?",
			"A retry loop without a pause. Fixed on {branch}, review welcome: https://forge.example.net/{project}/pull/{n}",
		},
	},
	{
		subject: "Review: {project}#{n}, bounded retries",
		people:  []person{dan, alice},
		opening: "Could you have a look when you find the time? It is small: a limit, a test for the limit,\nand a comment on why it is what it is.\n\nhttps://forge.example.net/{project}/pull/{n}",
		replies: []string{
			"Read it. Two things: the test sleeps, and the error says what failed but not what to do.\nOtherwise yes.",
			"Both fixed. The test now takes 3 ms instead of 2 s, thanks.",
			"Merged.",
		},
	},
	{
		style:   flowed,
		subject: "Notes from the planning meeting",
		people:  []person{carol, bob, grace},
		to:      team,
		opening: "Short notes, please correct me where I misheard.\n\nWe agreed to finish the importer before anything else starts, because three teams wait for it and nobody wants to explain another delay to them. Bob takes the parser, Grace the tests, and I will write to everybody who uses the old format, so that nobody is surprised when it goes away in spring.\n\nThe office move was put off again. The heating will be looked at on {day}, bring a jumper.\n\nNext meeting in two weeks, same room.\n\nCarol",
		replies: []string{
			"One correction: I said I would take the parser if somebody else takes the release notes. I do not mind which, but not both.",
			"I can do the release notes. Tests will be ready by {day}.",
		},
		signature: "Carol\nexample.org, second floor",
	},
	{
		style:    attachment,
		subject:  "Figures for the quarter",
		people:   []person{erin, frank},
		opening:  "Attached. The jump in the second month is real, we checked it twice.\n\nErin",
		replies:  []string{"Thank you. Could you add the returning visitors as a share? Then I can use it as it is."},
		file:     csvFile,
		fileName: "figures-{n}.csv",
	},
	{
		style:    attachment,
		subject:  "Chart for the talk",
		people:   []person{grace, alice},
		opening:  "Here is the chart, small enough for a slide. Blue is high water.\n\nIs the scale all right?",
		replies:  []string{"Perfect. I would start the axis at zero, people in the back row read it wrong otherwise."},
		file:     pngFile,
		fileName: "tide-{city}.png",
	},
	{
		style:    attachment,
		subject:  "Logs you asked for ({host})",
		people:   []person{bob, dan},
		opening:  "Everything from midnight to eight, addresses removed.",
		replies:  []string{"Got them. The gap at 03:{small}0 is the interesting part: one hour without a single line."},
		file:     zipFile,
		fileName: "{host}-logs.zip",
	},
	{
		style:   invitation,
		subject: "Invitation: {project} weekly",
		people:  []person{calendars, bob},
		opening: "You are invited to \"{project} weekly\".\n\nWhere: Room 2\nOrganizer: Calendar <calendar@example.org>\n\nAnswer with your calendar program, or write to the organizer.",
		replies: []string{"Accepted: {project} weekly"},
	},
	{
		subject: "Re-reading the incident of last {day}, with a timeline that is hopefully complete, and three questions to which I have no good answer yet",
		people:  []person{erin, dan, carol},
		opening: "Timeline, all UTC:\n\n  03:12  {host} stops answering\n  03:13  first page, to the wrong rota\n  03:41  second page, to the right one\n  03:55  restarted, all well\n\nQuestions:\n\n1. Why did the first page go to the wrong rota?\n2. Why does {host} not restart by itself?\n3. Who noticed before the page did, and how could they have told us?\n\nErin",
		replies: []string{
			"1. The rota changed on Friday and the pager reads it once a day. I filed {project}#{n}.",
			"3. A customer in {city}. They had no number to call. Now they do.",
		},
	},
	{
		style:    forwarded,
		subject:  "Fwd: question about {project} {version}",
		people:   []person{carol, eleni},
		opening:  "See below. Who knows the answer? I would like to write back today.\n\nCarol",
		forwards: "question about {project} {version}\nHello,\n\ndoes {project} {version} keep the old files when it converts them, or should I make copies\nfirst? There are about {n} of them.\n\nΕλένη\n",
		replies:  []string{"It keeps them, with a tilde at the end. I can add that to the manual."},
	},
	{
		style:    parcel,
		subject:  "Everything for the meeting on {day}",
		people:   []person{carol, frank},
		opening:  "Minutes, the chart, the figures, and what Frank wrote about the room.\n\nCarol",
		forwards: "the room on {day}\nHello Carol,\n\nroom 2 is ours from {hour}:00. The projector is broken: https://ops.example.net/rooms/{small}\n\nFrank\n",
		replies:  []string{"Thank you. I bring the good pens."},
	},
	{
		subject: "lunch?",
		people:  []person{bob, alice, dan},
		opening: "🍜 at half past twelve, the usual place?",
		replies: []string{"👍", "I am in, but make it a quarter to one 🙏", "🎉 see you there"},
	},
	{
		subject: "Key for the server room",
		people:  []person{frank, carol},
		opening: "Does anyone have it? It is not in the box, and the electrician comes at {hour}:00.",
		replies: []string{"It is on my desk, sorry! Under the plant.", "Found. The plant needs water, by the way."},
	},
	{
		style:   signed,
		subject: "New signing key for {project} releases",
		people:  []person{alice, grace},
		to:      team,
		opening: "From version {version} on, releases of {project} are signed with a new key. The old one stays\nvalid for what it has signed.\n\nCompare the fingerprint with me by telephone before you trust this letter.",
		replies: []string{"Compared and signed. The wiki still shows the old one."},
	},
	{
		style:   alternative,
		subject: "Draft of the announcement",
		people:  []person{carol, erin},
		opening: "Would you read this before it goes out?\n\nWe are moving {project} to new machines on {day}. You do not have to do anything. If something looks odd afterwards, write to us:\n\n- what you did\n- what you saw\n- what you had hoped to see\n\nDetails are at https://www.example.org/{project}/move",
		replies: []string{"Very clear. I would put the date into the subject, that is all some people read."},
	},
	{
		subject: "holiday cover in week {small}",
		people:  []person{grace, bob, frank},
		opening: "I am away in week {small}. Who can look after {host} and the builds?",
		replies: []string{"I can take the builds.", "And I take {host}. Enjoy {city}!"},
	},
	{
		style:   flowed,
		subject: "What I learnt from a week without notifications",
		people:  []person{dan, erin},
		opening: "You asked, so here it is. The first two days I looked at the telephone every few minutes, which is absurd because it had nothing to tell. On the third day I forgot it at home. By the end of the week I had read one book, written one long letter, and answered everything that really needed an answer within a day, and nobody had noticed a difference.\n\nI have turned one of them back on: the one that tells me when the backup fails.\n\nDan",
		replies: []string{"I am tempted. Did nobody complain?", "One person. He had called twice, then walked over. We had coffee."},
	},
}

// listTopics come through mailing lists.
var listTopics = []topic{
	{
		subject: "[tide-dev] [PATCH] idle: end the wait when the server goes silent",
		people:  []person{lukasz, grace, dan},
		to:      devList,
		fields:  devListFields,
		opening: "A link that swallows everything keeps the socket open for hours. Ask for a sign of life\nafter a minute of silence.\n\n---\n idle.c | 6 +++++-\n 1 file changed, 5 insertions(+), 1 deletion(-)\n\ndiff --git a/idle.c b/idle.c\nindex {commit}..{commit} 100644\n--- a/idle.c\n+++ b/idle.c\n@@ -41,7 +41,11 @@ static int wait_idle(struct link *l)\n-\treturn wait_forever(l);\n+\tint err = wait_for(l, PROBE_AFTER);\n+\n+\tif (err == -ETIMEDOUT)\n+\t\terr = probe(l);\n+\treturn err;\n }\n",
		replies: []string{
			"On the whole yes. PROBE_AFTER wants a comment with the reason for its value.",
			"v2 follows. I measured: 60 s costs less than a radio wake-up per minute.",
			"Applied to {branch}, thanks.",
		},
		signature: "tide-dev mailing list\nhttps://lists.example.net/tide-dev",
	},
	{
		subject: "[tide-users] How do I keep two folders in view?",
		people:  []person{asha, erin, eleni},
		to:      userList,
		fields:  userListFields,
		opening: "Hello list,\n\nI moved here from another program and miss one thing: seeing INBOX and the folder of our\nproject at the same time. Is there a way that I overlook?\n\nAsha",
		replies: []string{
			"Two terminals, one for each. Not elegant, but it has worked for me for years.",
			"In tmux, with a split window: the lower third is enough for the second folder.",
			"Thank you both, tmux it is.",
		},
		signature: "tide-users mailing list\nhttps://lists.example.net/tide-users",
	},
	{
		subject: "[tide-dev] RFC: drop support for servers without UIDPLUS?",
		people:  []person{inigo, lukasz, dan},
		to:      devList,
		fields:  devListFields,
		opening: "Every move on such a server is a dance on thin ice. In the survey 3 of {n} people still\nhave one. Should we refuse to move there instead of being clever?",
		replies: []string{
			"Refuse, and say why in one sentence. Being clever is how mail gets lost.",
			"Agreed, as long as marking as deleted still works.",
		},
		signature: "tide-dev mailing list\nhttps://lists.example.net/tide-dev",
	},
	{
		subject: "[tide-users] ANN: {project} {version}",
		people:  []person{releases, asha},
		to:      userList,
		fields:  userListFields,
		opening: "{project} {version} is out.\n\n- folders with a percent sign in their name open again\n- half the memory for large mailboxes\n- Greek translation, thanks to Eleni\n\nhttps://forge.example.net/{project}/releases/{version}",
		replies: []string{"Installed without trouble on three machines. The memory is really down, thank you."},
	},
}

var devListFields = []string{
	"List-Id: Development of tide <tide-dev.lists.example.net>",
	"List-Post: <mailto:tide-dev@lists.example.net>",
	"List-Unsubscribe: <mailto:tide-dev-leave@lists.example.net>",
	"Precedence: list",
}

var userListFields = []string{
	"List-Id: Users of tide <tide-users.lists.example.net>",
	"List-Post: <mailto:tide-users@lists.example.net>",
	"List-Unsubscribe: <https://lists.example.net/tide-users/leave>",
	"Precedence: list",
}
