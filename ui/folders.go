package ui

import "strings"

// folderTree is what a person sees of the folders of an account.
type folderTree struct{}

// isInbox tells whether a raw name is the INBOX, whose case means nothing (RFC
// 9051 §5.1).
func isInbox(raw string) bool { return strings.EqualFold(raw, "INBOX") }
