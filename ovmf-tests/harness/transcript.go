package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/tools/mkimage/qemu"
)

// Transcript collects what a machine says on its serial port, as plain text, and lets one reader wait for lines in
// their order. One goroutine may write while another waits.
type Transcript struct {
	crashes bool // signs of a crash are lines as any other

	mu     sync.Mutex
	plain  qemu.PlainText
	text   []byte
	notes  []byte        // lines that wait for the end of the machine's line
	read   int           // the bytes of text before this were consumed by Await
	grown  chan struct{} // closed and replaced when there is more to see
	closed error         // why nothing more will come
}

// NewTranscript returns an empty transcript.
func NewTranscript() *Transcript { return &Transcript{grown: make(chan struct{})} }

// Write takes what the serial port sent. It never fails.
func (t *Transcript) Write(chunk []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.text)
	t.text = t.plain.Append(t.text, chunk)
	if end := bytes.IndexByte(t.text[before:], '\n'); end >= 0 {
		t.addNotes(before + end + 1)
	}
	t.wake()
	return len(chunk), nil
}

// Note adds a line of the harness itself, such as "[qemu] RESET", behind the line that the machine is saying.
func (t *Transcript) Note(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.notes = append(append(t.notes, line...), '\n')
	if len(t.text) == 0 || t.text[len(t.text)-1] == '\n' {
		t.addNotes(len(t.text))
	}
	t.wake()
}

// addNotes puts the notes that wait into the text.
func (t *Transcript) addNotes(at int) {
	t.text = slices.Insert(t.text, at, t.notes...)
	t.notes = nil
}

// Close tells that nothing more will come, and why.
func (t *Transcript) Close(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.notes) > 0 {
		t.text = append(t.text, '\n') // the machine did not come to the end of its line
		t.addNotes(len(t.text))
	}
	t.closed = why
	t.wake()
}

func (t *Transcript) wake() {
	close(t.grown)
	t.grown = make(chan struct{})
}

// Await returns the first line that fulfils the expectation behind everything that was awaited before. It fails at once
// when nothing more will come, and when the machine says that it crashed.
func (t *Transcript) Await(ctx context.Context, want Expectation) (string, error) {
	for {
		line, found, grown, err := t.next(want)
		if found || err != nil {
			return line, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not come in time", want)
		}
	}
}

func (t *Transcript) next(want Expectation) (line string, found bool, grown <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for at := t.read; at < len(t.text); {
		line, end, complete := lineAt(t.text, at)
		if (complete || want.partial) && want.match(line) {
			t.read = end
			return line, true, nil, nil
		}
		if complete && !t.crashes && isCrash(line) {
			return "", false, nil, fmt.Errorf("%s did not come: the machine crashed: %s", want, line)
		}
		at = end
	}
	if t.closed != nil {
		return "", false, nil, fmt.Errorf("%s did not come: %w", want, t.closed)
	}
	return "", false, t.grown, nil
}

func lineAt(text []byte, start int) (line string, end int, complete bool) {
	head, _, complete := bytes.Cut(text[start:], []byte("\n"))
	end = start + len(head)
	if complete {
		end++
	}
	return string(head), end, complete
}

// isCrash tells whether a line is the end of a firmware, a kernel or a Go program.
func isCrash(line string) bool {
	for _, sign := range []string{"X64 Exception Type", "Kernel panic - not syncing", "fatal error: ", "panic: "} {
		if strings.Contains(line, sign) {
			return true
		}
	}
	return false
}

// Has tells whether a complete line that was consumed by Await, or not yet, fulfils the expectation.
func (t *Transcript) Has(want Expectation) bool { return t.Count(want) > 0 }

// Count counts the lines that fulfil the expectation.
func (t *Transcript) Count(want Expectation) (n int) {
	for line := range strings.Lines(t.String()) {
		if want.match(strings.TrimSuffix(line, "\n")) {
			n++
		}
	}
	return n
}

// String returns the whole transcript without the blank lines and ends of lines that a screen of text is full of.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for line := range bytes.Lines(t.text) {
		if line = bytes.TrimRight(line, " \n"); len(line) > 0 {
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Tail returns the last lines.
func (t *Transcript) Tail(lines int) string {
	all := strings.Split(strings.TrimRight(t.String(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Expectation is something that a line of the transcript can fulfil.
type Expectation struct {
	what    string
	match   func(line string) bool
	partial bool // an unfinished line is enough, as a prompt is
}

func (e Expectation) String() string { return e.what }

// Marker expects a marker, given as a line, with at least the fields of that line: "[RAYOS_BOOT_MARKER:SHELL_READY]"
// is fulfilled whatever the fields are. It panics if the line is no marker of the registry.
func Marker(line string) Expectation {
	want := markers.MustParse(line)
	known := func(d markers.Definition) bool { return d.ID() == want.ID() }
	if !slices.ContainsFunc(markers.All(), known) {
		panic(fmt.Sprintf("%s: no such marker", want.ID()))
	}
	return Expectation{what: line, match: func(line string) bool {
		m := markers.NewMatcher(want)
		return m.Feed(line) == nil && m.Done()
	}}
}

// Text expects a line, finished or not, that contains the text.
func Text(text string) Expectation {
	return Expectation{what: fmt.Sprintf("%q", text), match: func(line string) bool { return strings.Contains(line, text) }, partial: true}
}

// Pattern expects a complete line that matches the regular expression.
func Pattern(expression string) Expectation {
	re := regexp.MustCompile(expression)
	return Expectation{what: "/" + expression + "/", match: re.MatchString}
}

// errMachineEnded closes the transcript of a machine that is off.
var errMachineEnded = errors.New("the machine has ended")
