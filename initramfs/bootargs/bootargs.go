// Package bootargs reads the runtime's parameters from the kernel command
// line. It owns the names that begin with "rayos."; all others belong to the
// kernel and are only looked up. It is pure: the text comes from the caller.
package bootargs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Args are the parameters, with their defaults filled in.
type Args struct {
	Install     bool          // rayos.install: the consoles begin with the installer
	Safe        bool          // rayos.safe: no DRM and no watchdog modules
	GoldenAfter time.Duration // rayos.golden_after=SECONDS: how long the shell must hold until GOLDEN
	DiskWait    time.Duration // rayos.disk_wait=SECONDS: how long to wait for the boot disk
	OnTimeout   string        // rayos.watchdog_policy=NAME: what is done before the watchdog resets the machine; "" for the default
	Skip        []string      // rayos.skip=NAME,NAME: module groups and services that are not started

	kernel map[string]bool // names of all parameters
	words  []string        // all parameters, without their quotes
}

// Defaults and limits.
const (
	DefaultGoldenAfter = 30 * time.Second
	DefaultDiskWait    = 10 * time.Second
	maxSeconds         = 24 * 60 * 60
)

// known are the parameters that exist, for the message about one that does not.
var known = []string{"rayos.disk_wait", "rayos.golden_after", "rayos.install", "rayos.safe", "rayos.skip", "rayos.watchdog_policy"}

// Has reports whether the command line has the parameter, with any value.
func (a Args) Has(name string) bool { return a.kernel[name] }

// Skips reports whether a module group or service is to be left out.
func (a Args) Skips(name string) bool { return slices.Contains(a.Skip, name) }

// Module returns what the command line says to a kernel module, as MODULE.NAME or
// MODULE.NAME=VALUE, in the form in which a module takes it when it is loaded
// (Linux, Documentation/admin-guide/kernel-parameters.rst). The kernel itself
// reads these only for what is built into it.
func (a Args) Module(module string) string {
	var own []string
	for _, word := range a.words {
		name, value, hasValue := strings.Cut(word, "=")
		of, parameter, ok := strings.Cut(name, ".")
		if !ok || parameter == "" || strings.ReplaceAll(of, "-", "_") != module {
			continue
		}
		if strings.ContainsAny(value, " \t\n") {
			value = `"` + value + `"`
		}
		if hasValue {
			parameter += "=" + value
		}
		own = append(own, parameter)
	}
	return strings.Join(own, " ")
}

// Parse reads a kernel command line. A parameter with a bad value keeps its
// default, and one that is not known has no effect; each problem says so.
func Parse(cmdline string) (args Args, problems []string) {
	args = Args{GoldenAfter: DefaultGoldenAfter, DiskWait: DefaultDiskWait, kernel: map[string]bool{}, words: split(cmdline)}
	for _, word := range args.words {
		name, value, hasValue := strings.Cut(word, "=")
		args.kernel[name] = true
		if !strings.HasPrefix(name, "rayos.") {
			continue
		}
		if err := args.set(name, value, hasValue); err != nil {
			problems = append(problems, fmt.Sprintf("kernel parameter %s: %v", word, err))
		}
	}
	return args, problems
}

func (a *Args) set(name, value string, hasValue bool) (err error) {
	switch name {
	case "rayos.safe":
		if hasValue {
			return fmt.Errorf("takes no value; safe mode is not on")
		}
		a.Safe = true
	case "rayos.install":
		if hasValue {
			return fmt.Errorf("takes no value; the installer is not started")
		}
		a.Install = true
	case "rayos.golden_after":
		err = setSeconds(&a.GoldenAfter, value)
	case "rayos.watchdog_policy":
		a.OnTimeout = value
	case "rayos.disk_wait":
		err = setSeconds(&a.DiskWait, value)
	case "rayos.skip":
		a.Skip = slices.DeleteFunc(append(a.Skip, strings.Split(value, ",")...), func(s string) bool { return s == "" })
	default:
		err = fmt.Errorf("not known and without effect; known are %s", strings.Join(known, ", "))
	}
	return err
}

func setSeconds(d *time.Duration, value string) error {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > maxSeconds {
		return fmt.Errorf("wants whole seconds from 0 to %d; %d s is used", maxSeconds, *d/time.Second)
	}
	*d = time.Duration(n) * time.Second
	return nil
}

// split cuts a command line as the kernel does: at white space outside double
// quotes, which are dropped. What follows "--" is for init, not for us.
func split(cmdline string) []string {
	var (
		words  []string
		word   strings.Builder
		quoted bool
		begun  bool
	)
	flush := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range cmdline {
		switch {
		case r == '"':
			quoted, begun = !quoted, true
		case !quoted && (r == ' ' || r == '\t' || r == '\n'):
			flush()
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	flush()
	if end := slices.Index(words, "--"); end >= 0 {
		words = words[:end]
	}
	return words
}
