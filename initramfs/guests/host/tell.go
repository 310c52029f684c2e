package host

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// teller writes lines, each whole. More than most of them within a time are only counted: what hostile guests make happen
// must neither flood consoles nor push others out of the log.
type teller struct {
	w    io.Writer
	now  func() time.Time
	most int // within tellSpan; 0: no bound

	mu      sync.Mutex
	begin   time.Time
	lines   int // since begin
	dropped int
}

const tellSpan = 30 * time.Second

// newTeller makes a teller that passes on so many lines within [tellSpan].
func newTeller(w io.Writer, most int) *teller { return &teller{w: w, now: time.Now, most: most} }

// line writes a line. There is nowhere to report that nobody reads it.
func (t *teller) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.now(); now.Sub(t.begin) >= tellSpan {
		if t.dropped > 0 {
			t.write(fmt.Sprintf("rayos: guests: %d lines are left out: more than %d in %v", t.dropped, t.most, tellSpan))
		}
		t.begin, t.lines, t.dropped = now, 0, 0
	}
	if t.lines++; t.most > 0 && t.lines > t.most {
		t.dropped++
		return
	}
	t.write(text)
}

func (t *teller) write(text string) {
	_, _ = io.WriteString(t.w, strings.ReplaceAll(text, "\n", " ")+"\n")
}

// say is line for a text of ours.
func (t *teller) say(format string, args ...any) { t.line("rayos: " + fmt.Sprintf(format, args...)) }
