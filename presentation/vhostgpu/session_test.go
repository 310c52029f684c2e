package vhostgpu

import (
	"context"
	"encoding/binary"
	"image"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/growth"
)

// blind is an output that shows nothing.
type blind struct{}

func (blind) Size() image.Point                                           { return image.Pt(1024, 768) }
func (blind) Create(int, image.Point) (presentation.ID, error)            { return 1, nil }
func (blind) Update(presentation.ID, presentation.Update) error           { return nil }
func (blind) Move(presentation.ID, presentation.Picture) error            { return nil }
func (blind) Destroy(presentation.ID) error                               { return nil }
func (blind) SetCursor(presentation.ID, presentation.Cursor, image.Point) {}
func (blind) MoveCursor(presentation.ID, image.Point)                     {}

// peer is a QEMU of our own.
type peer struct {
	fd    int
	ended chan error
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(pair[1]), "peer")
	conn, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	p := &peer{pair[0], make(chan error, 1)}
	go func() {
		p.ended <- Serve(context.Background(), conn.(*net.UnixConn), "linux", blind{}, func(error) {})
	}()
	return p
}

func (p *peer) send(r request, flags uint32, payload []byte, fds ...int) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(r))
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	_ = unix.Sendmsg(p.fd, append(b, payload...), unix.UnixRights(fds...), nil, unix.MSG_NOSIGNAL) // a refused peer is closed
}

// end closes the connection and returns what came of the session.
func (p *peer) end(t testing.TB) error {
	t.Helper()
	if err := unix.Shutdown(p.fd, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p.fd)
	select {
	case err := <-p.ended:
		return err
	case <-time.After(time.Minute):
		t.Fatal("the session does not end")
		return nil
	}
}

