package credential

import (
	"context"
	"errors"
)

// ErrNoSecret says that a Vault holds nothing under a name.
var ErrNoSecret = errors.New("no such secret is kept")

// Vault keeps what has to outlive the program: refresh tokens, and passwords
// that a person told us to keep. Names look like "work/refresh-token". A vault
// may be used from any goroutine and by several processes at once; every call
// ends with ctx. Errors never contain a value.
type Vault interface {
	// Get returns what is kept under name; ErrNoSecret where nothing is.
	Get(ctx context.Context, name string) (string, error)
	// Set replaces it, durably, before it returns.
	Set(ctx context.Context, name, value string) error
	// Delete removes it; nothing under the name is no error.
	Delete(ctx context.Context, name string) error
}
