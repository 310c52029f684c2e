package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/guest/settings"
)

// Memory in MiB, beside that of the guests themselves.
const (
	qemuMiB   = 96 // what QEMU takes for itself
	systemMiB = 96 // what is left to the machine
)

// meminfo is what Linux says of the machine's memory.
type meminfo struct{ totalMiB, availableMiB int }

// fits fails where a guest has no room beside those that run. Linux gives a guest its memory as it is used, so what is
// available now says little of guests that have just begun.
func (m meminfo) fits(c guest.Config, running []guest.Config) error {
	free := m.totalMiB - systemMiB
	for _, r := range running {
		free -= r.MemoryMiB + qemuMiB
	}
	free = max(0, min(free, m.availableMiB)-qemuMiB)
	if c.MemoryMiB <= free {
		return nil
	}
	after := ""
	if len(running) > 0 {
		after = ", or stop another guest"
	}
	return fmt.Errorf("guest %s wants %d MiB of memory and %d of %d are free for guests: lower memory-mib in /%s/%s%s",
		c.Name, c.MemoryMiB, free, m.totalMiB, espDir, settings.Path, after)
}

// parseMeminfo reads /proc/meminfo (proc(5)).
func parseMeminfo(text string) (m meminfo, err error) {
	for line := range strings.Lines(text) {
		for name, to := range map[string]*int{"MemTotal:": &m.totalMiB, "MemAvailable:": &m.availableMiB} {
			rest, ok := strings.CutPrefix(line, name)
			if !ok {
				continue
			}
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return meminfo{}, fmt.Errorf("memory of the machine: %w", err)
			}
			*to = int(kib >> 10)
		}
	}
	if m.totalMiB == 0 {
		return meminfo{}, fmt.Errorf("memory of the machine: no MemTotal in /proc/meminfo")
	}
	return m, nil
}

func (m *machine) memory() (meminfo, error) {
	text, err := os.ReadFile(m.path("proc/meminfo"))
	if err != nil {
		return meminfo{}, fmt.Errorf("memory of the machine: %w", err)
	}
	return parseMeminfo(string(text))
}
