package cache

// applicationID marks the file as ours (PRAGMA application_id): "tidc".
const applicationID = 0x74696463

// schemaVersion is PRAGMA user_version. A file of another version is set aside
// and built anew from the server: there is nothing in it that the server has
// not, so migrations would be code that runs once and is never seen.
const schemaVersion = 1

// schemaDigest is the digest of schemaOf a new file; a test holds it to schema.
const schemaDigest = "57f185b144b6436b"

// schema is described in the package's doc. Every transaction of the filling writes
// a segment of the index of words. That costs a rare word up to a millisecond of its
// search, and a frequent one nothing (docs/PERFORMANCE.md). They are merged by tidy,
// when there is nothing else to do: automerge would do it with whatever is written
// next, and takes a deletion for a page of writing.
const schema = `
CREATE TABLE mailbox(
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name BLOB NOT NULL UNIQUE,
	validity INTEGER NOT NULL,
	written INTEGER NOT NULL DEFAULT 0,
	modseq INTEGER NOT NULL DEFAULT 0,
	total INTEGER NOT NULL DEFAULT 0,
	gaps BLOB NOT NULL DEFAULT x'',
	digest INTEGER NOT NULL DEFAULT 0,
	asof INTEGER NOT NULL DEFAULT 0,
	selected INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE row(
	id INTEGER PRIMARY KEY,
	flags INTEGER NOT NULL
) STRICT;
CREATE TABLE keywords(
	id INTEGER PRIMARY KEY,
	names BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE message(
	id INTEGER PRIMARY KEY,
	internal INTEGER,
	day INTEGER,
	date INTEGER NOT NULL,
	size INTEGER NOT NULL,
	mixed INTEGER NOT NULL,
	sender TEXT NOT NULL,
	subject TEXT NOT NULL,
	msgid INTEGER,
	refs BLOB
) STRICT;
CREATE TABLE summary(
	id INTEGER PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;
CREATE VIRTUAL TABLE words USING fts5(
	text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE TABLE body(
	id INTEGER PRIMARY KEY,
	size INTEGER NOT NULL,
	used INTEGER NOT NULL
) STRICT;
CREATE INDEX body_used ON body(used, size);
CREATE TABLE bodydata(
	id INTEGER PRIMARY KEY,
	data BLOB NOT NULL
) STRICT;
CREATE TABLE bodytext(
	id INTEGER PRIMARY KEY,
	text TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE bodywords USING fts5(
	text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE TABLE gone(
	id INTEGER PRIMARY KEY
) STRICT;
CREATE TABLE dropped(
	mailbox INTEGER PRIMARY KEY
) STRICT;
INSERT INTO words(words, rank) VALUES('automerge', 0);
INSERT INTO words(words, rank) VALUES('hashsize', 4194304);
INSERT INTO words(words, rank) VALUES('crisismerge', 1000);
INSERT INTO words(words, rank) VALUES('usermerge', 16);
`
