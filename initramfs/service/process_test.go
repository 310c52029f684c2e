package service

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

func sh(script string) *Process { return &Process{Path: "/bin/sh", Args: []string{"-c", script}} }

func TestProcess(t *testing.T) {
	s := newStory(t, nil)
	pids := make(chan int, 10)
	s.add(true, Spec{Name: "x", Restart: Never, OnStart: func(pid int) { pids <- pid }, Process: sh("echo out; echo err >&2; exit 3")})
	s.expect("x: out", "x: err", "service x: exit status 3 right after its start")
	s.add(true, Spec{Name: "y", Restart: Never, OnStart: func(pid int) { pids <- pid }, Process: sh("echo $$; kill -9 $$")})
	s.expect("service y: killed by signal 9 (killed) right after its start; it has failed")
	s.add(true, Spec{Name: "missing", Restart: Never, Process: &Process{Path: "/no/such/program"}})
	s.expect("service missing: start /no/such/program: ")
	if pid := <-pids; pid < 2 {
		t.Errorf("process %d", pid)
	}
}

// TestProcessEnds asks one process to end, kills another that does not want to, and
// what a third has left behind.
func TestProcessEnds(t *testing.T) {
	s := newStory(t, nil)
	s.add(true, Spec{Name: "willing", Process: sh("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done")})
	s.expect("willing: up")
	if state := s.state("willing"); state.PID == 0 || state.Program != "/bin/sh" {
		t.Errorf("state %+v", state)
	}
	if err := s.Stop(t.Context(), "willing"); err != nil {
		t.Error(err)
	}
	s.expect("willing: bye")
	s.add(true, Spec{Name: "stubborn", Stop: 100 * time.Millisecond, Process: sh("trap '' TERM; echo up; while :; do sleep 0.1; done")})
	s.expect("stubborn: up")
	if err := s.Stop(t.Context(), "stubborn"); err != nil {
		t.Error(err)
	}
	if state := s.state("stubborn"); state.LastEnd != "killed by signal 9 (killed)" {
		t.Errorf("state %+v", state)
	}
	s.add(true, Spec{Name: "parent", Restart: Never, Process: sh("sleep 1000 & echo child $!; sleep 1000 & wait -n; exit 0")})
	s.expect("parent: child ")
	if err := s.Stop(t.Context(), "parent"); err != nil {
		t.Error(err)
	}
}

// TestProcessSettings looks at what a program begins with.
func TestProcessSettings(t *testing.T) {
	s := newStory(t, nil)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := sh(`pwd; echo "$A$PATH"; echo through >&3; read x || echo no input`)
	p.Env, p.Dir = []string{"A=b"}, "/usr"
	p.Files = func() ([]*os.File, error) { return []*os.File{w}, nil }
	s.add(true, Spec{Name: "x", Process: p})
	s.expect("x: /usr", "x: b", "x: no input", "service x: ended")
	if text, err := io.ReadAll(r); string(text) != "through\n" || err != nil {
		t.Errorf("through the pipe: %q, %v", text, err)
	}
	failing := sh("echo never")
	failing.Files = func() ([]*os.File, error) { return nil, errors.New("no socket") }
	s.add(true, Spec{Name: "y", Restart: Never, Process: failing})
	s.expect("service y: files of the service: no socket")
	limited := sh("sleep 0.5; ulimit -n")
	limited.Limits.OpenFiles = 77
	s.add(true, Spec{Name: "z", Process: limited})
	s.expect("z: 77")
	bounded := sh("echo went on")
	bounded.Limits.MemoryBytes = 1 << 20
	s.add(true, Spec{Name: "b", Process: bounded})
	s.expect("b: limits need control groups, which this machine does not have; the service runs without limits", "b: went on")
}

// dog records what it is told.
type dog struct{ told chan string }

func (d dog) Watch(name string, deadline time.Duration) {
	d.told <- fmt.Sprint("watch ", name, " ", deadline)
}
func (d dog) Beat(name string)   { d.told <- "beat " + name }
func (d dog) Forget(name string) { d.told <- "forget " + name }

func TestBeats(t *testing.T) {
	d := dog{make(chan string, 100)}
	s := newStory(t, func(c *Config) { c.Watchdog = d })
	s.add(true, Spec{Name: "x", Beat: time.Minute, Process: sh(`eval "echo >&$` + BeatVariable + `"`)})
	s.expect("service x: ended")
	for _, want := range []string{"watch x 1m0s", "beat x", "forget x"} {
		if got := <-d.told; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}
