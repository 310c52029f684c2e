package logstore

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/raylog"
)

// GroupDelay is the longest that a record of a low level is in memory only, with
// the time to write it.
const GroupDelay = 100 * time.Millisecond

// groupWait is how long is waited for further records.
const groupWait = GroupDelay / 2

// ErrClosed is the error of what is said after Close.
var ErrClosed = fmt.Errorf("the log is closed: %w", os.ErrClosed)

// stopped returns a timer that runs f when it was started by Reset.
func stopped(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// Append keeps an entry. That the medium fails is told once, until a write goes
// well again; entries for which there is no room meanwhile are lost.
func (l *Log) Append(e raylog.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	durable, err := l.put(e)
	switch {
	case err != nil:
		err = fmt.Errorf("append to log: %w; the entry is lost", err)
	case durable:
		err = l.upTo(l.ring.Newest())
	default:
		l.arm()
	}
	return l.once(err)
}

// once passes on what is wrong, also with a write that nobody waited for; if it is
// the medium, then once.
func (l *Log) once(err error) error {
	switch {
	case l.problem == nil || l.closed:
		return err
	case l.told:
		return nil
	case err == nil:
		err = l.problem
	}
	l.told = true
	return err
}

// put puts an entry into the buffer, and waits until there is room.
func (l *Log) put(e raylog.Entry) (durable bool, err error) {
	for !l.closed {
		if durable, err = l.ring.Put(e); !errors.Is(err, raylog.ErrFull) {
			return durable, err
		}
		if l.hurried && l.problem == nil {
			l.written.Wait()
		} else if err := l.write(true); err != nil {
			return false, err
		}
	}
	return false, ErrClosed
}

// pending is how many records are in memory only.
func (l *Log) pending() int { return int(l.ring.Newest() - l.ring.Written()) }

// arm sees to it that what is pending is written: soon, or at once if more is there
// than goes into a group and the medium does not fail.
func (l *Log) arm() {
	switch {
	case l.pending() > raylog.MaxGroup && !l.hurried && l.problem == nil:
		l.hurried = true
		l.timer.Reset(0)
	case l.pending() > 0 && !l.waiting && !l.hurried:
		l.waiting = true
		l.timer.Reset(groupWait)
	}
}

// flushLater writes what has waited.
func (l *Log) flushLater() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	newest, more := l.ring.Newest(), l.hurried
	for !l.closed && (more && l.pending() > raylog.MaxGroup || !more && l.ring.Written() < newest) {
		if l.write(more) != nil {
			break // the next Append tells it
		}
	}
	l.hurried, l.waiting = false, false
	if !l.closed {
		l.arm()
	}
}

// write writes a group, or waits until the one is written that is under way. Others
// may use the log meanwhile.
func (l *Log) write(more bool) error {
	if l.writing {
		l.written.Wait()
		return nil
	}
	w, ok := l.ring.Begin(more)
	if !ok {
		return nil
	}
	l.writing = true
	l.mu.Unlock()
	err := w.Do()
	l.mu.Lock()
	l.ring.End(w, err)
	l.writing = false
	l.written.Broadcast()
	if err == nil {
		l.problem, l.told = nil, false
		return nil
	}
	l.problem = fmt.Errorf("write log: %w; %d records are in memory only", err, l.pending())
	return l.problem
}

// upTo returns when the records up to one are on the medium.
func (l *Log) upTo(seq uint64) error {
	for l.ring.Written() < seq {
		if l.closed {
			return ErrClosed
		}
		if err := l.write(false); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes what is in memory.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.upTo(l.ring.Newest())
}

// Clear begins a new epoch; see [raylog.Ring.Clear].
func (l *Log) Clear(e raylog.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.writing {
		l.written.Wait()
	}
	if l.closed {
		return ErrClosed
	}
	return l.ring.Clear(e)
}

// Close writes what is in memory and closes the device. What is said afterwards is
// ErrClosed.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	err := l.upTo(l.ring.Newest())
	for l.writing {
		l.written.Wait()
	}
	if l.closed { // by another one meanwhile
		return nil
	}
	l.closed = true
	l.written.Broadcast()
	l.timer.Stop()
	return errors.Join(err, l.area.close(), unix.Munmap(l.buffer))
}
