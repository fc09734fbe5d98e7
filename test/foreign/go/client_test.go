// Package foreign drives etcd's own Go client for the v2 API against the server at ETCD_URL.
package foreign

import (
	"context"
	"os"
	"testing"
	"time"

	"go.etcd.io/etcd/client/v2"
)

// newClient makes a client of the server; change may give it credentials.
func newClient(t *testing.T, change ...func(*client.Config)) client.Client {
	t.Helper()
	config := client.Config{
		Endpoints:               []string{os.Getenv("ETCD_URL")},
		Transport:               client.DefaultTransport,
		HeaderTimeoutPerRequest: 10 * time.Second,
	}
	for _, each := range change {
		each(&config)
	}
	made, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func inTime(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// refused demands an error of etcd's with this code.
func refused(t *testing.T, err error, code int, message, cause string) {
	t.Helper()
	refusal, ok := err.(client.Error)
	if !ok {
		t.Fatalf("got %T %v, want error %d", err, err, code)
	}
	equal(t, "code", refusal.Code, code)
	equal(t, "message", refusal.Message, message)
	equal(t, "cause", refusal.Cause, cause)
}

// complains demands an error with this text.
func complains(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	equal(t, "error", err.Error(), want)
}
