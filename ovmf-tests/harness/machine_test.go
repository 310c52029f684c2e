package harness

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/tools/mkimage/qemu"
	"github.com/rayos/rayboot/tools/mkimage/qemu/qemutest"
)

// TestMain plays a guest that says what the arguments of the emulator want, and then waits for a key.
func TestMain(m *testing.M) {
	qemutest.Main(m, func(serial io.ReadWriter) {
		if slices.Contains(os.Args, "-say=crash") {
			fmt.Fprint(serial, "panic: no more\r\n")
		}
		fmt.Fprint(serial, "ready\r\n")
		_, _ = serial.Read(make([]byte, 1))
	})
}

// recorder stands in for the test of which a harness rule is tested.
type recorder struct {
	testing.TB
	failures []string
	logs     []string
	cleanups []func()
}

func (r *recorder) Helper()                    {}
func (r *recorder) Context() context.Context   { return r.TB.Context() }
func (r *recorder) Cleanup(f func())           { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Failed() bool               { return len(r.failures) > 0 }
func (r *recorder) Skipped() bool              { return false }
func (r *recorder) Logf(f string, args ...any) { r.logs = append(r.logs, fmt.Sprintf(f, args...)) }
func (r *recorder) Error(args ...any)          { r.failures = append(r.failures, fmt.Sprint(args...)) }

func (r *recorder) Errorf(f string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(f, args...))
}

func (r *recorder) Fatalf(f string, args ...any) {
	r.Errorf(f, args...)
	runtime.Goexit()
}

// try runs a test body against a machine, as the testing package would.
func try(t *testing.T, spec Spec, body func(m *Machine)) *recorder {
	t.Helper()
	fake := qemutest.Machine(t)
	fake.Extra = spec.Extra
	spec.Machine = fake
	t.Setenv("RAYBOOT_DIST", t.TempDir())
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		m := Start(r, spec)
		m.patience = 5 * time.Second
		body(m)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r
}

func TestRules(t *testing.T) {
	crashing := Spec{Machine: qemu.Machine{Extra: []string{"-say=crash"}}}
	for _, c := range []struct {
		name string
		spec Spec
		body func(m *Machine)
		want string // the failure, "" for none
	}{
		{"a good test", Spec{}, func(m *Machine) { m.Finish(Text("ready")) }, ""},
		{"no last line", Spec{}, func(m *Machine) { m.Expect(Text("ready")) }, "without its last line"},
		{"a time-out", Spec{}, func(m *Machine) { m.patience = 50 * time.Millisecond; m.Finish(Text("more")) }, "\"more\" did not come in time\nthe transcript ends with:\n"},
		{"a crash", crashing, func(m *Machine) { m.Finish(Text("ready")) }, "crashed: panic: no more"},
		{"a crash that is expected", Spec{Machine: crashing.Machine, Crashes: true}, func(m *Machine) { m.Finish(Text("ready")) }, ""},
		{"the machine ends", Spec{}, func(m *Machine) { m.Type("x"); m.Finish(Text("more")) }, "the machine has ended"},
		{"it ends, but not by the guest's power-off", Spec{}, func(m *Machine) { m.Type("x"); m.ExpectOff() }, "did not switch it off"},
		{"an unwanted line", Spec{}, func(m *Machine) { m.Finish(Text("ready")); m.Never(Text("ready")) }, "must not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := try(t, c.spec, c.body)
			got := strings.Join(r.failures, "\n")
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("failures are %q, want %q", got, c.want)
			}
			if !slices.ContainsFunc(r.logs, func(l string) bool { return strings.Contains(l, "serial transcript:\n") }) {
				t.Errorf("no transcript in the log: %q", r.logs)
			}
		})
	}
}

func TestFailureIsSaved(t *testing.T) {
	try(t, Spec{}, func(m *Machine) { m.Expect(Text("ready")); m.t.Errorf("no") })
	base := filepath.Join(Dist(), "failed", t.Name())
	if text, err := os.ReadFile(base + ".txt"); err != nil || string(text) != "ready\n" {
		t.Errorf("saved transcript is %q, %v", text, err)
	}
	if _, err := readPNG(base + ".png"); err != nil {
		t.Error(err)
	}
}
