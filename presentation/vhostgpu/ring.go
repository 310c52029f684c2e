package vhostgpu

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/virtqueue"
)

// maxRound is the number of requests after which a queue lets others work.
const maxRound = 64

// ring is one virtqueue with what QEMU has said about it.
type ring struct {
	index             int
	size              int
	desc, avail, used uint64 // addresses in QEMU
	base              uint16
	kick, call        int // eventfds, or -1
	enabled           bool
	queue             *virtqueue.Queue // nil while it does not run
	more              bool             // it stopped working at maxRound
	broken            error            // what the guest did to it
	chain             virtqueue.Chain
	request, reply    []byte
}

// start makes the queue run, if all is known.
func (r *ring) start(s *session) error {
	r.stop()
	d, a, u := virtqueue.Bytes(r.size)
	var parts [3][]byte
	for i, p := range []presentation.Range{{Addr: r.desc, Size: d}, {Addr: r.avail, Size: a}, {Addr: r.used, Size: u}} {
		b, err := s.userMemory.Bytes(p)
		if err != nil || p.Addr%[]uint64{16, 2, 4}[i] != 0 {
			return fmt.Errorf("start queue %d: part %d at %#x: %w", r.index, i, p.Addr, errOr(err, errProtocol))
		}
		parts[i] = b
	}
	q, err := virtqueue.New(s.memory, r.size, parts[0], parts[1], parts[2], r.base, s.features&featureEventIdx != 0)
	if err != nil {
		return fmt.Errorf("start queue %d: %w", r.index, err)
	}
	r.queue, r.more, r.broken = q, true, nil // there may be requests already
	return nil
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// stop remembers where the queue stands.
func (r *ring) stop() {
	if r.queue != nil {
		r.base = r.queue.Position()
	}
	r.queue, r.more = nil, false
}

// ready reports whether the queue may work.
func (r *ring) ready() bool { return r.queue != nil && r.enabled && r.broken == nil }

// work carries out what is in the queue. An error is about the guest's ring; the
// queue stands still from then on.
func (r *ring) work(s *session, since time.Time) {
	r.more = false
	for n := 0; r.broken == nil; n++ {
		if n == maxRound {
			r.more = true
			break
		}
		ok, err := r.queue.Next(&r.chain)
		if err != nil {
			r.broken = fmt.Errorf("queue %d of %s: %w; its display stands still until its driver resets it", r.index, s.name, err)
			s.report(r.broken)
			break
		}
		if ok {
			r.queue.Done(r.chain.Head, r.answer(s, since))
		} else if !r.queue.Rest() {
			break
		}
	}
	if r.queue.Signal() && r.call >= 0 {
		one := [8]byte{1}
		if _, err := unix.Write(r.call, one[:]); err != nil && err != unix.EAGAIN {
			s.report(fmt.Errorf("interrupt %s: %w", s.name, err))
		}
	}
}

// answer carries out one request, and returns the bytes written to the guest.
func (r *ring) answer(s *session, since time.Time) uint32 {
	r.request = r.request[:0]
	for _, b := range r.chain.Out {
		r.request = append(r.request, b[:min(len(b), maxRequest-len(r.request))]...)
	}
	if r.index == cursorQueue {
		s.device.Cursor(r.request)
		return 0
	}
	r.reply = s.device.Control(r.reply[:0], r.request, since)
	written, left := 0, r.reply
	for _, b := range r.chain.In {
		n := copy(b, left)
		left, written = left[n:], written+n
	}
	return uint32(written)
}

// kicked takes the kick.
func (r *ring) kicked(s *session) {
	var count [8]byte
	if _, err := unix.Read(r.kick, count[:]); err != nil && err != unix.EAGAIN && err != unix.EINTR {
		s.report(fmt.Errorf("read the kick of %s: %w", s.name, err))
		closeFD(&r.kick)
		return
	}
	r.more = binary.LittleEndian.Uint64(count[:]) != 0 || r.more
}

func (r *ring) close() {
	r.stop()
	closeFD(&r.kick)
	closeFD(&r.call)
}

func closeFD(fd *int) {
	if *fd >= 0 {
		_ = unix.Close(*fd) // an eventfd or a socket: there is nothing to be lost
	}
	*fd = -1
}

// checkEvent refuses a descriptor that is no eventfd, as reading it may take any
// time, and makes one that is not wait.
func checkEvent(fd int) error {
	what, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil || what != "anon_inode:[eventfd]" {
		return fmt.Errorf("%w: %q instead of an eventfd", errProtocol, what)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("set up an eventfd: %w", err)
	}
	return nil
}
