// Package pstore reads what the kernel saved of its log when it crashed, from the
// file system of the same name: there each part of a dump is a file, whichever
// hardware keeps it (EFI variables, ACPI ERST, or memory that survives a reset).
//
// The kernel's Documentation/ABI/testing/pstore describes the file system.
package pstore

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits: what is beyond them stays where it is.
const (
	MaxFiles     = 512
	MaxFileBytes = 256 << 10

	// sameDump is the time that the kernel may take to save all parts of one dump.
	sameDump = 10 * time.Second
)

// Dump is the end of the kernel's log as it was at one crash.
type Dump struct {
	Backend string    // what kept it, such as efi_pstore or erst
	Reason  string    // as the kernel calls it: Panic, Oops, Emergency
	Time    time.Time // of its first part
	Text    string    // lines with their level and time in front, as in <6>[    1.234567] text
	Files   []string  // names of its parts
}

// part is one file.
type part struct {
	name, backend, reason string
	count, number         int
	time                  time.Time
	text                  []byte
}

// Read reads all dumps, oldest first. A file that is no part of a dump is left
// out; one that cannot be read is a problem, and the others are returned all the
// same.
func Read(dir fs.FS) (dumps []Dump, problems []error) {
	files, err := fs.ReadDir(dir, ".")
	if err != nil {
		problems = append(problems, fmt.Errorf("saved kernel logs: %w", err))
	}
	if len(files) > MaxFiles {
		problems = append(problems, fmt.Errorf("saved kernel logs: %d files; only %d are read", len(files), MaxFiles))
		files = files[:MaxFiles]
	}
	var parts []part
	for _, f := range files {
		p, ok, err := readPart(dir, f)
		if err != nil {
			problems = append(problems, fmt.Errorf("saved kernel log: %w", err))
		}
		if ok {
			parts = append(parts, p)
		}
	}
	return assemble(parts), problems
}

func readPart(dir fs.FS, f fs.DirEntry) (p part, ok bool, err error) {
	kind, rest, _ := strings.Cut(f.Name(), "-")
	if kind != "dmesg" || !f.Type().IsRegular() {
		return part{}, false, nil
	}
	at := strings.LastIndexByte(rest, '-')
	if at < 0 {
		return part{}, false, nil
	}
	info, err := f.Info()
	if err != nil {
		return part{}, false, err
	}
	file, err := dir.Open(f.Name())
	if err != nil {
		return part{}, false, err
	}
	text, err := io.ReadAll(io.LimitReader(file, MaxFileBytes))
	if err := errors.Join(err, file.Close()); err != nil {
		return part{}, false, err
	}
	p = part{name: f.Name(), backend: rest[:at], time: info.ModTime()}
	return p, p.parse(text), nil
}

// parse takes the text of a file apart: a line such as "Panic#1 Part2", and a
// piece of the log.
func (p *part) parse(text []byte) bool {
	head, body, _ := bytes.Cut(text, []byte("\n"))
	reason, numbers, ok := strings.Cut(string(head), "#")
	if !ok || reason == "" || strings.ContainsFunc(reason, func(r rune) bool { return r < 'A' || r > 'z' }) {
		return false
	}
	count, number, ok := strings.Cut(numbers, " Part")
	if !ok {
		return false
	}
	var errs [2]error
	p.count, errs[0] = strconv.Atoi(count)
	p.number, errs[1] = strconv.Atoi(number)
	p.reason, p.text = reason, body
	return errs[0] == nil && errs[1] == nil
}

// assemble puts the parts of each dump together. The kernel saves the end of its
// log first: part 1 is the last.
func assemble(parts []part) []Dump {
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.backend, b.backend), a.time.Compare(b.time), cmp.Compare(a.count, b.count), cmp.Compare(b.number, a.number))
	})
	var dumps [][]part
	for _, p := range parts {
		i := slices.IndexFunc(dumps, func(d []part) bool { return p.belongsTo(d[0]) })
		if i < 0 {
			dumps = append(dumps, []part{p})
		} else {
			dumps[i] = append(dumps[i], p)
		}
	}
	all := make([]Dump, len(dumps))
	for i, d := range dumps {
		slices.SortStableFunc(d, func(a, b part) int { return cmp.Compare(b.number, a.number) })
		all[i] = Dump{Backend: d[0].backend, Reason: d[0].reason, Time: d[0].time}
		var text strings.Builder
		for _, p := range d {
			text.Write(p.text)
			all[i].Files = append(all[i].Files, p.name)
		}
		all[i].Text = text.String()
	}
	slices.SortStableFunc(all, func(a, b Dump) int { return a.Time.Compare(b.Time) })
	return all
}

func (p part) belongsTo(first part) bool {
	return p.backend == first.backend && p.reason == first.reason && p.count == first.count && p.time.Sub(first.time) <= sameDump
}

// Remove makes room for the next dump: the kernel erases what a removed file stood
// for. dir is where the file system is mounted.
func (d Dump) Remove(dir string) error {
	var problem error
	for _, name := range d.Files {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problem = errors.Join(problem, fmt.Errorf("remove saved kernel log: %w", err))
		}
	}
	return problem
}
