package showing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation/display"
	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/presentation/screen"
	"github.com/rayos/rayboot/presentation/vhostgpu"
)

// Times.
const (
	connectLimit = time.Minute      // for QEMU to come to our display
	stopGrace    = 5 * time.Second  // for QEMU to end
	powerGrace   = 60 * time.Second // for the guest's system to end, where what it writes is kept
	settleFor    = time.Second      // that the picture must stay the same for
	settleLimit  = 15 * time.Second // after which it is taken as it is
	lookEvery    = 50 * time.Millisecond
)

// ErrNotSaid says that the guest has ended, or time has, before it said what was waited for.
var ErrNotSaid = errors.New("the guest has not said it")

// Options say how a guest is shown.
type Options struct {
	Folder string        // for sockets, empty
	Until  string        // end when the guest has said this on its serial line; "": when it ends
	Screen screen.Screen // shows the guest
	Emit   func(markers.Emitter)
	Report func(error) // of what could not be shown; the guest goes on
	// Each, if set, is called every second until the end, and once more while the last picture
	// is there.
	Each func() error

	In  io.Reader // the guest's serial line
	Out io.Writer
}

// Show runs the guest until it ends, until it has said Until, or until ctx ends. The guest's end
// is no error, that of QEMU with a failure is.
func (g *Guest) Show(ctx context.Context, o Options) (err error) {
	g.Machine.Display, g.Machine.Monitor = filepath.Join(o.Folder, "display.sock"), filepath.Join(o.Folder, "monitor.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: g.Machine.Display, Net: "unix"})
	if err != nil {
		return fmt.Errorf("make the socket of the display: %w; name a shorter folder by TMPDIR", err)
	}
	defer listener.Close()
	if err := listener.SetDeadline(time.Now().Add(connectLimit)); err != nil {
		return err
	}
	said := newListener(o.Until, o.Out)
	q, err := g.start(said, o)
	if err != nil {
		return err
	}
	defer q.stop()
	conn, err := accept(listener, q)
	if err != nil {
		return err
	}
	d := display.New(o.Screen, o.Emit, o.Report)
	d.Show(string(g.Config.Name))
	shown := make(chan error, 1)
	serving, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		shown <- vhostgpu.Serve(serving, conn, string(g.Config.Name), d.Source(string(g.Config.Name)), o.Report)
	}()
	defer func() { // QEMU first, which complains of a display that goes away
		q.stop()
		err = errors.Join(err, <-shown)
	}()
	return g.wait(ctx, q, said, o)
}

// wait waits for one of the ends.
func (g *Guest) wait(ctx context.Context, q *process, said *listener, o Options) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	each := func() error {
		if o.Each == nil {
			return nil
		}
		return o.Each()
	}
	for {
		select {
		case <-tick.C:
			if err := each(); err != nil {
				return err
			}
		case <-q.ended:
			err := errors.Join(q.failure(), each())
			if err == nil && o.Until != "" && !said.heard() {
				err = fmt.Errorf("%w before its end: %q", ErrNotSaid, o.Until)
			}
			return err
		case <-said.reached:
			settle(o.Screen, q)
			return errors.Join(each(), g.finish(q))
		case <-ctx.Done():
			err := errors.Join(each(), g.finish(q))
			if errors.Is(context.Cause(ctx), ErrNotSaid) {
				err = errors.Join(fmt.Errorf("%w in time: %q", ErrNotSaid, o.Until), err)
			}
			return err
		}
	}
}

// settle waits until the picture stays as it is.
func settle(s screen.Screen, q *process) {
	r, ok := s.(*Recorder)
	if !ok {
		return
	}
	for end := time.Now().Add(settleLimit); time.Now().Before(end); time.Sleep(lookEvery) {
		n, last := r.Changes()
		select {
		case <-q.ended:
			return
		default:
		}
		if n > 0 && time.Since(last) > settleFor {
			return
		}
	}
}

// finish ends a guest. One whose disk is kept is asked to end by itself first.
func (g *Guest) finish(q *process) error {
	if g.Machine.Snapshot {
		return nil // stop ends it
	}
	ctx, cancel := context.WithTimeout(context.Background(), powerGrace)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", g.Machine.Monitor)
	if err != nil {
		return nil // it is ending
	}
	client, err := qmp.New(conn, func(qmp.Event) {})
	if err != nil {
		return fmt.Errorf("ask the guest to end: %w", err)
	}
	defer client.Close()
	if err := client.Execute(ctx, "system_powerdown", nil, nil); err != nil {
		return fmt.Errorf("ask the guest to end: %w", err)
	}
	select {
	case <-q.ended:
		return q.failure()
	case <-ctx.Done():
		return fmt.Errorf("the guest has not ended within %v and is switched off; its file system mends itself at its next start", powerGrace)
	}
}

// accept waits for QEMU, or its end.
func accept(listener *net.UnixListener, q *process) (*net.UnixConn, error) {
	type result struct {
		conn *net.UnixConn
		err  error
	}
	came := make(chan result, 1)
	go func() {
		conn, err := listener.AcceptUnix()
		came <- result{conn, err}
	}()
	select {
	case r := <-came:
		if r.err != nil {
			return nil, fmt.Errorf("QEMU does not come to our display: %w", r.err)
		}
		return r.conn, nil
	case <-q.ended:
		if err := q.failure(); err != nil {
			return nil, err
		}
		return nil, errors.New("QEMU has ended before the guest was started")
	}
}

// process is a running QEMU.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	err    error // once ended
	stderr tail
}

// start starts QEMU.
func (g *Guest) start(out io.Writer, o Options) (*process, error) {
	argv := append(g.Machine.Tree.Command(), g.Config.Args(g.Machine)...)
	q := &process{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	q.cmd.Env = append(os.Environ(), g.Machine.Tree.Env()...)
	q.cmd.Stdout, q.cmd.Stderr = out, &q.stderr
	if terminal, ok := o.In.(*os.File); ok {
		q.cmd.Stdin = terminal
	} else if pipe, err := q.cmd.StdinPipe(); err != nil {
		return nil, err
	} else if o.In != nil {
		go func() { _, _ = io.Copy(pipe, o.In) }() // a guest that ends takes no more
	}
	if err := q.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start QEMU: %w", err)
	}
	go func() {
		q.err = q.cmd.Wait()
		close(q.ended)
	}()
	return q, nil
}

// failure is why QEMU has ended, nil for a guest that has ended.
func (q *process) failure() error {
	if q.err == nil {
		return nil
	}
	return fmt.Errorf("QEMU has ended: %w: %s", q.err, q.stderr.String())
}

// stop ends QEMU, if it runs.
func (q *process) stop() {
	_ = q.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	select {
	case <-q.ended:
	case <-time.After(stopGrace):
		_ = q.cmd.Process.Kill() // likewise
		<-q.ended
	}
}

// tail keeps the end of what was written.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 1000
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-most):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}

// listener passes on what a guest says, and notices one text.
type listener struct {
	text    []byte
	out     io.Writer
	last    []byte
	reached chan struct{} // closed when the text was said
}

func newListener(text string, out io.Writer) *listener {
	return &listener{text: []byte(text), out: out, reached: make(chan struct{})}
}

func (l *listener) Write(p []byte) (int, error) {
	if len(l.text) > 0 && !l.heard() {
		l.last = append(l.last, p...)
		if bytes.Contains(l.last, l.text) {
			close(l.reached)
		}
		l.last = l.last[max(0, len(l.last)-len(l.text)):]
	}
	return l.out.Write(p)
}

func (l *listener) heard() bool {
	select {
	case <-l.reached:
		return true
	default:
		return false
	}
}
