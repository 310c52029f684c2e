package commands

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/initramfs/guests"
)

// program answers as the program that runs guests does, with one answer after the other; the last one stays.
type program struct {
	asked   []guests.Request
	answers []guests.Answer
	err     error
	late    int // answers that come too late
}

func (p *program) ask(r guests.Request) (guests.Answer, error) {
	p.asked = append(p.asked, r)
	a := p.answers[0]
	if len(p.answers) > 1 {
		p.answers = p.answers[1:]
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	if p.late > 0 && r.Verb == guests.VerbList {
		p.late--
		return a, os.ErrDeadlineExceeded
	}
	return a, p.err
}

// The states of a guest, one after the other.
var (
	absent  = guests.State{Name: "windows", Condition: guests.Missing, MemoryMiB: 4096, CPUs: 2, Problem: "there is no Windows disk in partition 5"}
	stopped = guests.State{Name: "linux", Condition: guests.Stopped, MemoryMiB: 1024, CPUs: 1}
	runs    = guests.State{Name: "linux", Condition: guests.Runs, Running: true, PID: 77, MemoryMiB: 1024, CPUs: 1, Starts: 1}
	ending  = guests.State{Name: "linux", Condition: guests.Stopping, Running: true, PID: 77, MemoryMiB: 1024, CPUs: 1}
	failed  = guests.State{Name: "linux", Condition: guests.Failed, MemoryMiB: 1024, CPUs: 1, Problem: "exit status 1"}
	drew    = guests.State{
		Name: "linux", Condition: guests.Runs, Running: true, PID: 77, KVM: true, MemoryMiB: 1024, CPUs: 1, Starts: 1,
		Picture: true, Shown: true, Width: 1024, Height: 768, Frames: 5, Rate: 2, P50: 1.5, P99: 4,
	}
)

func machineWith(linux ...guests.State) *program {
	p := &program{}
	for _, s := range linux {
		p.answers = append(p.answers, guests.Answer{Guests: []guests.State{s, absent}, Wanted: "linux"})
	}
	return p
}

func runGuest(p *program, line string) (status int, stdout, stderr string) {
	words := strings.Fields(line)
	var out, errs bytes.Buffer
	status = All()[words[0]].main(&env{name: words[0], args: words[1:], stdout: &out, stderr: &errs, guests: p.ask})
	return status, out.String(), errs.String()
}

const (
	initializing = "[RAYOS_PRESENTATION] Initializing Linux desktop presentation\n"
	visible      = "Linux desktop now visible (native scanout, no VNC required)\n"
	table        = "GUEST    STATE    PID  MEMORY    CPUS  SCREEN\nlinux    runs     77   1024 MiB  1     1024x768, shown\n" +
		"windows  missing  -    4096 MiB  2     -\nwindows: there is no Windows disk in partition 5\n"
)

func TestGuestAndShow(t *testing.T) {
	noQEMU := machineWith(stopped)
	noQEMU.err = guests.ErrNoQEMU
	busy, stuck := machineWith(runs, runs, drew), machineWith(runs)
	busy.late, stuck.late = mostLate, mostLate+1
	refused := &program{answers: []guests.Answer{{Error: "guest linux wants 1024 MiB of memory"}}}
	for _, c := range []struct {
		line    string
		machine *program
		status  int
		stdout  string // whole
		stderr  string // a part
	}{
		{"guest list", machineWith(drew), 0, table, ""},
		{"show list", machineWith(drew), 0, table, ""},
		{"show", machineWith(drew), 0, table, ""},
		{"guest list", noQEMU, 1, "", "guest: this disk has no QEMU: build it with rayimg build --guests\n"},
		{"show linux", noQEMU, 1, initializing, "show: this disk has no QEMU"},
		{"guest status linux", machineWith(stopped), 1, "linux: stopped for 0s\n  1024 MiB of memory, processors: 1, starts: 0\n", ""},
		{
			"guest status linux", machineWith(drew), 0, "linux: runs for 0s, as process 77, on KVM\n  1024 MiB of memory, processors: 1, starts: 1\n" +
				"  screen: 1024x768, shown; 5 frames, 2.0 a second\n  latency: 1.5 ms, of 99 % at most 4.0 ms\n", "",
		},
		{"guest start linux", machineWith(runs), 0, "linux: runs for 0s, as process 77, in software emulation\n  1024 MiB of memory, processors: 1, starts: 1\n", ""},
		{"guest start linux", machineWith(failed), 1, "", "guest linux does not run: exit status 1; see log show --source linux"},
		{"guest start linux", refused, 1, "", "wants 1024 MiB"},
		{"guest start plan9", machineWith(runs), 2, "", `invalid argument "plan9"`},
		{"guest stop linux", machineWith(ending, ending, ending, stopped), 0, "linux has ended.\n", ""},
		{"show linux", machineWith(runs, runs, runs, drew), 0, initializing + visible, ""},
		{"show linux", busy, 0, initializing + visible, ""},
		{"show linux", stuck, 1, initializing, os.ErrDeadlineExceeded.Error()},
		{"show linux", machineWith(runs, failed), 1, initializing, "guest linux has ended: exit status 1; see log show --source linux"},
		{"show linux --wait 1ms", machineWith(runs), 1, initializing, "has drawn nothing within 1ms; it is shown as soon as it does"},
		{
			"show all", machineWith(drew), 0, "[RAYOS_PRESENTATION] Initializing presentation of all guests\n" +
				"Not shown: windows: there is no Windows disk in partition 5\n" + visible + "Ctrl+Alt+Esc shows the next guest, and after the last one the console.\n", "",
		},
		{"show none", machineWith(drew), 0, "Linux is not shown any more; it goes on.\n", ""},
		{"show none", machineWith(runs), 0, "No guest was shown.\n", ""},
		{"show plan9", machineWith(runs), 2, "", `invalid argument "plan9"`},
		{"show linux --json", machineWith(runs), 2, "", "--json is for show list"},
		{"show --screenshot /tmp/a.png all", machineWith(runs), 2, "", "is of one guest, not of all"},
		{"show --screenshot /tmp/a.png", machineWith(drew), 0, "Written: /tmp/a.png\n", ""},
	} {
		status, stdout, stderr := runGuest(c.machine, c.line)
		if status != c.status || stdout != c.stdout || !strings.Contains(stderr, c.stderr) || c.stderr == "" && stderr != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.line, status, stdout, stderr)
		}
		checkColumns(t, c.line, stdout)
	}
}

// TestGuestRequests looks at what the program is asked for.
func TestGuestRequests(t *testing.T) {
	relative, err := filepath.Abs("x.ppm")
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]guests.Request{
		"guest stop linux --force":      {Verb: guests.VerbStop, Guest: "linux", Force: true},
		"guest start windows":           {Verb: guests.VerbStart, Guest: "windows"},
		"show --screenshot x.ppm linux": {Verb: guests.VerbScreenshot, Guest: "linux", File: relative},
		"show windows":                  {Verb: guests.VerbShow, Guest: "windows"},
		"show all":                      {Verb: guests.VerbShow, Guest: guests.All},
	} {
		p := machineWith(stopped)
		runGuest(p, line)
		if len(p.asked) == 0 || p.asked[0] != want {
			t.Errorf("%s: asked %+v, want %+v", line, p.asked, want)
		}
	}
}
