//go:build race

package ui

// racing: the race detector watches.
const racing = true
