//go:build !race

package cache

// fewer is by what the rounds of long tests are divided.
const fewer = 1
