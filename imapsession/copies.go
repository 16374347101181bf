package imapsession

import "tidings/store"

// copiesPart is what a job knows of the copies that it makes.
type copiesPart struct {
	landing store.Landing // of the mailbox copied to, before the first COPY
	landed  bool          // landing is written down, as far as it is known
	left    []store.UID   // nil: all; else what has still to be copied
}