func words(w ...uint64) (b []byte) {
	for _, v := range w {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func testMemory(t testing.TB, flags int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("guest", flags)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(fd, 1<<16); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestSession(t *testing.T) {
	p, mem := newPeer(t), testMemory(t, unix.MFD_ALLOW_SEALING)
	defer unix.Close(mem)
	p.send(getFeatures, flagVersion, nil)
	var b [64]byte
	if n, err := unix.Read(p.fd, b[:]); err != nil || n != 20 || binary.LittleEndian.Uint64(b[12:]) != allFeatures {
		t.Errorf("%d bytes of features: %x, %v", n, b[:n], err)
	}
	p.send(setProtocolFeatures, flagVersion, words(allProtocol))
	p.send(setMemTable, flagVersion|flagNeedReply, words(1, 0, 1<<16, 1<<32, 0), mem)
	if n, err := unix.Read(p.fd, b[:]); err != nil || n != 20 || binary.LittleEndian.Uint64(b[12:]) != 0 {
		t.Errorf("memory was not taken: %x, %v", b[:n], err)
	}
	if err := unix.Ftruncate(mem, 0); err == nil {
		t.Error("the memory of a guest could be taken away")
	}
	if err := p.end(t); err != nil {
		t.Error(err)
	}
}

func TestSessionRefuses(t *testing.T) {
	sealed, plain := testMemory(t, unix.MFD_ALLOW_SEALING), testMemory(t, 0)
	defer unix.Close(sealed)
	defer unix.Close(plain)
	for name, attack := range map[string]func(p *peer){
		"another version":     func(p *peer) { p.send(getFeatures, 2, nil) },
		"a long message":      func(p *peer) { p.send(getFeatures, flagVersion, make([]byte, maxPayload+1)) },
		"what was not said":   func(p *peer) { p.send(37, flagVersion, words(0)) },
		"memory that shrinks": func(p *peer) { p.send(setMemTable, flagVersion, words(1, 0, 1<<16, 0, 0), plain) },
		"memory too long":     func(p *peer) { p.send(setMemTable, flagVersion, words(1, 0, 1<<17, 0, 0), sealed) },
		"memory that wraps":   func(p *peer) { p.send(setMemTable, flagVersion, words(1, ^uint64(0), 1<<16, 0, 0), sealed) },
		"memory twice": func(p *peer) {
			p.send(setMemTable, flagVersion, words(2, 0, 4096, 0, 0, 0, 4096, 4096, 0), sealed, sealed)
		},
		"no memory":          func(p *peer) { p.send(setMemTable, flagVersion, words(1, 0, 1<<16, 0, 0)) },
		"queue 2":            func(p *peer) { p.send(setVringBase, flagVersion, words(2)) },
		"7 descriptors":      func(p *peer) { p.send(setVringNum, flagVersion, words(7<<32)) },
		"a queue of nothing": func(p *peer) { p.send(setVringKick, flagVersion, words(1<<8)) },
		"no eventfd":         func(p *peer) { p.send(setVringKick, flagVersion, words(0), sealed) },
	} {
		p := newPeer(t)
		attack(p)
		select {
		case err := <-p.ended:
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it goes on", name)
		}
		if err := unix.Close(p.fd); err != nil {
			t.Error(err)
		}
	}
}

// FuzzSession sends arbitrary messages with memory, eventfds and other
// descriptors, and writes arbitrary bytes into the memory meanwhile.
// sessionSeeds are steps of a QEMU, four bytes each.
var sessionSeeds = [][]byte{
	{5, 1, 2, 0, 8, 1, 0, 8, 9, 1, 0, 0, 10, 1, 0, 0, 18, 1, 0, 1, 12, 1, 2, 0, 13, 1, 2, 0},
	{1, 1, 0, 0, 15, 1, 0, 0, 17, 9, 0, 0, 24, 1, 0, 9, 33, 1, 1, 0, 34, 1, 0, 0, 11, 1, 0, 1},
}

func FuzzSession(f *testing.F) {
	for _, seed := range sessionSeeds {
		f.Add(seed, []byte{1, 2, 3})
	}
	var w growth.Watch
	f.Fuzz(func(t *testing.T, steps, ram []byte) {
		hostileQEMU(t, steps, ram)
		w.Step(t)
	})
}

// TestNoGrowth is what FuzzSession does, for a while.
func TestNoGrowth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w growth.Watch
	for i := range 3 * growth.Every {
		hostileQEMU(t, growth.Mutate(random, sessionSeeds[i%len(sessionSeeds)]), []byte{1, 2, 3})
		w.Step(t)
	}
}

// hostileQEMU is a session with a QEMU that sends what it likes.
func hostileQEMU(t *testing.T, steps, ram []byte) {
	t.Helper()
	before := descriptors(t)
	p, mem := newPeer(t), testMemory(t, unix.MFD_ALLOW_SEALING)
	if _, err := unix.Pwrite(mem, ram[:min(len(ram), 1<<16)], 0); err != nil && len(ram) > 0 {
		t.Fatal(err)
	}
	event, err := unix.Eventfd(1, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	fds := [4][]int{nil, {mem}, {event}, {mem, event}}
	for ; len(steps) >= 4 && len(p.ended) == 0; steps = steps[4:] {
		r, at := request(steps[0]), uint64(steps[3])
		payload := words(at<<32|at&1, at*64, at*128, 1<<32|at*8, at)
		switch r {
		case setMemTable:
			fds[2], payload = []int{event}, words(1, at*4096, 1<<16, 1<<32, 0)
			p.send(r, uint32(steps[1]), payload, mem)
			continue
		case setVringAddr:
			payload = words(at&1, 1<<32, 1<<32+at*512, 1<<32+at*256, 0)
		}
		p.send(r, uint32(steps[1]), payload, fds[steps[2]&3]...)
	}
	if err := unix.SetNonblock(p.fd, true); err != nil {
		t.Fatal(err)
	}
	_ = p.end(t) // any error is right
	for _, fd := range []int{mem, event} {
		if err := unix.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
	if after := descriptors(t); after > before {
		t.Fatalf("%d file descriptors, %d before", after, before)
	}
}

// descriptors counts the open files of this process that belong to sessions.
func descriptors(t testing.TB) (n int) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
