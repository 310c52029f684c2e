package watchdog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newRoot is a machine with these devices: identities by name.
func newRoot(t *testing.T, devices map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, identity := range devices {
		writeFile(t, filepath.Join(root, classDir, name, "identity"), identity+"\n")
		writeFile(t, filepath.Join(root, classDir, name, "state"), "inactive\n")
		writeFile(t, filepath.Join(root, devicesDir, name), "")
	}
	return root
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, root string) []Info {
	t.Helper()
	all, err := List(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestChoose(t *testing.T) {
	both := map[string]string{"watchdog0": "iTCO_wdt", "watchdog1": "i6300ESB timer", "watchdog10": "Software Watchdog", "watchdog2": "other"}
	for _, c := range []struct {
		name    string
		devices map[string]string
		module  string
		want    string
		err     string
	}{
		{"by module", both, "iTCO_wdt", "watchdog0", ""},
		{"by identity, which is not the module's name", both, "i6300esb", "watchdog1", ""},
		{"as the boot manager", both, "", "watchdog1", ""},
		{"the first", map[string]string{"watchdog10": "x", "watchdog2": "y"}, "", "watchdog2", ""},
		{"not there", both, "wdat_wdt", "", "watchdog wdat_wdt is not among those of Linux, which are: watchdog0 (iTCO_wdt), watchdog1 (i6300ESB timer), watchdog2 (other), watchdog10"},
		{"none", nil, "i6300esb", "", "which are: none"},
		{"none at all", nil, "", "", ErrNone.Error()},
	} {
		got, err := Choose(list(t, newRoot(t, c.devices)), c.module)
		if got.Name != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %q, %v", c.name, got.Name, err)
		}
	}
	if module := (Info{Identity: "Software Watchdog"}).Module(); module != "Software Watchdog" {
		t.Errorf("module of an unknown driver: %s", module)
	}
}

// TestDeviceWithoutIdentity is passed over and told.
func TestDeviceWithoutIdentity(t *testing.T) {
	root := newRoot(t, map[string]string{"watchdog1": "iTCO_wdt"})
	if err := os.MkdirAll(filepath.Join(root, classDir, "watchdog0"), 0o755); err != nil {
		t.Fatal(err)
	}
	all, err := List(root)
	if len(all) != 1 || all[0].Name != "watchdog1" || err == nil || !strings.Contains(err.Error(), "watchdog0") {
		t.Errorf("%v, %v", all, err)
	}
}

// fakeRequests answer for the kernel.
type fakeRequests struct {
	seconds, limit int
	broken         error
}

func (r *fakeRequests) setTimeout(_ *os.File, seconds int) error {
	if seconds > r.limit {
		return unix.EINVAL
	}
	r.seconds = seconds
	return nil
}

func (r *fakeRequests) timeout(*os.File) (int, error) { return r.seconds, r.broken }

// openFake opens a device that is a file, so that what is written can be read.
func openFake(t *testing.T, r *fakeRequests) (d *device, root string) {
	t.Helper()
	root = newRoot(t, map[string]string{"watchdog0": "iTCO_wdt"})
	timer, err := list(t, root)[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	d = timer.(*device)
	d.ioctl = r
	return d, root
}

func written(t *testing.T, root string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, devicesDir, "watchdog0"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDevice(t *testing.T) {
	d, root := openFake(t, &fakeRequests{seconds: 30, limit: 600})
	if got, err := d.SetTimeout(2 * time.Minute); got != 2*time.Minute || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if err := d.Feed(); err != nil {
		t.Error(err)
	}
	if err := d.Stop(); err != nil {
		t.Error(err)
	}
	if got := written(t, root); got != "\x00\x00V" {
		t.Errorf("written: %q", got)
	}
	for what, err := range map[string]error{"feed": d.Feed(), "stop": d.Stop()} {
		if err == nil || !strings.Contains(err.Error(), what+" watchdog watchdog0") {
			t.Errorf("%s of a closed device: %v", what, err)
		}
	}
}

func TestTimeoutThatTheDeviceDoesNotHave(t *testing.T) {
	d, _ := openFake(t, &fakeRequests{seconds: 30, limit: 60})
	if got, err := d.SetTimeout(2 * time.Minute); got != 30*time.Second || !errors.Is(err, unix.EINVAL) {
		t.Errorf("%v, %v", got, err)
	}
	d, _ = openFake(t, &fakeRequests{limit: 60, broken: unix.EOPNOTSUPP})
	if got, err := d.SetTimeout(time.Minute); got != time.Minute || !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestStopThatDoesNotStop is of a driver with nowayout.
func TestStopThatDoesNotStop(t *testing.T) {
	d, root := openFake(t, &fakeRequests{})
	writeFile(t, filepath.Join(root, classDir, "watchdog0/state"), "active\n")
	if err := d.Stop(); err == nil || !strings.Contains(err.Error(), "it is active still, and resets the machine") {
		t.Errorf("error %v", err)
	}
}

func TestOpenWithoutDevice(t *testing.T) {
	if _, err := (Info{Name: "watchdog7", root: t.TempDir()}).Open(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
