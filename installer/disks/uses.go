package disks

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rayos/rayboot/installer/plan"
)

// maxHolders bounds how deep devices may be built on devices.
const maxHolders = 16

// systemMounts are where a system has itself: a disk with one of them is the running one.
var systemMounts = []string{"/", "/usr", "/boot", "/boot/efi", "/efi"}

// uses are what the kernel uses devices for.
type uses struct {
	mounts map[string][]string // by MAJOR:MINOR and by name: where the device is mounted
	swaps  map[string]bool     // by name
	volume map[string]bool     // by name: members of file systems that span devices
}

func (m *Machine) readUses() (uses, error) {
	u := uses{mounts: map[string][]string{}, swaps: map[string]bool{}, volume: map[string]bool{}}
	table, err := fs.ReadFile(m.Root, "proc/self/mountinfo")
	if err != nil {
		return u, fmt.Errorf("find out what is mounted: %w", err)
	}
	for line := range bytes.Lines(table) {
		m.addMount(u.mounts, strings.Fields(string(line)))
	}
	swaps, err := fs.ReadFile(m.Root, "proc/swaps")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a kernel without swap has no list
		return u, fmt.Errorf("find out what is swap: %w", err)
	}
	for scan := bufio.NewScanner(bytes.NewReader(swaps)); scan.Scan(); {
		if name, _, _ := strings.Cut(scan.Text(), " "); strings.HasPrefix(name, "/dev/") {
			u.swaps[m.deviceName(unescape(name))] = true
		}
	}
	members, err := fs.Glob(m.Root, "sys/fs/btrfs/*/devices/*")
	for _, member := range members {
		u.volume[path.Base(member)] = true
	}
	return u, err
}

// addMount takes in one line of mountinfo (proc_pid_mountinfo(5)), split at spaces. Some
// file systems have device numbers of their own: they are found by the device's name.
func (m *Machine) addMount(mounts map[string][]string, fields []string) {
	dash := slices.Index(fields, "-")
	if dash < 6 || len(fields) < dash+3 {
		return
	}
	at := unescape(fields[4])
	keys := []string{fields[2]}
	if source := unescape(fields[dash+2]); strings.HasPrefix(source, "/dev/") {
		keys = append(keys, m.deviceName(source))
	}
	for _, key := range keys {
		if !slices.Contains(mounts[key], at) {
			mounts[key] = append(mounts[key], at)
		}
	}
}

// deviceName is the kernel's name of a path such as /dev/mapper/root.
func (m *Machine) deviceName(device string) string {
	target, err := fs.ReadLink(m.Root, strings.TrimPrefix(device, "/"))
	if err != nil {
		return path.Base(device)
	}
	return path.Base(target)
}

// unescape undoes the octal escapes of the tables in /proc.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] == '\\' && len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// usesOf lists what the disk and its partitions are used for, and whether this system runs
// from one of them.
func (m *Machine) usesOf(name string, u uses) (list []plan.Use, running bool) {
	w := &walk{m: m, uses: u, seen: map[string]bool{}}
	w.device(name, 0)
	entries, err := fs.ReadDir(m.Root, path.Join(blockDir, name))
	if err != nil {
		return w.list, w.running
	}
	for _, e := range entries {
		if _, err := fs.Stat(m.Root, path.Join(blockDir, name, e.Name(), "partition")); err == nil {
			w.device(e.Name(), 0)
		}
	}
	return w.list, w.running
}

// walk collects the uses of devices and of what is built on them.
type walk struct {
	m       *Machine
	uses    uses
	seen    map[string]bool
	list    []plan.Use
	running bool
}

func (w *walk) add(device, by string) { w.list = append(w.list, plan.Use{Device: device, By: by}) }

func (w *walk) device(name string, depth int) {
	if w.seen[name] || depth > maxHolders {
		return
	}
	w.seen[name] = true
	label := w.m.title(name)
	number := w.m.text(name, "dev")
	var at []string
	for _, place := range slices.Concat(w.uses.mounts[name], w.uses.mounts[number]) {
		if !slices.Contains(at, place) {
			at = append(at, place)
		}
	}
	for _, place := range at {
		w.add(label, "is mounted at "+clean([]byte(place)))
		w.running = w.running || slices.Contains(systemMounts, place)
	}
	if w.uses.swaps[name] {
		w.add(label, "is swap")
	}
	if w.uses.volume[name] && len(at) == 0 {
		w.add(label, "is a part of a mounted btrfs")
	}
	holders, err := fs.ReadDir(w.m.Root, path.Join(blockDir, name, "holders"))
	if err != nil {
		return
	}
	for _, h := range holders {
		w.add(label, "is a part of "+w.m.title(h.Name()))
		w.device(h.Name(), depth+1)
	}
}

// title is the name of a device, with the one that its users gave it.
func (m *Machine) title(name string) string {
	if given := m.text(name, "dm/name"); given != "" {
		return name + " (" + given + ")"
	}
	return name
}
