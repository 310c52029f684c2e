// Package bootfacts is what process 1 found out about this boot, in a file for
// the commands of the shell: KEY=VALUE lines.
package bootfacts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// File is where the facts are.
const File = "run/rayos/boot"

// Facts are what is known about this boot. What is not known is empty.
type Facts struct {
	Entry       string // ID of the boot entry
	ESPPartUUID string // PARTUUID of the ESP that the boot loader was read from
	InstallID   string // what the boot manager read there

	Disk   string // kernel name of the boot disk, such as vda
	ESP    string // kernel name of its ESP
	Kernel string // kernel name of its RayOS Kernel partition

	NoSnapshot string // why no golden snapshot is taken of this boot; empty if one is
	Good       string // "yes" once the boot manager knows that this boot is good

	LogVolatile string // why the log ends with the machine; empty if it is on the disk
}

// lines are the facts by key, in order.
func (f *Facts) lines() []line {
	return []line{
		{"ENTRY", &f.Entry},
		{"ESP_PARTUUID", &f.ESPPartUUID},
		{"INSTALL_ID", &f.InstallID},
		{"DISK", &f.Disk},
		{"ESP", &f.ESP},
		{"KERNEL", &f.Kernel},
		{"NO_SNAPSHOT", &f.NoSnapshot},
		{"GOOD", &f.Good},
		{"LOG_VOLATILE", &f.LogVolatile},
	}
}

type line struct {
	key   string
	value *string
}

// Write writes the facts below root, in place of those that are there.
func (f Facts) Write(root string) error {
	var text strings.Builder
	for _, l := range f.lines() {
		text.WriteString(l.key + "=" + strings.ReplaceAll(*l.value, "\n", " ") + "\n")
	}
	name := filepath.Join(root, File)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("boot facts: %w", err)
	}
	if err := os.WriteFile(name+".new", []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("boot facts: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("boot facts: %w", err)
	}
	return nil
}

// Read reads the facts below root. Keys that are not known are passed over.
func Read(root string) (Facts, error) {
	text, err := os.ReadFile(filepath.Join(root, File))
	if err != nil {
		return Facts{}, fmt.Errorf("boot facts: %w", err)
	}
	var f Facts
	for _, l := range f.lines() {
		for got := range strings.Lines(string(text)) {
			if value, ok := strings.CutPrefix(strings.TrimSuffix(got, "\n"), l.key+"="); ok {
				*l.value = value
			}
		}
	}
	return f, nil
}
