package kernel

import (
	"syscall"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// File descriptors. The last two are what the runtime's network poller makes for itself.
const (
	stdin  = 0
	stdout = 1
	stderr = 2
	epoll  = 3
	event  = 4
)

// eventQueue is the one epoll instance and the one eventfd in it, with which the runtime wakes a thread out of epoll_pwait.
type eventQueue struct {
	count uint64 // of the eventfd
	added bool   // the eventfd is in the epoll instance
	data  uint64 // to be returned with its events
}

// In struct epoll_event the data follow the events mask, packed or not as the architecture has it.
const (
	eventData = unsafe.Offsetof(syscall.EpollEvent{}.Fd)
	pollIn    = 1
)

// epollCtl accepts the eventfd only: no other file can be polled, and the runtime takes EPERM as just that.
func (k *Kernel) epollCtl(op, fd, ev uintptr) int64 {
	if op != syscall.EPOLL_CTL_ADD || fd != event {
		return errPerm
	}
	k.events.added, k.events.data = true, mem.Load64(ev+eventData)
	return 0
}

// epollWait waits for the eventfd, for at most timeout milliseconds if that is not negative.
func (k *Kernel) epollWait(events uintptr, timeout int32) int64 {
	t := k.thread(k.current)
	t.events = events
	switch {
	case k.events.added && k.events.count != 0:
		return k.reportEvent(t)
	case timeout == 0:
		return 0
	}
	t.state, t.deadline = onEvents, forever
	if timeout > 0 {
		t.deadline = k.after(uint64(timeout) * 1_000_000)
	}
	return pending
}

// reportEvent stores the event for a thread in epoll_pwait and returns the number of events.
func (k *Kernel) reportEvent(t *thread) int64 {
	mem.Store32(t.events, pollIn)
	mem.Store64(t.events+eventData, k.events.data)
	return 1
}

// eventRead takes the eventfd's count.
func (k *Kernel) eventRead(to, size uintptr) int64 {
	switch {
	case size < 8:
		return errInvalid
	case k.events.count == 0:
		return errAgain
	}
	mem.Store64(to, k.events.count)
	k.events.count = 0
	return 8
}

// eventWrite adds to the eventfd's count and wakes those who wait for it.
func (k *Kernel) eventWrite(from, size uintptr) int64 {
	if size < 8 {
		return errInvalid
	}
	k.events.count += mem.Load64(from)
	if !k.events.added || k.events.count == 0 {
		return 8
	}
	for i := range k.threads {
		if t := &k.threads[i]; t.state == onEvents {
			k.wake(i, k.reportEvent(t))
		}
	}
	return 8
}
