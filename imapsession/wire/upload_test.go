package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"tidings/imapsession/wire"
	"tidings/internal/testserver"
)

// TestUploadToDovecot: streamed literals arrive, alone and several in a command,
// with and without asking first, and imapclient works on beside them.
func TestUploadToDovecot(t *testing.T) {
	srv := testserver.Dovecot(t)
	c, tap := open(t, srv, srv.TLSAddr, wire.NewTrace(0))
	ctx := t.Context()
	letter := "Subject: hello\r\n\r\n" + strings.Repeat("0123456789abcde\n", 20_000)
	for _, sync := range []bool{false, true} {
		u, err := tap.NewUpload("APPEND INBOX")
		must(t, err)
		for i, args := range []string{` (\Seen) "03-Jan-1998 01:05:34 +0000" `, ` `} {
			must(t, u.Literal(ctx, args, strings.NewReader(letter[i:]), int64(len(letter)-i), sync))
		}
		must(t, u.End())
		reply, err := u.Wait(ctx)
		must(t, err)
		if reply.Tagged.Type != "OK" || reply.Tagged.Code != "APPENDUID" || !strings.Contains(reply.Tagged.Arg, ":") {
			t.Errorf("sync %v: %+v", sync, reply.Tagged)
		}
		if u.Sent() != int64(2*len(letter)-1) {
			t.Errorf("%d octets are said to be sent", u.Sent())
		}
	}
	data, err := c.Select("INBOX", nil).Wait()
	must(t, err)
	if data.NumMessages != 4 {
		t.Errorf("%d messages are there", data.NumMessages)
	}

	// Refused before a single octet is read.
	u, err := tap.NewUpload("APPEND nowhere")
	must(t, err)
	err = u.Literal(ctx, " ", iotest.ErrReader(errors.New("it was read")), 100_000, true)
	if !errors.Is(err, wire.ErrRefused) {
		t.Fatalf("a refused literal: %v", err)
	}
	reply, err := u.Wait(ctx)
	if err != nil || reply.Tagged.Type != "NO" || reply.Tagged.Code != "TRYCREATE" {
		t.Errorf("%+v, %v", reply.Tagged, err)
	}
	must(t, c.Noop().Wait())

	// Many in flight at once.
	var all []*wire.Upload
	for range 50 {
		u, err := tap.NewUpload("APPEND INBOX")
		must(t, err)
		must(t, u.Literal(ctx, " ", strings.NewReader("Subject: x\r\n\r\nx\r\n"), 17, false))
		must(t, u.End())
		all = append(all, u)
	}
	for _, u := range all {
		if reply, err := u.Wait(ctx); err != nil || reply.Tagged.Type != "OK" {
			t.Fatalf("%+v, %v", reply.Tagged, err)
		}
	}
	must(t, c.Noop().Wait())

	// A source that ends early is told from a link that did.
	u, err = tap.NewUpload("APPEND INBOX")
	must(t, err)
	var short *wire.SourceError
	if err := u.Literal(ctx, " ", strings.NewReader("too short"), 100, false); !errors.As(err, &short) || short.Missing != 91 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a short source: %v", err)
	}
	tap.Close()
	if _, err := u.Wait(ctx); err == nil {
		t.Error("a command is answered behind the end of its link")
	}
	if _, err := tap.NewUpload("APPEND INBOX"); err == nil {
		t.Error("a command begins behind the end of its link")
	}
}
