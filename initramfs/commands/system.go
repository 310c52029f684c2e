package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func help(e *env) error {
	all := All()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(e.stdout, "%-9s %s\n", name, all[name].Summary)
	}
	fmt.Fprintln(e.stdout, "The shell knows cd, echo, export, for, if, printf, pwd, read, test, while and what else belongs to bash.")
	return nil
}

func uname(e *env) error {
	f := e.flags("[-a] [-s] [-n] [-r] [-v] [-m]")
	all := f.Bool("a", false, "everything")
	parts := []struct {
		flag *bool
		text func(Uname) string
	}{
		{f.Bool("s", false, "the system's name, which is the default"), func(u Uname) string { return u.System }},
		{f.Bool("n", false, "the host name"), func(u Uname) string { return u.Node }},
		{f.Bool("r", false, "the kernel's release"), func(u Uname) string { return u.Release }},
		{f.Bool("v", false, "the kernel's build"), func(u Uname) string { return u.Version }},
		{f.Bool("m", false, "the machine's architecture"), func(u Uname) string { return u.Machine }},
	}
	if err := e.parse(f, 0, 0); err != nil {
		return err
	}
	u, err := e.kernel.Uname()
	if err != nil {
		return err
	}
	var words []string
	for _, p := range parts {
		if *p.flag || *all {
			words = append(words, p.text(u))
		}
	}
	if words == nil {
		words = []string{u.System}
	}
	fmt.Fprintln(e.stdout, strings.Join(words, " "))
	return nil
}

// logLevel is the priority before each line of the kernel's log.
var logLevel = regexp.MustCompile(`(?m)^<\d+>`)

func dmesg(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	log, err := e.kernel.Log()
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(logLevel.ReplaceAll(log, nil))
	return err
}

func free(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	text, err := fs.ReadFile(e.root, "proc/meminfo")
	if err != nil {
		return err
	}
	kib := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			kib[name] = n
		}
	}
	total, available := kib["MemTotal"], kib["MemAvailable"]
	if total == 0 || available > total {
		return errors.New("no usable figures in /proc/meminfo")
	}
	fmt.Fprintf(e.stdout, "memory: %d MiB, used %d MiB, available %d MiB\n", total/1024, (total-available)/1024, available/1024)
	return nil
}

func lsmod(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	text, err := fs.ReadFile(e.root, "proc/modules")
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tSIZE\tUSED BY")
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) >= 4 {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f[0], f[1], strings.Trim(f[3], ",-"))
		}
	}
	return w.Flush()
}

func sleep(e *env) error {
	f := e.flags("SECONDS")
	if err := e.parse(f, 1, 1); err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(f.Arg(0), 64)
	if err != nil || !(seconds >= 0 && seconds <= 1e9) {
		return fmt.Errorf("%q is no number of seconds", f.Arg(0))
	}
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	return nil
}
