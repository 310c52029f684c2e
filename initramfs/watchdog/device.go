package watchdog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// identities are how the drivers that the boot manager knows call themselves, by
// the module's name (Linux 6.1, drivers/watchdog). Not every device says in sysfs
// which module drives it: i6300esb has no parent there.
var identities = map[string]string{
	"wdat_wdt": "wdat_wdt",
	"i6300esb": "i6300ESB timer",
	"iTCO_wdt": "iTCO_wdt",
}

// preferred is the order in which the boot manager takes them.
var preferred = []string{"wdat_wdt", "i6300esb", "iTCO_wdt"}

const (
	classDir   = "sys/class/watchdog"
	devicesDir = "dev"
	namePrefix = "watchdog"
)

// Info is a watchdog device of Linux.
type Info struct {
	Name     string // such as watchdog0, in /dev and in /sys/class/watchdog
	Identity string // as the driver calls it
	root     string
}

// Module is the module that drives the device, where it is one of those that the
// boot manager arms; else what the driver calls itself.
func (i Info) Module() string {
	for module, identity := range identities {
		if identity == i.Identity {
			return module
		}
	}
	return i.Identity
}

// List lists the machine's devices in their order. root is "/" outside of tests.
func List(root string) ([]Info, error) {
	entries, err := os.ReadDir(filepath.Join(root, classDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("find watchdogs: %w", err)
	}
	var all []Info
	var problems error
	for _, e := range entries {
		identity, err := os.ReadFile(filepath.Join(root, classDir, e.Name(), "identity"))
		if err != nil {
			problems = errors.Join(problems, fmt.Errorf("find watchdogs: %w", err))
			continue
		}
		all = append(all, Info{Name: e.Name(), Identity: strings.TrimSpace(string(identity)), root: root})
	}
	slices.SortFunc(all, func(a, b Info) int { return a.number() - b.number() })
	return all, problems
}

// number is that of the device; one without comes first.
func (i Info) number() int {
	n, err := strconv.Atoi(strings.TrimPrefix(i.Name, namePrefix))
	if err != nil {
		return -1
	}
	return n
}

// ErrNone is in the chain of the error of [Choose] where there is no device.
var ErrNone = errors.New("the machine has no watchdog that Linux has a driver for")

// Choose returns the device that the module drives. Without a module it is the one
// that the boot manager would arm, or else the first.
func Choose(all []Info, module string) (Info, error) {
	if module != "" {
		for _, i := range all {
			if i.Module() == module {
				return i, nil
			}
		}
		return Info{}, fmt.Errorf("watchdog %s is not among those of Linux, which are: %s", module, names(all))
	}
	for _, module := range preferred {
		for _, i := range all {
			if i.Module() == module {
				return i, nil
			}
		}
	}
	if len(all) == 0 {
		return Info{}, ErrNone
	}
	return all[0], nil
}

func names(all []Info) string {
	if len(all) == 0 {
		return "none"
	}
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = one.Name + " (" + one.Identity + ")"
	}
	return strings.Join(texts, ", ")
}

// Timer is a watchdog timer that counts. Its methods are for one goroutine at a
// time.
type Timer interface {
	// SetTimeout sets how long the timer counts until it resets the machine, begins
	// anew, and returns the time that it really takes. After an error that is the
	// one from before.
	SetTimeout(d time.Duration) (actual time.Duration, err error)
	// Feed lets it count from the start.
	Feed() error
	// Stop stops it and gives it back. One that does not stop resets the machine in
	// the end, and is an error.
	Stop() error
}

// Open opens the device, which starts its timer with the driver's own time-out.
func (i Info) Open() (Timer, error) {
	f, err := os.OpenFile(filepath.Join(i.root, devicesDir, i.Name), os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open watchdog: %w", err)
	}
	return &device{info: i, file: f, ioctl: request{}}, nil
}

// device is a device that is open.
type device struct {
	info  Info
	file  *os.File
	ioctl ioctl
}

// ioctl are the requests to a device, in seconds (Linux,
// Documentation/watchdog/watchdog-api.rst).
type ioctl interface {
	setTimeout(f *os.File, seconds int) error
	timeout(f *os.File) (seconds int, err error)
}

type request struct{}

func (request) setTimeout(f *os.File, seconds int) error {
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.WDIOC_SETTIMEOUT, seconds)
}

func (request) timeout(f *os.File) (int, error) {
	return unix.IoctlGetInt(int(f.Fd()), unix.WDIOC_GETTIMEOUT)
}

func (d *device) SetTimeout(timeout time.Duration) (time.Duration, error) {
	err := d.ioctl.setTimeout(d.file, int(timeout/time.Second))
	if err != nil {
		err = fmt.Errorf("set watchdog %s to %v: %w", d.info.Name, timeout, err)
	}
	seconds, getErr := d.ioctl.timeout(d.file)
	if getErr != nil {
		return timeout, errors.Join(err, fmt.Errorf("time-out of watchdog %s: %w", d.info.Name, getErr))
	}
	return time.Duration(seconds) * time.Second, errors.Join(err, d.Feed())
}

// A byte that is written feeds the timer. The last one says whether closing the
// device stops it.
const (
	feedByte  = 0
	closeByte = 'V'
)

func (d *device) Feed() error {
	if _, err := d.file.Write([]byte{feedByte}); err != nil {
		return fmt.Errorf("feed watchdog %s: %w", d.info.Name, err)
	}
	return nil
}

func (d *device) Stop() error {
	_, err := d.file.Write([]byte{closeByte})
	if err = errors.Join(err, d.file.Close()); err != nil {
		return fmt.Errorf("stop watchdog %s: %w", d.info.Name, err)
	}
	state, err := os.ReadFile(filepath.Join(d.info.root, classDir, d.info.Name, "state"))
	if err != nil {
		return fmt.Errorf("stop watchdog %s: %w", d.info.Name, err)
	}
	if s := strings.TrimSpace(string(state)); s != "inactive" {
		return fmt.Errorf("stop watchdog %s: it is %s still, and resets the machine", d.info.Name, s)
	}
	return nil
}
