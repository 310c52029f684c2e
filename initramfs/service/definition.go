package service

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Definition is a service that is a program, as files and commands define it. Its JSON
// names are part of the interface.
type Definition struct {
	Name     string        `json:"name"`
	Program  []string      `json:"program"` // a file, and its arguments
	After    []string      `json:"after,omitempty"`
	Restart  Policy        `json:"restart,omitempty"`
	Restarts int           `json:"restarts,omitempty"` // within Within; see [Limit]
	Within   time.Duration `json:"withinNanoseconds,omitempty"`
	Critical bool          `json:"critical,omitempty"`
	Stop     time.Duration `json:"stopNanoseconds,omitempty"`
	Beat     time.Duration `json:"beatNanoseconds,omitempty"`
	Env      []string      `json:"env,omitempty"`
	Dir      string        `json:"dir,omitempty"`
	Limits   Limits        `json:"limits"`
}

// Spec is the service that is defined.
func (d Definition) Spec() Spec {
	s := Spec{
		Name: d.Name, After: d.After, Restart: d.Restart, Limit: Limit{d.Restarts, d.Within}, Critical: d.Critical, Stop: d.Stop, Beat: d.Beat,
		Process: &Process{Env: d.Env, Dir: d.Dir, Limits: d.Limits},
	}
	if len(d.Program) > 0 {
		s.Process.Path, s.Process.Args = d.Program[0], d.Program[1:]
	}
	if len(d.Env) > 0 {
		s.Process.Env = append([]string{"HOME=/root", "PATH=/bin", "USER=root"}, d.Env...)
	}
	return s
}

// Bounds of a definition in a file.
const (
	maxFileBytes = 64 << 10
	maxSeconds   = 24 * 60 * 60
)

// Parse reads the definition of a service: lines of a key, white space and a value. Empty
// lines and those that begin with # mean nothing.
//
//	program   /bin/agent --listen 80
//	after     network
//	restart   always
//	restarts  3
//	within    60
//	critical  yes
//	stop      10
//	memory    64M
func Parse(name string, r io.Reader) (Definition, error) {
	d := Definition{Name: name}
	lines := bufio.NewScanner(io.LimitReader(r, maxFileBytes+1))
	bytes := 0
	for n := 1; lines.Scan(); n++ {
		if bytes += len(lines.Bytes()) + 1; bytes > maxFileBytes {
			return d, fmt.Errorf("service %s: its definition has more than %d bytes", name, maxFileBytes)
		}
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		if err := d.set(key, strings.TrimSpace(value)); err != nil {
			return d, fmt.Errorf("service %s: line %d: %s: %w", name, n, key, err)
		}
	}
	if err := lines.Err(); err != nil {
		return d, fmt.Errorf("service %s: read its definition: %w", name, err)
	}
	_, err := d.Spec().normal()
	return d, err
}

func (d *Definition) set(key, value string) (err error) {
	if value == "" {
		return errors.New("has no value")
	}
	switch key {
	case "program":
		d.Program = strings.Fields(value)
	case "after":
		d.After = append(d.After, strings.Fields(value)...)
	case "restart":
		d.Restart = Policy(value)
	case "restarts":
		d.Restarts, err = strconv.Atoi(value)
	case "within":
		d.Within, err = seconds(value)
	case "critical":
		d.Critical, err = yes(value)
	case "stop":
		d.Stop, err = seconds(value)
	case "beat":
		d.Beat, err = seconds(value)
	case "env":
		d.Env = append(d.Env, value)
	case "dir":
		d.Dir = value
	case "memory":
		d.Limits.MemoryBytes, err = ParseBytes(value)
	case "processes":
		d.Limits.Processes, err = strconv.Atoi(value)
	case "cpu":
		d.Limits.CPUPercent, err = strconv.Atoi(value)
	case "files":
		d.Limits.OpenFiles, err = strconv.ParseUint(value, 10, 32)
	default:
		err = errors.New("there is no such key; see docs/services.md")
	}
	return err
}

func yes(value string) (bool, error) {
	if value != "yes" && value != "no" {
		return false, fmt.Errorf("is yes or no, not %q", value)
	}
	return value == "yes", nil
}

func seconds(value string) (time.Duration, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > maxSeconds {
		return 0, fmt.Errorf("wants whole seconds from 0 to %d, not %q", maxSeconds, value)
	}
	return time.Duration(n) * time.Second, nil
}

// ParseBytes reads a size such as 64M: bytes, or with K, M or G so many times 1024 more.
func ParseBytes(text string) (int64, error) {
	digits, shift := text, 0
	for i, unit := range []string{"K", "M", "G"} {
		if before, ok := strings.CutSuffix(text, unit); ok {
			digits, shift = before, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size such as 64M", text)
	}
	return n << shift, nil
}

// Ordered sorts definitions so that each stands behind those that it comes after, and
// otherwise as they were. Those which cannot be sorted are left out, and err says why.
func Ordered(all []Definition) (sorted []Definition, err error) {
	there := map[string]bool{}
	for len(all) > 0 {
		var later []Definition
		for _, d := range all {
			ready := true
			for _, name := range d.After {
				ready = ready && there[name]
			}
			if !ready {
				later = append(later, d)
				continue
			}
			there[d.Name] = true
			sorted = append(sorted, d)
		}
		if len(later) == len(all) {
			for _, d := range later {
				err = errors.Join(err, fmt.Errorf("service %s is not started: of those that it comes after, %v, one does not exist or comes after it", d.Name, d.After))
			}
			return sorted, err
		}
		all = later
	}
	return sorted, nil
}
