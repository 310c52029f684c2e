package guest

import (
	"errors"
	"fmt"
	"image"
	"strings"
	"time"
)

// Name names a guest; it is also the name of its surfaces.
type Name string

// The guests that a machine may have.
const (
	Linux   Name = "linux"   // on partition 4, started with a kernel of its own
	Windows Name = "windows" // on partition 5, started by its firmware
)

// Names returns all guests, in the order of their partitions.
func Names() []Name { return []Name{Linux, Windows} }

// Bounds of a [Config].
const (
	MinMemoryMiB   = 64
	MaxMemoryMiB   = 1 << 20
	MaxCPUs        = 128
	MinSide        = 320  // pixels of width or height of a screen
	MaxSide        = 8192 // also
	MaxAppendBytes = 1024 // half of what Linux takes on x86-64
	MaxRestarts    = 100
	MaxWithin      = 24 * time.Hour
)

// ErrConfig is in the chain of the errors about a guest that cannot be as described.
var ErrConfig = errors.New("unusable description of a guest")

// Config is what a guest gets of the machine.
type Config struct {
	Name      Name
	MemoryMiB int // MinMemoryMiB to MaxMemoryMiB
	CPUs      int // 1 to MaxCPUs
	Autostart bool
	Screen    image.Point // pixels that it is to use at first; 0, 0: what suits the screen. Linux only
	Append    string      // added to the kernel's command line. Linux only

	// A guest that crashes is started again, at most Restarts times (0: never) Within a time.
	Restarts int
	Within   time.Duration // up to MaxWithin
}

// Default is the description of a guest about which nothing is said.
func Default(name Name) Config {
	c := Config{Name: name, MemoryMiB: 1024, CPUs: 1, Restarts: 3, Within: 10 * time.Minute}
	if name == Windows {
		c.MemoryMiB, c.CPUs = 4096, 2
	}
	return c
}

// Check fails with [ErrConfig] if a guest cannot be like this.
func (c Config) Check() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, c.Name, err)
	}
	return nil
}

func (c Config) check() error {
	side := func(n int) bool { return n >= MinSide && n <= MaxSide }
	switch {
	case c.Name != Linux && c.Name != Windows:
		return fmt.Errorf("there is no such guest; there are %v", Names())
	case c.MemoryMiB < MinMemoryMiB || c.MemoryMiB > MaxMemoryMiB:
		return fmt.Errorf("%d MiB of memory; from %d to %d are possible", c.MemoryMiB, MinMemoryMiB, MaxMemoryMiB)
	case c.CPUs < 1 || c.CPUs > MaxCPUs:
		return fmt.Errorf("%d processors; from 1 to %d are possible", c.CPUs, MaxCPUs)
	case c.Restarts < 0 || c.Restarts > MaxRestarts:
		return fmt.Errorf("%d restarts; from 0 to %d are possible", c.Restarts, MaxRestarts)
	case c.Within <= 0 || c.Within > MaxWithin:
		return fmt.Errorf("restarts within %v; up to %v are possible", c.Within, MaxWithin)
	case c.Name == Linux:
		return c.checkLinux(side)
	case c.Screen != image.Point{} || c.Append != "":
		return errors.New("its screen and kernel command line cannot be given; it chooses them itself")
	}
	return nil
}

func (c Config) checkLinux(side func(int) bool) error {
	unprintable := func(r rune) bool { return r < ' ' || r > '~' }
	switch {
	case c.Screen != image.Point{} && !(side(c.Screen.X) && side(c.Screen.Y)):
		return fmt.Errorf("a screen of %d by %d pixels; from %d to %d are possible", c.Screen.X, c.Screen.Y, MinSide, MaxSide)
	case len(c.Append) > MaxAppendBytes || strings.ContainsFunc(c.Append, unprintable):
		return fmt.Errorf("its kernel command line has %d bytes or other than ASCII letters; up to %d printable ones are possible", len(c.Append), MaxAppendBytes)
	}
	return nil
}
