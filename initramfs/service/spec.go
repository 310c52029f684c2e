package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// Policy says whether a service that has ended by itself is started again.
type Policy string

// The policies.
const (
	Always    Policy = "always"
	OnFailure Policy = "on-failure" // it ended with an error; this is the default
	Never     Policy = "never"
)

// Policies returns all policies.
func Policies() []Policy { return []Policy{Always, OnFailure, Never} }

// Limit is how often a service may be started again within a time. One more and it has
// failed.
type Limit struct {
	Restarts int           // 0: [DefaultLimit]; negative: as often as need be
	Within   time.Duration // 0: that of DefaultLimit
}

// DefaultLimit is the limit of a service that has none of its own.
var DefaultLimit = Limit{Restarts: 4, Within: 5 * time.Minute}

// DefaultStop is how long a service has to end when it is stopped.
const DefaultStop = 5 * time.Second

// Spec is one service. It has either Run or Process.
type Spec struct {
	Name     string   // of at most 28 bytes: letters, digits and -_.:@
	After    []string // services that are started before, and stopped after it
	Restart  Policy   // empty: OnFailure
	Limit    Limit
	Critical bool          // without it the machine is of no use
	Stop     time.Duration // until it is killed; 0: [DefaultStop]
	Beat     time.Duration // it must give a sign of life so often; 0: it gives none

	// Run is the service where it is a goroutine. It returns when the service has ended,
	// and ends it soon when the context ends. It may write lines for the log.
	Run     func(ctx context.Context, output io.Writer) error
	Process *Process // the service where it is a program

	OnStart func(pid int) // called when a process runs
	OnEnd   func(Ended)   // called each time the service has ended, before it is started again
}

// Process is the program of a service.
type Process struct {
	Path   string   // a file
	Args   []string // without the program's name
	Env    []string // nil: PATH=/bin and the like; [BeatVariable] is added if need be
	Dir    string   // empty: /
	Limits Limits
	// Command makes what is run at each start, in the place of Path, Args and Env: argv begins with a file's absolute
	// path. Its error is the end of that run.
	Command func() (argv, env []string, err error)
	// Files makes what the program has from descriptor 3 on, at each start. They are
	// closed here when it runs.
	Files func() ([]*os.File, error)
}

// Limits bound a service's processes, all of them together but for OpenFiles. 0 is no
// limit. Those that need control groups are not in force where there are none, and the
// service's log says so.
type Limits struct {
	MemoryBytes int64  `json:"memoryBytes,omitempty"` // beyond, the kernel kills the service
	Processes   int    `json:"processes,omitempty"`
	CPUPercent  int    `json:"cpuPercent,omitempty"` // 100 is one processor
	OpenFiles   uint64 `json:"openFiles,omitempty"`  // of each process
}

// maxName is how long the log's name for a source can be.
const maxName = 28

// normal returns the spec with its defaults, or what is wrong with it.
func (s Spec) normal() (Spec, error) {
	if s.Restart == "" {
		s.Restart = OnFailure
	}
	if s.Limit.Restarts == 0 {
		s.Limit.Restarts = DefaultLimit.Restarts
	}
	if s.Limit.Within == 0 {
		s.Limit.Within = DefaultLimit.Within
	}
	if s.Stop == 0 {
		s.Stop = DefaultStop
	}
	return s, s.check()
}

func (s Spec) check() error {
	bad := func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:@", r)
	}
	switch {
	case s.Name == "" || len(s.Name) > maxName || strings.ContainsFunc(s.Name, bad) || strings.HasPrefix(s.Name, "."):
		return fmt.Errorf("%q is no name for a service: up to %d letters, digits and -_.:@", s.Name, maxName)
	case !slices.Contains(Policies(), s.Restart):
		return fmt.Errorf("service %s: there is no policy %q; there are %v", s.Name, s.Restart, Policies())
	case s.Limit.Within < 0 || s.Stop < 0 || s.Beat < 0:
		return fmt.Errorf("service %s: times are not negative", s.Name)
	case (s.Run == nil) == (s.Process == nil):
		return fmt.Errorf("service %s: it is a function or a program", s.Name)
	case s.Process != nil:
		if err := s.Process.check(); err != nil {
			return fmt.Errorf("service %s: %w", s.Name, err)
		}
	}
	return nil
}

func (p *Process) check() error {
	switch l := p.Limits; {
	case p.Command == nil && !strings.HasPrefix(p.Path, "/"):
		return fmt.Errorf("%q is no absolute path of a program", p.Path)
	case slices.ContainsFunc(append(append([]string{p.Dir}, p.Args...), p.Env...), func(s string) bool { return strings.ContainsRune(s, 0) }):
		return errors.New("its arguments have a NUL")
	case l.MemoryBytes < 0 || l.Processes < 0 || l.CPUPercent < 0:
		return errors.New("limits are not negative")
	}
	return nil
}
