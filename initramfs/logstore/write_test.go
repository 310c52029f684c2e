package logstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/raylog"
)

const testBytes = 4096 * raylog.RecordBytes

func testPlace(t *testing.T) Place {
	t.Helper()
	p := Place{Path: filepath.Join(t.TempDir(), "device"), SizeBytes: testBytes}
	if err := p.Create(); err != nil {
		t.Fatal(err)
	}
	return p
}

func info(format string, args ...any) raylog.Entry {
	return raylog.Entry{Level: raylog.Info, Source: "test", Message: fmt.Sprintf(format, args...)}
}

func warning(format string, args ...any) raylog.Entry {
	e := info(format, args...)
	e.Level = raylog.Warn
	return e
}

// slow is a medium on which each write waits for a word.
type slow struct {
	memory  [testBytes]byte
	began   chan int // how many records the write has
	proceed chan error
}

func (s *slow) ReadAt(p []byte, off int64) (int, error) { return copy(p, s.memory[off:]), nil }

func (s *slow) WriteAt(p []byte, off int64) (int, error) {
	s.began <- len(p) / raylog.RecordBytes
	return copy(s.memory[off:], p), <-s.proceed
}

func (s *slow) Sync() error { return nil }

func slowLog(t *testing.T) (*Log, *slow) {
	t.Helper()
	s := &slow{began: make(chan int), proceed: make(chan error)}
	ring, err := raylog.Open(s, testBytes, raylog.Options{ID: raylog.LogID{1}, Buffer: make([]byte, 4*raylog.RecordBytes)})
	if err != nil {
		t.Fatal(err)
	}
	l := &Log{ring: ring}
	l.written.L = &l.mu
	l.timer = stopped(func() {})
	return l, s
}

// TestOthersDoNotWait: while a record is written, others are kept. Whoever has a
// warning waits for its own write.
func TestOthersDoNotWait(t *testing.T) {
	l, s := slowLog(t)
	first, second := make(chan error), make(chan error)
	go func() { first <- l.Append(warning("one")) }()
	if n := <-s.began; n != 1 {
		t.Errorf("%d records are written first", n)
	}
	if err := l.Append(info("two")); err != nil {
		t.Fatal(err)
	}
	go func() { second <- l.Append(warning("three")) }()
	s.proceed <- nil
	if err := <-first; err != nil {
		t.Error(err)
	}
	if n := <-s.began; n != 2 {
		t.Errorf("%d records are written then", n)
	}
	select {
	case err := <-second:
		t.Errorf("the second warning does not wait: %v", err)
	default:
	}
	s.proceed <- nil
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// TestAFailingMediumIsTold: nobody waits for ever, and the log goes on when the
// medium does.
func TestAFailingMediumIsTold(t *testing.T) {
	broken := errors.New("broken")
	l, s := slowLog(t)
	go func() {
		for range 3 {
			<-s.began
			s.proceed <- broken
		}
		for range s.began {
			s.proceed <- nil
		}
	}()
	if err := l.Append(warning("one")); !errors.Is(err, broken) || !strings.Contains(err.Error(), "1 records are in memory only") {
		t.Errorf("a warning: %v", err)
	}
	for n := range 3 {
		if err := l.Append(info("%d", n)); err != nil {
			t.Errorf("there is room: %v", err)
		}
	}
	if err := l.Append(info("four")); err != nil || l.ring.Newest() != 4 {
		t.Errorf("told again: %v; %d are kept", err, l.ring.Newest())
	}
	if err := l.Flush(); !errors.Is(err, broken) {
		t.Errorf("flush: %v", err)
	}
	if err := l.Append(warning("five")); err != nil || l.ring.Written() != 5 {
		t.Errorf("the medium is well again: %v, %d are written", err, l.ring.Written())
	}
}

// TestAMediumThatRefuses has a file that cannot be written.
func TestAMediumThatRefuses(t *testing.T) {
	fd, err := unix.MemfdCreate("log", unix.MFD_ALLOW_SEALING|unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, testBytes); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Place{Path: fmt.Sprintf("/proc/self/fd/%d", fd), SizeBytes: testBytes}, raylog.LogID{1}, raylog.BootID{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err != nil {
		t.Fatal(err)
	}
	if err := l.Append(warning("one")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a warning: %v", err)
	}
	for range 2 * bufferBytes / raylog.RecordBytes {
		if err := l.Append(info("more than the buffer holds")); err != nil {
			t.Fatalf("told again: %v", err)
		}
	}
	if err := l.Close(); !errors.Is(err, os.ErrPermission) {
		t.Errorf("close: %v", err)
	}
	if err := l.Append(warning("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	l.flushLater() // the timer was about to
}

func TestClosed(t *testing.T) {
	l, err := Open(testPlace(t), raylog.LogID{1}, raylog.BootID{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := l.Append(info("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if err := l.Clear(warning("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("clear: %v", err)
	}
	l.flushLater()
}

// TestStreams has several goroutines that append as fast as they can.
func TestStreams(t *testing.T) {
	p := testPlace(t)
	l, err := Open(p, raylog.LogID{1}, raylog.BootID{})
	if err != nil {
		t.Fatal(err)
	}
	const streams, each = 3, 1300
	var group sync.WaitGroup
	for s := range streams {
		group.Go(func() {
			for n := range each {
				e := info("%d", n)
				if n%400 == 399 {
					e.Level = raylog.Warn
				}
				if e.Source = fmt.Sprint(s); l.Append(e) != nil {
					t.Error("append")
				}
			}
		})
	}
	group.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ring, done, err := OpenReader(p, raylog.LogID{1})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if f := ring.Found(); f.Reads > 40 {
		t.Errorf("after an orderly end %+v", f)
	}
	next := map[string]int{}
	reader := ring.Reader(raylog.Query{})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		if r.Message != fmt.Sprint(next[r.Source]) {
			t.Fatalf("stream %s: %s comes where %d is due", r.Source, r.Message, next[r.Source])
		}
		next[r.Source]++
	}
	if len(next) != streams || next["0"] != each || next["1"] != each || next["2"] != each {
		t.Errorf("%v", next)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	l, err := Open(testPlace(t), raylog.LogID{1}, raylog.BootID{})
	if err != nil {
		t.Fatal(err)
	}
	e := raylog.Entry{Level: raylog.Info, Wall: time.UnixMilli(1), Source: "test", Message: "a message"}
	if n := testing.AllocsPerRun(5000, func() { err = errors.Join(err, l.Append(e)) }); n != 0 || err != nil {
		t.Errorf("%v allocations per append, %v", n, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWhatNobodyWaitedForIsTold: the next one who says something is told that the
// timer could not write, and only that one.
func TestWhatNobodyWaitedForIsTold(t *testing.T) {
	broken := errors.New("broken")
	l, s := slowLog(t)
	if err := l.Append(info("one")); err != nil {
		t.Fatal(err)
	}
	go func() {
		for range s.began {
			s.proceed <- broken
		}
	}()
	l.flushLater()
	for i, want := range []error{broken, nil} {
		if err := l.Append(info("more")); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
}
