package session

import (
	"bytes"

	"github.com/rayos/rayboot/markers"
)

// maxLineBytes bounds a line that never ends; no marker is that long.
const maxLineBytes = 4096

// watcher looks for one marker in a stream of text.
type watcher struct {
	name    string // a marker's name or ID; "" is no marker at all
	line    []byte
	reached chan struct{} // closed when the marker has arrived
}

func newWatcher(name string) *watcher {
	return &watcher{name: name, reached: make(chan struct{})}
}

// feed takes the next piece of plain text. A marker counts when its line is complete.
func (w *watcher) feed(text []byte) {
	if w.name == "" || w.seen() {
		return
	}
	for {
		head, tail, complete := bytes.Cut(text, []byte("\n"))
		if len(w.line)+len(head) <= maxLineBytes {
			w.line = append(w.line, head...)
		}
		if !complete {
			return
		}
		if m, ok, _ := markers.Find(string(w.line)); ok && (m.Name == w.name || m.ID() == w.name) {
			close(w.reached)
			return
		}
		w.line, text = w.line[:0], tail
	}
}

// seen tells whether there is nothing left to wait for.
func (w *watcher) seen() bool {
	if w.name == "" {
		return true
	}
	select {
	case <-w.reached:
		return true
	default:
		return false
	}
}
