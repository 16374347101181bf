//go:build !linux

package imapsession

import (
	"context"
	"net"
)

// dialTCP dials with keepalive; TCP_USER_TIMEOUT is Linux's.
func dialTCP(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: keepAlive}
	return d.DialContext(ctx, network, addr)
}
