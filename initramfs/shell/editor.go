package shell

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// errInterrupted is what a line ends with that the user gave up by Ctrl-C.
var errInterrupted = errors.New("interrupted")

const keyInterrupt = 0x03

// editor reads lines from a terminal.
type editor struct {
	in        *os.File
	keys      *keys
	out       io.Writer
	history   term.History
	completer completer

	mu       sync.Mutex // guards what follows
	terminal *term.Terminal
	reading  bool
}

func newEditor(in *os.File, out io.Writer, c completer) *editor {
	e := &editor{in: in, out: out, keys: &keys{r: in}, completer: c}
	e.reset()
	e.history = e.terminal.History
	return e
}

// reset makes a terminal with an empty line; the history stays.
func (e *editor) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{e.keys, e.out}, "")
	e.terminal.AutoCompleteCallback = e.complete
	if e.history != nil {
		e.terminal.History = e.history
	}
}

// ReadLine shows the prompt and reads one line. Between calls the terminal is
// in its ordinary mode, so that Ctrl-C ends what runs then.
func (e *editor) ReadLine(prompt string) (string, error) {
	state, err := term.MakeRaw(int(e.in.Fd()))
	if err != nil {
		return "", err
	}
	e.begin(prompt)
	line, err := e.terminal.ReadLine()
	e.end()
	if restoreErr := term.Restore(int(e.in.Fd()), state); restoreErr != nil {
		return "", restoreErr
	}
	switch {
	case errors.Is(err, io.EOF) && e.keys.takeInterrupt():
		io.WriteString(e.out, "^C\n")
		e.reset()
		return "", errInterrupted
	case errors.Is(err, term.ErrPasteIndicator):
		return line, nil
	}
	return line, err
}

func (e *editor) begin(prompt string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.terminal.SetPrompt(prompt)
	if w, h, err := term.GetSize(int(e.in.Fd())); err == nil && w > 0 {
		// A serial line has no size; the terminal's default stays then. The
		// error of SetSize is one of writing, which ReadLine meets as well.
		_ = e.terminal.SetSize(w, h)
	}
	e.reading = true
}

func (e *editor) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reading = false
}

// complete completes the line at a Tab. Where there is nothing to add, it shows what
// can follow.
func (e *editor) complete(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key != '\t' {
		return "", 0, false
	}
	newLine, newPos, words := e.completer.complete(line, pos)
	if newLine == line && len(words) > 1 {
		_, _ = io.WriteString(e.terminal, list(words)) // an error of the terminal ends ReadLine too
	}
	return newLine, newPos, true
}

// Refresh shows the prompt and what has been typed again, if a line is being
// read.
func (e *editor) Refresh() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reading {
		_, _ = e.terminal.Write(nil) // an error of the terminal ends ReadLine too
	}
}

// keys hands on what is typed and remembers a Ctrl-C.
type keys struct {
	r           io.Reader
	interrupted bool
}

func (k *keys) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if bytes.IndexByte(p[:n], keyInterrupt) >= 0 {
		k.interrupted = true
	}
	return n, err
}

func (k *keys) takeInterrupt() bool {
	was := k.interrupted
	k.interrupted = false
	return was
}
