package commands

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/initramfs/service"
)

// stoppedClock stands still.
type stoppedClock struct{}

func (stoppedClock) Now() time.Duration                               { return 90 * time.Second }
func (stoppedClock) Sleep(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }

// supervised is a machine below a directory whose process 1 keeps two services: one that
// runs, and one that waits for its next start.
func supervised(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	reports := make(chan *service.Ended, 100)
	s := service.New(service.Config{
		Clock: stoppedClock{}, Launch: service.Direct,
		Log:    func(service, line string) { t.Logf("%s: %s", service, line) },
		Report: func(_ string, e *service.Ended) { reports <- e },
	})
	for _, spec := range []service.Spec{
		{Name: "good", Run: func(ctx context.Context, _ io.Writer) error { <-ctx.Done(); return nil }},
		{Name: "bad", Run: func(context.Context, io.Writer) error { return errors.New("exit status 1") }},
	} {
		if err := errors.Join(s.Add(spec), s.Start(spec.Name)); err != nil {
			t.Fatal(err)
		}
	}
	for ended := false; !ended; {
		ended = <-reports != nil
	}
	listener, err := packet.Listen(filepath.Join(root, service.SocketPath))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- listener.Serve(s.Answer) }()
	t.Cleanup(func() {
		if err := errors.Join(listener.Close(), <-served, s.StopAll(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return root
}

func TestServices(t *testing.T) {
	root := supervised(t)
	for _, c := range []struct {
		line           string
		status         int
		stdout, stderr string
	}{
		{"services", 0, "SERVICE  STATE  STARTS  SINCE  PID  LAST END\ngood     runs   1       90 s   -    -\nbad      waits  1       90 s   -    exit status 1\n", ""},
		{"services stop good", 0, "good     stopped  1       90 s   -    -\n", ""},
		{"services start good", 0, "good     ", ""},
		{"services restart bad", 0, "bad      ", ""},
		{"services stop nothing", 1, "", "services: service nothing: there is no such service\n"},
		{"services stop", 2, "", "accepts 1 arg"},
		{"services bark", 2, "", `unknown command "bark"`},
		{"services add good -- /bin/sh", 1, "", "there is such a service already"},
		{"services add x --restart often -- /bin/sh", 1, "", `there is no policy "often"`},
		{"services add x --memory much -- /bin/sh", 2, "", "is no size"},
		{"services add x --after bad --critical -- /bin/sh -c cat</dev/zero", 0, "x        ", ""},
		{"services --json", 0, `"critical": true`, ""},
		{"services remove bad", 1, "", "x comes after it"},
		{"services remove x", 0, "x is gone.\n", ""},
	} {
		status, stdout, stderr := runCommand(root, c.line)
		if status != c.status || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.line, status, stdout, stderr)
		}
		if strings.Contains(c.line, "--json") && !json.Valid([]byte(stdout)) {
			t.Errorf("%s: %s", c.line, stdout)
		}
	}
	var out strings.Builder
	status := All()["services"].main(&env{
		name: "services", args: []string{"__completeNoDesc", "restart", ""}, stdout: &out, stderr: io.Discard,
		services: func(r service.Request) ([]service.State, error) { return service.Ask(root, r) },
	})
	if status != 0 || out.String() != "good\nbad\n:4\n" {
		t.Errorf("completion: status %d, %q", status, out.String())
	}
}
