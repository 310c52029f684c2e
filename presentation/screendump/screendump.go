// Package screendump is the source of presentation for guests without a driver that
// tells what it draws: firmware on ramfb, and Windows before its driver. It asks QEMU
// for its picture of the screen again and again (QMP screendump), and finds out by
// itself what has changed.
//
// QEMU copies and converts the whole screen for each picture, so one is taken often
// only while the guest is shown, and QEMU has three quarters of the time for itself.
package screendump

import (
	"context"
	"fmt"
	"image"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
)

// How often a picture is taken, at most.
const (
	shownEvery  = 40 * time.Millisecond
	hiddenEvery = 2 * time.Second // for screenshots
)

// Monitor is the connection to QEMU's monitor; a qmp.Client is one.
type Monitor interface {
	Execute(ctx context.Context, command string, arguments, result any) error
	Done() <-chan struct{} // is closed when QEMU has gone
}

// Output is where the guest's screen is shown; a display.Source is one.
type Output interface {
	Shown() bool
	Create(output int, size image.Point) (presentation.ID, error)
	Update(id presentation.ID, u presentation.Update) error
	Destroy(id presentation.ID) error
}

// Serve shows the first screen of the guest with this name on out until QEMU has gone
// or ctx is done; then its surface is gone, and the error is nil.
func Serve(ctx context.Context, monitor Monitor, name string, out Output) error {
	fd, err := unix.MemfdCreate("screen of "+name, unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("take pictures of %s: make memory for them: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), "picture of "+name)
	defer file.Close()
	s := &source{monitor: monitor, out: out, file: file}
	defer s.destroy()
	err = s.run(ctx)
	if ctx.Err() != nil || s.gone() {
		return nil
	}
	return fmt.Errorf("take pictures of %s: %w", name, err)
}

// source is the screen of one guest.
type source struct {
	monitor Monitor
	out     Output
	file    *os.File // that QEMU writes pictures to
	id      presentation.ID
	last    dump   // what was given to out, in a buffer of its own
	spare   []byte // the buffer of the one before
}

func (s *source) gone() bool {
	select {
	case <-s.monitor.Done():
		return true
	default:
		return false
	}
}

// run takes pictures until it cannot any more.
func (s *source) run(ctx context.Context) error {
	var last time.Time
	for {
		pause := shownEvery
		if begin := time.Now(); s.out.Shown() || begin.Sub(last) >= hiddenEvery {
			if err := s.take(ctx, begin); err != nil {
				return err
			}
			last = time.Now()
			pause = max(pause, 3*last.Sub(begin))
		}
		select {
		case <-time.After(pause):
		case <-s.monitor.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// take takes one picture, and tells out if it is another one than before.
func (s *source) take(ctx context.Context, since time.Time) error {
	d, err := s.dump(ctx)
	if err != nil {
		return err
	}
	damage := d.changed(s.last)
	if len(damage) == 0 {
		return nil // s.spare is still free
	}
	p, err := d.picture()
	if err != nil {
		return err
	}
	if s.id == 0 {
		if s.id, err = s.out.Create(0, d.size); err != nil {
			return err
		}
	}
	if err := s.out.Update(s.id, presentation.Update{Picture: p, Damage: damage, Since: since}); err != nil {
		return err
	}
	s.last, s.spare = d, s.last.file
	return nil
}

// dump lets QEMU write a picture, and reads it into the spare buffer. QEMU, which a
// guest may have taken over, could shorten a file that is mapped, so it is read.
func (s *source) dump(ctx context.Context) (dump, error) {
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd())
	if err := s.monitor.Execute(ctx, "screendump", map[string]string{"filename": path}, nil); err != nil {
		return dump{}, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return dump{}, err
	}
	size := info.Size()
	if size > maxFileBytes {
		return dump{}, fmt.Errorf("%w: %d bytes, at most %d are taken", errPicture, size, maxFileBytes)
	}
	if int64(cap(s.spare)) < size {
		s.spare = make([]byte, size)
	}
	s.spare = s.spare[:size]
	if _, err := s.file.ReadAt(s.spare, 0); err != nil {
		return dump{}, fmt.Errorf("read the picture: %w", err)
	}
	return decode(s.spare)
}

func (s *source) destroy() {
	if s.id != 0 {
		_ = s.out.Destroy(s.id) // it exists
	}
}
