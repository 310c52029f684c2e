package commands

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// mounted is a line of proc(5) /proc/self/mounts.
type mounted struct{ source, target, fstype, options string }

func readMounts(root fs.FS) ([]mounted, error) {
	text, err := fs.ReadFile(root, "proc/self/mounts")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var all []mounted
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 4 {
			all = append(all, mounted{f[0], unescape(f[1]), f[2], f[3]})
		}
	}
	return all, nil
}

// unescape undoes the octal escapes of white space in the list of mounts.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// mountFlags are the options that are flags of mount(2); false takes a flag away.
var mountFlags = map[string]struct {
	flag uintptr
	set  bool
}{
	"ro": {unix.MS_RDONLY, true}, "rw": {unix.MS_RDONLY, false},
	"noexec": {unix.MS_NOEXEC, true}, "exec": {unix.MS_NOEXEC, false},
	"nosuid": {unix.MS_NOSUID, true}, "suid": {unix.MS_NOSUID, false},
	"nodev": {unix.MS_NODEV, true}, "dev": {unix.MS_NODEV, false},
	"sync": {unix.MS_SYNCHRONOUS, true}, "async": {unix.MS_SYNCHRONOUS, false},
	"noatime": {unix.MS_NOATIME, true}, "remount": {unix.MS_REMOUNT, true},
	"bind": {unix.MS_BIND, true}, "rbind": {unix.MS_BIND | unix.MS_REC, true},
}

// parseMountOptions splits mount options into flags and what the file system
// itself is told.
func parseMountOptions(options string) (flags uintptr, data string) {
	var rest []string
	for option := range strings.SplitSeq(options, ",") {
		known, ok := mountFlags[option]
		switch {
		case option == "" || option == "defaults":
		case !ok:
			rest = append(rest, option)
		case known.set:
			flags |= known.flag
		default:
			flags &^= known.flag
		}
	}
	return flags, strings.Join(rest, ",")
}

func mount(e *env) error {
	f := e.flags("[-t TYPE] [-o OPTIONS] [-r] SOURCE DIRECTORY; without arguments it lists the mounts")
	fstype := f.String("t", "", "file system `type`; by default what the source holds")
	options := f.String("o", "", "comma-separated `options`")
	readOnly := f.Bool("r", false, "read-only")
	if err := e.parse(f, 0, 2); err != nil {
		return err
	}
	switch f.NArg() {
	case 0:
		return listMounts(e)
	case 1:
		f.Usage()
		return errUsage
	}
	flags, data := parseMountOptions(*options)
	if *readOnly {
		flags |= unix.MS_RDONLY
	}
	if err := e.kernel.Mount(f.Arg(0), f.Arg(1), *fstype, flags, data); err != nil {
		return fmt.Errorf("%s on %s: %w", f.Arg(0), f.Arg(1), err)
	}
	return nil
}

func listMounts(e *env) error {
	all, err := readMounts(e.root)
	if err != nil {
		return err
	}
	for _, m := range all {
		fmt.Fprintf(e.stdout, "%s on %s type %s (%s)\n", m.source, m.target, m.fstype, m.options)
	}
	return nil
}

func umount(e *env) error {
	f := e.flags("[-l] [-f] DIRECTORY|DEVICE")
	lazy := f.Bool("l", false, "at once, although it is in use")
	force := f.Bool("f", false, "although the device does not answer")
	if err := e.parse(f, 1, 1); err != nil {
		return err
	}
	flags := 0
	if *lazy {
		flags |= unix.MNT_DETACH
	}
	if *force {
		flags |= unix.MNT_FORCE
	}
	all, err := readMounts(e.root)
	if err != nil {
		return err
	}
	target := f.Arg(0)
	for _, m := range slices.Backward(all) { // the last mount of a device is the one on top
		if m.source == target {
			target = m.target
			break
		}
	}
	if err := e.kernel.Unmount(target, flags); err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	return nil
}

func df(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	all, err := readMounts(e.root)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FILE SYSTEM\tSIZE\tUSED\tFREE\tON")
	for _, m := range all {
		u, err := e.kernel.Usage(m.target)
		if err != nil {
			return fmt.Errorf("%s: %w", m.target, err)
		}
		if u.SizeBytes > 0 { // proc and its like have no size
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.source, size(u.SizeBytes), size(u.SizeBytes-u.FreeBytes), size(u.FreeBytes), m.target)
		}
	}
	return w.Flush()
}

// size writes a number of bytes for people, with up to one decimal: 400M, 74.5G.
func size(bytes uint64) string {
	const units = "BKMGTPE"
	value, unit := float64(bytes), 0
	for value >= 1024 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	return strings.TrimSuffix(strconv.FormatFloat(value, 'f', 1, 64), ".0") + units[unit:unit+1]
}
