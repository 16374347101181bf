package credential

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"tidings/internal/crash"
	"tidings/internal/safetext"
)

// keyringTime is how long one call to the keyring may take: a locked one waits
// for a person who may not be there.
const keyringTime = 5 * time.Second

// keyringService is what the keyring files our secrets under.
const keyringService = "tidings"

var (
	// errNoKeyring: there is none here, as on most servers. No fault.
	errNoKeyring = errors.New("there is no keyring here")
	// errKeyringBusy: it did not answer in time.
	errKeyringBusy = errors.New("the keyring did not answer within 5 s, as one does that is locked; unlock it")
)

// keyringCalls is what we need of go-keyring, which has neither contexts nor
// time limits.
type keyringCalls interface {
	Get(service, user string) (string, error)
	Set(service, user, password string) error
	Delete(service, user string) error
}

// keyringVault is the operating system's keyring: Secret Service, the macOS
// Keychain, the Windows Credential Manager.
type keyringVault struct {
	calls keyringCalls
	// slot holds a token while no call is under way. A call that outlives its
	// time keeps it: as long as the keyring owes us that answer, asking again
	// would only pile up.
	slot chan struct{}
}

func newKeyringVault(calls keyringCalls) *keyringVault {
	v := &keyringVault{calls: calls, slot: make(chan struct{}, 1)}
	v.slot <- struct{}{}
	return v
}

func (*keyringVault) String() string { return "the keyring" }

func (v *keyringVault) Get(ctx context.Context, name string) (string, error) {
	return v.call(ctx, func() (string, error) { return v.calls.Get(keyringService, name) })
}

func (v *keyringVault) Set(ctx context.Context, name, value string) error {
	_, err := v.call(ctx, func() (string, error) { return "", v.calls.Set(keyringService, name, value) })
	return err
}

func (v *keyringVault) Delete(ctx context.Context, name string) error {
	_, err := v.call(ctx, func() (string, error) { return "", v.calls.Delete(keyringService, name) })
	if errors.Is(err, ErrNoSecret) {
		return nil
	}
	return err
}

// call runs f on a goroutine of its own, which stays behind if f does.
func (v *keyringVault) call(ctx context.Context, f func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, keyringTime, errKeyringBusy)
	defer cancel()
	select {
	case <-v.slot:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	type answer struct {
		value string
		err   error
	}
	answers := make(chan answer, 1)
	crash.Go("keyring", func() {
		defer func() { v.slot <- struct{}{} }()
		var a answer
		defer func() {
			// The library takes the service's word for the types of what it says.
			if recover() != nil {
				a = answer{err: errors.New("the keyring's service answers what no keyring does")}
			}
			answers <- a
		}()
		a.value, a.err = f()
	})
	select {
	case a := <-answers:
		return a.value, keyringProblem(a.err)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// keyringProblem sorts the library's errors. It passes those of D-Bus on as they
// are, and its own mostly without a name.
func keyringProblem(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	var path *os.SyscallError
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNoSecret
	case errors.Is(err, keyring.ErrUnsupportedPlatform), errors.Is(err, errNoKeyring):
		return errNoKeyring
	case errors.As(err, &path), has("dbus-launch", ".service files", "ServiceUnknown", "does not exist", "was not provided", "No such interface", "no such object", "doesn't exist"):
		return fmt.Errorf("%w (%s)", errNoKeyring, brief(text))
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return errors.New("the keyring does not take a secret of this size")
	case has("failed to unlock"):
		return errors.New("the keyring stayed locked; unlock it")
	}
	return fmt.Errorf("the keyring refuses: %s", brief(text))
}

// brief makes another program's words fit for a sentence of ours.
func brief(text string) string {
	t := safetext.Clean(text)
	if t.Len() > 200 {
		t = safetext.Format("%s…", t.Slice(0, 200))
	}
	return t.String()
}

// systemKeyring is go-keyring, behind a look whether there is a session bus: where
// there is none, the D-Bus library would start one that outlives us, and whoever
// asks it finds an empty keyring.
type systemKeyring struct{}

func (systemKeyring) Get(service, user string) (string, error) {
	if !sessionBus() {
		return "", errNoKeyring
	}
	return keyring.Get(service, user)
}

func (systemKeyring) Set(service, user, password string) error {
	if !sessionBus() {
		return errNoKeyring
	}
	return keyring.Set(service, user, password)
}

func (systemKeyring) Delete(service, user string) error {
	if !sessionBus() {
		return errNoKeyring
	}
	return keyring.Delete(service, user)
}

// sessionBus tells whether a keyring could be reached without starting a bus.
func sessionBus() bool {
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" {
		return address != "autolaunch:"
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), name)); err == nil {
			return true
		}
	}
	return false
}
