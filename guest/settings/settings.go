// Package settings reads what the guests of a machine are to be like from a file on
// its ESP (TOML 1.0). [Text] is such a file, and says what may stand in it. What is not
// said is as [guest.Default] has it.
package settings

import (
	"errors"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/rayos/rayboot/guest"
)

// Path is where the file lies on the ESP. A machine without it has the default guests.
const Path = "EFI/rayos/guests.toml"

// MaxBytes bounds the file.
const MaxBytes = 64 << 10

// ErrSettings marks whatever is wrong with the file.
var ErrSettings = errors.New("unusable settings of guests")

// Text is a file that changes nothing, for users to begin with.
const Text = `# What the guests of this machine get. Lines with # in front are the defaults.

[linux]
# memory-mib = 1024
# cpus = 1
# autostart = false         # true: started with the machine
# screen = [1280, 800]      # pixels at first; without it, what suits the screen
# append = ""               # added to the kernel's command line
# restarts = 3              # after crashes, 0 for never ...
# restarts-within = "10m"   # ... within this time

[windows]
# memory-mib = 4096
# cpus = 2
# autostart = false
# restarts = 3
# restarts-within = "10m"
`

// Settings has the description of every guest.
type Settings map[guest.Name]guest.Config

// Default returns what a machine without a file has.
func Default() Settings {
	s := Settings{}
	for _, name := range guest.Names() {
		s[name] = guest.Default(name)
	}
	return s
}

// table is the form of a guest in the TOML file.
type table struct {
	MemoryMiB *int    `toml:"memory-mib"`
	CPUs      *int    `toml:"cpus"`
	Autostart *bool   `toml:"autostart"`
	Screen    []int   `toml:"screen"`
	Append    *string `toml:"append"`
	Restarts  *int    `toml:"restarts"`
	Within    *string `toml:"restarts-within"`
}

// Read reads a file of at most MaxBytes. A key that is not known is an error, as it is
// one that was meant.
func Read(r io.Reader) (Settings, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read settings of guests: %w", err)
	}
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%w: the file has more than %d bytes", ErrSettings, MaxBytes)
	}
	s, err := decode(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w; correct %s, or remove it for the default guests", ErrSettings, err, Path)
	}
	return s, nil
}

func decode(text string) (Settings, error) {
	var tables map[guest.Name]table
	meta, err := toml.Decode(text, &tables)
	if err != nil {
		return nil, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("there is no key %s", unknown[0])
	}
	s := Default()
	for name, t := range tables {
		c, ok := s[name]
		if !ok {
			return nil, fmt.Errorf("there is no guest %q; there are %v", name, guest.Names())
		}
		if s[name], err = t.onto(c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// onto puts what the table says in the place of the defaults.
func (t table) onto(c guest.Config) (guest.Config, error) {
	set(&c.MemoryMiB, t.MemoryMiB)
	set(&c.CPUs, t.CPUs)
	set(&c.Autostart, t.Autostart)
	set(&c.Append, t.Append)
	set(&c.Restarts, t.Restarts)
	if t.Screen != nil {
		if len(t.Screen) != 2 {
			return c, fmt.Errorf("%s: screen has %d numbers; write for example [1280, 800]", c.Name, len(t.Screen))
		}
		c.Screen = image.Pt(t.Screen[0], t.Screen[1])
	}
	if t.Within != nil {
		d, err := time.ParseDuration(*t.Within)
		if err != nil {
			return c, fmt.Errorf("%s: restarts-within is %q; write for example \"10m\"", c.Name, *t.Within)
		}
		c.Within = d
	}
	return c, c.Check()
}

func set[T any](to *T, said *T) {
	if said != nil {
		*to = *said
	}
}
