//go:build race

package cache

// fewer is by what the rounds of long tests are divided: under the race detector
// SQLite's translation takes tens of times as long.
const fewer = 5
