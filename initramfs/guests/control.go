package guests

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rayos/rayboot/initramfs/packet"
)

// SocketPath is where the program listens, below the machine's root.
const SocketPath = "run/rayos/guests.sock"

// Verbs of a [Request].
const (
	VerbList       = "list"
	VerbStart      = "start"
	VerbStop       = "stop"       // by asking the guest's system, and after some time, or with Force, without
	VerbShow       = "show"       // a guest, or All; it is started if need be
	VerbHide       = "hide"       // whatever is shown
	VerbScreenshot = "screenshot" // of a guest, or of the one that is shown
)

// All shows each guest in turns.
const All = "all"

// Request asks the program to do something. It answers at once: what takes longer is seen in the next [Answer].
type Request struct {
	Verb  string `json:"verb"`
	Guest string `json:"guest,omitempty"`
	File  string `json:"file,omitempty"` // for VerbScreenshot: an absolute path that ends with .png or .ppm
	Force bool   `json:"force,omitempty"`
}

// Conditions of a guest.
const (
	Stopped  = "stopped"  // it does not run
	Runs     = "runs"     //
	Waits    = "waits"    // it has ended and is started again after a pause
	Stopping = "stopping" // it was told to end
	Failed   = "failed"   // it ended and may not be started again by itself
	Missing  = "missing"  // it cannot be started
)

// State is how a guest stands. Its JSON names are part of the interface.
type State struct {
	Name      string        `json:"name"`
	Condition string        `json:"condition"`
	Problem   string        `json:"problem,omitempty"` // why it is missing, or how it ended last
	Running   bool          `json:"running"`
	PID       int           `json:"pid,omitempty"` // of its QEMU
	KVM       bool          `json:"kvm"`           // it runs on the processor itself, not in software emulation
	Starts    int           `json:"starts"`
	For       time.Duration `json:"forNanoseconds"` // since its condition changed
	Autostart bool          `json:"autostart"`
	MemoryMiB int           `json:"memoryMiB"`
	CPUs      int           `json:"cpus"`

	Shown   bool    `json:"shown"`
	Picture bool    `json:"picture"` // it has drawn something
	Width   int     `json:"width,omitempty"`
	Height  int     `json:"height,omitempty"`
	Frames  uint64  `json:"frames"`
	Rate    float64 `json:"framesPerSecond"`
	P50     float64 `json:"latencyP50Milliseconds"`
	P99     float64 `json:"latencyP99Milliseconds"`
}

// Answer is how everything stands after a request.
type Answer struct {
	Error  string  `json:"error,omitempty"`
	Guests []State `json:"guests"`
	Wanted string  `json:"wanted,omitempty"` // the guest that is shown, or will be once it has drawn something
}

// Find returns the state of a guest.
func (a Answer) Find(name string) (State, error) {
	var names []string
	for _, s := range a.Guests {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return State{}, fmt.Errorf("there is no guest %q; there are %s", name, strings.Join(names, " and "))
}

// Ask asks the program on the machine below root. A request that it could not do is an error, beside the answer.
func Ask(root string, r Request) (Answer, error) {
	question, err := json.Marshal(r)
	if err != nil {
		return Answer{}, err
	}
	text, err := ask(root, question)
	if errors.Is(err, os.ErrNotExist) {
		return Answer{}, WhyNot(root)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("the service %s does not answer: %w; see services, and log show --source %s", Service, err, Service)
	}
	var a Answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("answer of the service %s: %w", Service, err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Where the disk has a QEMU, the program may be about to listen: it begins with the shells, and anew when it has died.
const (
	beginsWithin = 3 * time.Second
	beginsLook   = 100 * time.Millisecond
)

func ask(root string, question []byte) (answer []byte, err error) {
	for deadline := time.Now().Add(beginsWithin); ; time.Sleep(beginsLook) {
		answer, err = packet.Ask(filepath.Join(root, SocketPath), question)
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(deadline) {
			return answer, err
		}
		if _, without := System(root); without != nil {
			return nil, err
		}
	}
}

// Line is a line of a guest's serial console as the program writes it on its standard output.
func Line(guest, text string) string { return guest + "\t" + text }

// Source says whose a line of the program's standard output is, for the log: a guest's, or its own.
func Source(line string) (source, text string) {
	if guest, text, ok := strings.Cut(line, "\t"); ok && guest != "" && !strings.ContainsAny(guest, " :") {
		return guest, text
	}
	return Service, line
}
