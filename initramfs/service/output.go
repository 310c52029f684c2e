package service

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// What a service may write. The log holds 32,768 records: one that talks without end
// must not push out what others have said.
const (
	maxLine     = 2000 // bytes; longer lines are cut into pieces
	maxLines    = 1000 // within linesWithin; further ones are counted only
	linesWithin = 30 * time.Second
)

// output makes lines of what a service writes.
type output struct {
	clock Clock
	line  func(string)

	mu      sync.Mutex
	rest    []byte // of a line that has no end yet
	begin   time.Duration
	lines   int // since begin
	dropped int
}

func newOutput(clock Clock, line func(string)) *output {
	return &output{clock: clock, line: line, begin: clock.Now()}
}

// Write implements [io.Writer]. It never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, p...)
	for {
		end := bytes.IndexByte(o.rest, '\n')
		next := end + 1
		if end < 0 || end > maxLine {
			if len(o.rest) <= maxLine {
				return len(p), nil
			}
			end, next = maxLine, maxLine
		}
		o.say(string(o.rest[:end]))
		o.rest = append(o.rest[:0], o.rest[next:]...)
	}
}

// say hands a line on, if there were not too many.
func (o *output) say(line string) {
	if line = strings.TrimRight(strings.ToValidUTF8(line, "\uFFFD"), " \t\r"); line == "" {
		return
	}
	if now := o.clock.Now(); now-o.begin >= linesWithin {
		o.tellDropped()
		o.begin, o.lines = now, 0
	}
	if o.lines++; o.lines > maxLines {
		o.dropped++
		return
	}
	o.line(line)
}

func (o *output) tellDropped() {
	if o.dropped > 0 {
		o.line(fmt.Sprintf("%d lines are left out: more than %d in %v", o.dropped, maxLines, linesWithin))
	}
	o.dropped = 0
}

// Close hands on what has no end.
func (o *output) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.say(string(o.rest))
	o.rest = nil
	o.tellDropped()
}
