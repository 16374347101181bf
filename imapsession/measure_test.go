package imapsession

import (
	"fmt"
	"testing"
	"time"

	"tidings/internal/testserver"
)

// realistic is a letter with the header of one that has come through a few
// relays, as most mail has.
func realistic(i int) testserver.Mail {
	raw := fmt.Sprintf("Return-Path: <bounce-%d@lists.example.org>\r\n"+
		"Received: from relay.example.net (relay.example.net [192.0.2.7])\r\n\tby mx.example.com with ESMTPS id %08x\r\n\tfor <bob@example.com>; Fri, 20 Nov 2026 10:00:00 +0000\r\n"+
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=k1; h=from:to:subject:date;\r\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%064x\r\n"+
		"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nFrom: Alice Example <alice@example.org>\r\nTo: Bob <bob@example.com>, dev@lists.example.org\r\n"+
		"Subject: Re: [dev] Deploy window on Monday, take %d\r\nMessage-ID: <%024x@mail.example.org>\r\n"+
		"In-Reply-To: <%024x@mail.example.org>\r\nReferences: <%024x@mail.example.org> <%024x@mail.example.org>\r\n"+
		"List-Id: <dev.lists.example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello.\r\n",
		i, i, i, i, i, i-1, i-2, i-1)
	return testserver.Mail{Raw: []byte(raw), Date: time.Unix(1_790_000_000+int64(i), 0), Flags: "S"}
}

// The first screen must not cost more in a large mailbox than in a small one.
func TestOpeningCostsTheSameAtAnySize(t *testing.T) {
	sizes := []int{1000, 20_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			srv := testserver.Dovecot(t)
			srv.Fill(t, "INBOX", n, realistic)
			srv.Rows(t, "INBOX") // not the first open
			link := testserver.NewLink(t, srv.Addr)
			link.SetLatency(20*time.Millisecond, 20*time.Millisecond)
			f, _ := start(t, configFor(t, link.Addr(), srv.User, srv.Password))
			f.live(1)
			trips, bytes := link.RoundTrips(), link.Bytes(testserver.ToClient)
			t.Logf("%d messages: %d round trips after TCP, %d octets from the server", n, trips, bytes)
			if trips > 6 {
				t.Errorf("%d round trips", trips)
			}
			f.until("the unread count", func() bool { return f.unseen.Known })
			if bytes := link.Bytes(testserver.ToClient); bytes >= 55<<10 {
				t.Errorf("%d octets from the server", bytes)
			}
			if f.list.Len() != n || len(f.summaries) != 60 {
				t.Errorf("%d rows, %d summaries", f.list.Len(), len(f.summaries))
			}

			link.SetLatency(0, 0)
			link.ResetCounters()
			srv.Append(t, "INBOX", realistic(n).Raw)
			f.until("new mail", func() bool { return len(f.newMail) == 1 })
			if bytes := link.Bytes(testserver.ToClient); bytes >= 900 {
				t.Errorf("an arrival cost %d octets from the server", bytes)
			} else {
				t.Logf("an arrival: %d octets from the server", bytes)
			}
		})
	}
}
