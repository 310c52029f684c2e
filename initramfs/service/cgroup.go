package service

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is the control group of a service's processes (Linux,
// Documentation/admin-guide/cgroup-v2.rst). A nil cgroup is none at all.
type cgroup struct {
	path string
	dir  *os.File
}

// cgroupPrefix sets the groups of services apart from the kernel's files beside them.
const cgroupPrefix = "service-"

// openCgroup makes the group of a service, empty, with its limits. Without it, err says
// which limits are not in force; nil if there are none.
func openCgroup(folder, name string, l Limits) (*cgroup, error) {
	l.OpenFiles = 0 // is not the group's business
	if folder == "" {
		if l != (Limits{}) {
			return nil, errors.New("limits need control groups, which this machine does not have")
		}
		return nil, nil
	}
	g := &cgroup{path: filepath.Join(folder, cgroupPrefix+name)}
	err := os.Mkdir(g.path, 0o755)
	if errors.Is(err, os.ErrExist) {
		err = nil
	}
	if err == nil {
		err = g.limit(l)
	}
	if err == nil {
		g.dir, err = os.Open(g.path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("control group of the service: %w", err), g.remove())
	}
	return g, nil
}

// limit writes the limits; none that is wanted may be missing.
func (g *cgroup) limit(l Limits) error {
	var problems error
	for _, f := range []struct {
		name, value string
		wanted      bool
	}{
		{"memory.max", strconv.FormatInt(l.MemoryBytes, 10), l.MemoryBytes > 0},
		{"memory.oom.group", "1", l.MemoryBytes > 0},
		{"pids.max", strconv.Itoa(l.Processes), l.Processes > 0},
		{"cpu.max", fmt.Sprintf("%d 100000", l.CPUPercent*1000), l.CPUPercent > 0},
	} {
		if f.wanted {
			problems = errors.Join(problems, os.WriteFile(filepath.Join(g.path, f.name), []byte(f.value), 0))
		}
	}
	return problems
}

// attach has a process begin in the group.
func (g *cgroup) attach(attr *syscall.SysProcAttr) {
	if g != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(g.dir.Fd())
	}
}

// kill kills all processes of the group.
func (g *cgroup) kill() {
	if g != nil {
		// Before Linux 5.14 there is no such file; then the session was killed and that has to do.
		_ = os.WriteFile(filepath.Join(g.path, "cgroup.kill"), []byte("1"), 0)
	}
}

// outOfMemory reports whether the kernel has killed the group for its use of memory.
func (g *cgroup) outOfMemory() bool {
	if g == nil {
		return false
	}
	text, err := os.ReadFile(filepath.Join(g.path, "memory.events"))
	if err != nil {
		return false // memory is not counted
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// remove removes the group, when the processes that were killed are gone.
func (g *cgroup) remove() error {
	if g == nil {
		return nil
	}
	if g.dir != nil {
		_ = g.dir.Close() // of a folder that was only read
	}
	const look = 10 * time.Millisecond
	for range killTimeout / look {
		err := unix.Rmdir(g.path)
		if !errors.Is(err, unix.EBUSY) {
			if errors.Is(err, unix.ENOENT) {
				return nil
			}
			return err
		}
		time.Sleep(look)
	}
	return fmt.Errorf("some of the service's processes do not end")
}
