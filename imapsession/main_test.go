package imapsession

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if spec := os.Getenv("TIDINGS_TEST_ACT"); spec != "" {
		killChild(spec)
	}
	goleak.VerifyTestMain(m)
}
