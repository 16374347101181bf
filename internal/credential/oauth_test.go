package credential

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"tidings/imapsession"
)

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func isTransient(err error) bool {
	var e *imapsession.SecretError
	return errors.As(err, &e) && e.Transient
}
