// Package console writes the runtime's lines to every active console of the
// machine, serial line and screen alike. A line goes out in one write, and no
// kernel message breaks into it.
package console

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Names turns the content of /sys/class/tty/console/active into device names,
// the one that /dev/console stands for first. tty0 is whichever screen is in
// front; its shell needs a screen of its own, which is the first.
func Names(active string) []string {
	var names []string
	for name := range strings.FieldsSeq(active) {
		if name == "tty0" {
			name = "tty1"
		}
		names = append([]string{name}, names...) // the kernel lists the preferred one last
	}
	return names
}

// IsScreen reports whether the console of that name is on a screen.
func IsScreen(name string) bool {
	number, ok := strings.CutPrefix(name, "tty")
	return ok && strings.Trim(number, "0123456789") == ""
}

// Output is one console. A Write takes a line that ends with a newline; it
// returns in bounded time.
type Output = io.Writer

// Set is all active consoles. Use [Open] or [New].
type Set struct {
	mu      sync.Mutex
	names   []string
	outputs []Output
	quieten func() (restore func())
	midLine bool
}

// New returns a set over the given outputs. quieten, if not nil, holds back the
// kernel's messages from the consoles until restore is called.
func New(names []string, outputs []Output, quieten func() (restore func())) *Set {
	return &Set{names: names, outputs: outputs, quieten: quieten}
}

// Open opens the devices below dev. Those which cannot be opened are left out
// and told in the error; the set is usable even so.
func Open(dev string, names []string) (*Set, error) {
	var (
		opened  []string
		outputs []Output
		problem error
	)
	for _, name := range names {
		t := &tty{path: filepath.Join(dev, name)}
		if err := t.open(); err != nil {
			problem = errors.Join(problem, fmt.Errorf("open console: %w", err))
			continue
		}
		opened, outputs = append(opened, name), append(outputs, t)
	}
	return New(opened, outputs, quietKernel), problem
}

// Names returns the names of the consoles that are written to.
func (s *Set) Names() []string { return s.names }

// SetMidLine says whether something else, a shell's prompt, may stand on the
// current line of the consoles. Lines then begin on a new one.
func (s *Set) SetMidLine(midLine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.midLine = midLine
}

// Line writes one line, without its end, to every console. An error on one
// console does not keep it from the others.
func (s *Set) Line(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quieten != nil {
		defer s.quieten()()
	}
	if s.midLine {
		text = "\n" + text
	}
	line := []byte(text + "\n")
	var problem error
	for i, out := range s.outputs {
		if _, err := out.Write(line); err != nil {
			problem = errors.Join(problem, fmt.Errorf("console %s: %w", s.names[i], err))
		}
	}
	return problem
}

// quietKernel holds the kernel's messages, except emergencies, back from the
// consoles. They stay in the kernel's log. Where that is not permitted, a
// message may break into a line and nothing worse.
func quietKernel() (restore func()) {
	if _, err := unix.Klogctl(syslogConsoleOff, nil); err != nil {
		return func() {}
	}
	return func() { _, _ = unix.Klogctl(syslogConsoleOn, nil) }
}

// Actions of syslog(2).
const (
	syslogConsoleOff = 6
	syslogConsoleOn  = 7
)
