package demo

var newsletterFields = []string{
	"List-Unsubscribe: <https://www.example.com/unsubscribe?id={n}>",
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
	"Precedence: bulk",
}

// letterTopics are newsletters and private letters.
var letterTopics = []topic{
	{
		style:   htmlOnly,
		subject: "🌱 The Weekly Gardener: what to sow in week {small}",
		people:  []person{garden},
		fields:  newsletterFields,
		opening: "The ground is warm enough for the first radishes, and the slugs know it too.\n\n- Radishes: straight into the bed, one thumb apart\n- Peas: soak them overnight\n- Tomatoes: on the window sill, not yet outside\n\nA reader from {city} writes that coffee grounds keep the slugs away. We tried it. They like coffee.\n\nRead on at https://garden.example.com/issues/{n}",
	},
	{
		style:   htmlOnly,
		subject: "Last days: 20 % off everything blue",
		people:  []person{shop},
		fields:  newsletterFields,
		opening: "Blue teapots, blue cups, blue everything.\n\nUntil {day} only: https://shop.example.com/blue?campaign={n}\n\nYou get this letter because you bought a teapot once.",
	},
	{
		style:   alternative,
		subject: "Small Kernels Digest, issue {n}",
		people:  []person{kernels},
		fields:  newsletterFields,
		opening: "Good morning,\n\nthis week:\n\n- A scheduler in 300 lines, and what it gets wrong\n- Why your timer drifts: https://kernels.example.net/{n}/timers\n- Readers' letters: is a page cache a cache?\n\nSee you next week.",
	},
	{
		subject: "Photos from {city}",
		style:   attachment,
		people:  []person{lena, zoe},
		opening: "One for now, the rest when I am home. We saw the tide come in twice and missed the train once.\n\nLena",
		replies: []string{"Beautiful! Which beach is that? I want to go there in spring."},
		file:    pngFile, fileName: "Küste bei {city}.png",
	},
	{
		subject: "Choir on {day}",
		people:  []person{zoe, lena, jurgen},
		opening: "Rehearsal starts half an hour later this {day}, the room is taken until then.\nPlease bring the red books.",
		replies: []string{"Which are the red ones again?", "The ones that used to be blue. 😀"},
	},
	{
		subject: "recipe, as promised",
		people:  []person{grace, lena},
		opening: "Onion soup for {small}:\n\n  1 kg onions, sliced thin\n  50 g butter\n  1 l broth\n  bread, cheese\n\nThe onions want 40 minutes and your full attention. Everything else is easy.",
		replies: []string{"Made it twice already. 40 minutes is no exaggeration."},
	},
	{
		style:   flowed,
		subject: "the boat",
		people:  []person{frank, jurgen},
		opening: "She floats. It took three weekends, two coats of paint more than planned, and a plank that we found in your shed (you will get it back, or rather another one that looks like it), but since Sunday she is in the water and stays dry inside.\n\nCome by on {day} if the weather holds. Bring something to bail with, just in case.",
		replies: []string{"I wondered where that plank had gone. Of course I come."},
	},
}
