package imapsession

import "time"

const (
	// clockCheck is how often the clocks are compared while nothing happens.
	clockCheck = 10 * time.Second
	// clockJump is how far the wall clock may run ahead of the monotonic one
	// before it means that the machine slept.
	clockJump = 5 * time.Second
)

// clock notices that the machine slept: the monotonic clock stands still
// meanwhile, the wall clock does not. It belongs to the session's goroutine.
type clock struct {
	wall     func() time.Time
	lastWall time.Time
	lastMono time.Time
}

// slept compares the clocks with the last call and returns by how much the wall
// clock ran ahead, if that was more than clockJump. A clock set back, or set
// forward by hand, cannot be told from the outside: forward costs one probe,
// back costs nothing.
func (c *clock) slept() (time.Duration, bool) {
	wall, mono := c.wall(), time.Now()
	first := c.lastMono.IsZero()
	ahead := wall.Sub(c.lastWall) - mono.Sub(c.lastMono)
	c.lastWall, c.lastMono = wall, mono
	if first || ahead <= clockJump {
		return 0, false
	}
	return ahead, true
}
