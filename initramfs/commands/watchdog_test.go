package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/watchdog"
	"github.com/rayos/rayboot/markers"
)

// steadyTimer is a timer that does as it is told.
type steadyTimer struct{}

func (steadyTimer) SetTimeout(d time.Duration) (time.Duration, error) { return d, nil }
func (steadyTimer) Feed() error                                       { return nil }
func (steadyTimer) Stop() error                                       { return nil }

// guarded is a machine below a directory whose process 1 answers.
func guarded(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	g := watchdog.New(watchdog.Config{
		Now: func() time.Duration { return 0 },
		Find: func() (watchdog.Source, error) {
			return watchdog.Source{Module: "i6300esb", Open: func() (watchdog.Timer, error) { return steadyTimer{}, nil }}, nil
		},
		Emit: func(markers.Emitter) {},
	})
	g.Watch("init", time.Minute)
	l, err := watchdog.Listen(root)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { g.Serve(l); close(served) }()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	return root
}

// runWatchdog runs a command line on the machine below root.
func runWatchdog(root, line string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = All()["watchdog"].main(&env{
		name: "watchdog", args: strings.Fields(line)[1:], stdout: &out, stderr: &errs,
		watchdog: func(r watchdog.Request) (watchdog.Status, error) { return watchdog.Ask(root, r) },
	})
	return status, out.String(), errs.String()
}

func TestWatchdog(t *testing.T) {
	root := guarded(t)
	for _, c := range []struct {
		line           string
		status         int
		stdout, stderr string
	}{
		{"watchdog status", 0, "[RAYOS_WATCHDOG] Status:\nState: Disarmed\nTimeout: 30000 ms\nTime Remaining: 0 ms\nConsecutive Failures: 0\nDevice: none\n", ""},
		{"watchdog kick", 1, "", "watchdog: the watchdog is not armed"},
		{"watchdog arm", 0, "The watchdog i6300esb resets the machine when it was not fed for 30s.\n", ""},
		{"watchdog kick", 0, "The watchdog i6300esb was fed.\n", ""},
		{"watchdog policy", 0, "The policy is auto-reboot, until the next start.\n", ""},
		{"watchdog policy recovery-boot", 0, "The policy is recovery-boot, until the next start.\n", ""},
		{"watchdog status", 0, "State: Armed\nTimeout: 30000 ms\nTime Remaining: 30000 ms\nConsecutive Failures: 0\nDevice: i6300esb\nPolicy: recovery-boot\nServices: init\n", ""},
		{"watchdog disarm", 0, "The watchdog is stopped: nothing resets a machine that hangs.\n", ""},
		{"watchdog policy reboot", 2, "", `there is no watchdog policy "reboot"; there are auto-reboot, dump-then-reboot, recovery-boot, halt`},
		{"watchdog bark", 2, "", `watchdog has no command "bark"`},
		{"watchdog kick it", 2, "", `unknown command "it"`},
		{"watchdog status -v", 2, "", "unknown shorthand flag: 'v'"},
		{"watchdog", 0, "  policy      Show or set what is done before it resets the machine\n", ""},
		{"watchdog policy --help", 0, "Policies: auto-reboot, dump-then-reboot, recovery-boot, halt.", ""},
	} {
		status, stdout, stderr := runWatchdog(root, c.line)
		if status != c.status || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: status %d, output %q, errors %q", c.line, status, stdout, stderr)
		}
		checkColumns(t, c.line, stdout)
	}
}

func TestWatchdogJSON(t *testing.T) {
	_, stdout, _ := runWatchdog(guarded(t), "watchdog arm --json")
	var s watchdog.Status
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || s.State != "Armed" || s.Timeout != 30_000 || s.Services[0] != "init" || s.Dead == nil {
		t.Errorf("%s: %+v, %v", stdout, s, err)
	}
}

func TestWatchdogWithoutProcess1(t *testing.T) {
	status, _, stderr := runWatchdog(t.TempDir(), "watchdog status")
	if status != 1 || !strings.Contains(stderr, "watchdog: ask process 1: no such file or directory") {
		t.Errorf("status %d, errors %q", status, stderr)
	}
}

// TestWatchdogThatCannotBeArmed says why.
func TestWatchdogThatCannotBeArmed(t *testing.T) {
	var errs bytes.Buffer
	e := &env{
		name: "watchdog", args: []string{"arm"}, stdout: &bytes.Buffer{}, stderr: &errs,
		watchdog: func(watchdog.Request) (watchdog.Status, error) {
			return watchdog.Status{}, errors.New("no such device")
		},
	}
	if status := All()["watchdog"].main(e); status != 1 || errs.String() != "watchdog: no such device\n" {
		t.Errorf("status %d, errors %q", status, &errs)
	}
}
