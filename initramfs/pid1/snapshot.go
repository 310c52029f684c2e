package pid1

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/initramfs/efivar"
	"github.com/rayos/rayboot/initramfs/goldenstore"
	"github.com/rayos/rayboot/markers"
)

// snapshot makes a golden snapshot of what was booted, beside all else that
// process 1 does: a candidate when the shell is up, a stable one when the boot
// manager knows that this boot is good.
type snapshot struct {
	store  goldenstore.Store
	booted golden.Booted
	entry  string // key of the entry

	lines  chan string   // for the consoles
	good   chan struct{} // closed when the boot is known to be good
	cancel context.CancelFunc
	done   chan struct{} // closed when nothing is written any more
}

// notSnapshotted says why no golden snapshot is taken of this boot, "" if one is.
func (b *boot) notSnapshotted() string {
	switch a := &b.attempt; {
	case a.open.Kind == record.NoAttempt:
		return "it is not counted"
	case a.open.Kind == record.GoldenAttempt:
		return "it is golden snapshot " + bootmenu.ShortID(a.open.Snapshot) + " itself"
	case b.args.Install:
		return "the installer is not what should be started after a failure"
	case b.args.Safe:
		return "safe mode is not what should be started after a failure"
	case a.booted == nil:
		return "the boot manager did not say what it started"
	}
	return ""
}

// signedOnly reports whether the boot manager uses no snapshot that is not signed.
// What is taken here is not: no machine has the key to sign with.
func (b *boot) signedOnly() bool {
	_, err := efivar.Text(os.DirFS(filepath.Join(b.root, efivarsDir)), "RayosGoldenKey", efivar.RayOS)
	return !errors.Is(err, fs.ErrNotExist)
}

// startSnapshot begins a golden snapshot, or says why not.
func (b *boot) startSnapshot() {
	reason := b.notSnapshotted()
	if reason == "" && b.signedOnly() {
		reason = "the boot manager accepts only signed ones; `recovery snapshot` takes one that can be signed elsewhere"
	}
	if reason != "" {
		b.say("no golden snapshot is taken of this boot: %s", reason)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.snapshot = &snapshot{
		store: goldenstore.New(b.root, b.disk.Kernel, b.espMount), booted: *b.attempt.booted, entry: b.attempt.open.Entry,
		lines: make(chan string), good: make(chan struct{}), cancel: cancel, done: make(chan struct{}),
	}
	go b.snapshot.run(ctx)
}

// run takes the snapshot, waits until the boot is good, and promotes it.
func (s *snapshot) run(ctx context.Context) {
	defer close(s.done)
	if err := lowPriority(); err != nil {
		s.say(ctx, fmt.Sprintf("rayos: golden snapshot: %v; it is taken at ordinary priority", err))
	}
	taken, made, err := s.store.Take(ctx, s.booted, s.entry)
	if err != nil {
		s.say(ctx, fmt.Sprintf("rayos: no golden snapshot could be taken of this boot: %v", err))
		return
	}
	id := taken.ID()
	if made {
		s.emit(ctx, id, golden.Candidate)
	}
	select {
	case <-ctx.Done():
		return
	case <-s.good:
	}
	promoted, err := s.store.Promote(ctx, id)
	if err != nil {
		s.say(ctx, fmt.Sprintf("rayos: golden snapshot %s stays a candidate: %v", bootmenu.ShortID(id), err))
	}
	if promoted {
		s.emit(ctx, id, golden.Stable)
	}
}

func (s *snapshot) emit(ctx context.Context, id golden.Digest, state golden.State) {
	s.say(ctx, markers.BootmgrSnapshot{Snapshot: bootmenu.ShortID(id), State: state.String()}.Marker().String())
}

// say has the main loop write a line, while there is one.
func (s *snapshot) say(ctx context.Context, line string) {
	select {
	case <-ctx.Done():
	case s.lines <- line:
	}
}

// news are the lines that the snapshot has to say; nil while there is none.
func (s *snapshot) news() <-chan string {
	if s == nil {
		return nil
	}
	return s.lines
}

// keep says that the boot is good, and that the boot manager knows it.
func (s *snapshot) keep() {
	if s != nil {
		close(s.good)
	}
}

// stop ends what is being written in order, and returns when it has ended.
func (s *snapshot) stop() {
	if s != nil {
		s.cancel()
		<-s.done
	}
}

// The lowest priorities at which a thread still runs (ioprio_set(2), nice(2)).
const (
	ioprioWhoProcess = 1         // a thread
	ioprioLowest     = 2<<13 | 7 // class best effort, lowest level
	niceLowest       = 19        // nice(2)
	callingThread    = 0
)

// lowPriority gives the calling goroutine a thread of its own that yields to
// all others. The thread ends with the goroutine.
func lowPriority() error {
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, callingThread, niceLowest); err != nil {
		return fmt.Errorf("lower its priority: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, callingThread, ioprioLowest); errno != 0 {
		return fmt.Errorf("lower its I/O priority: %w", errno)
	}
	return nil
}
