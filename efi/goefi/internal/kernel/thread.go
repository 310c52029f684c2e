package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// MaxThreads bounds the threads of a program. The runtime makes about five; one per goroutine that is locked to its thread
// comes on top. A power of two.
const MaxThreads = 64

// forever is the deadline of a thread that waits without one.
const forever = ^uint64(0)

type state uint8

const (
	unused   state = iota
	runnable       // or running
	asleep         // in nanosleep
	onFutex
	onEvents // in epoll_pwait
)

// thread is what every architecture needs of a thread; the registers are the machine's.
type thread struct {
	state    state
	id       uint64
	deadline uint64   // when a waiting thread goes on in any case, in ns
	futex    uintptr  // the address it waits on
	events   uintptr  // where epoll_pwait stores the event
	mask     uint64   // blocked signals
	pending  uint64   // signals sent to it
	alt      AltStack // of its signal handlers
}

// wake makes a waiting thread runnable; its system call returns result.
func (k *Kernel) wake(i int, result int64) {
	k.thread(i).state = runnable
	k.Machine.SetResult(i, result)
}

// clone starts a thread. The runtime always passes the same flags (shared memory, files and signals); the machine honours
// the stack and the thread pointer.
func (k *Kernel) clone() int64 {
	parent := k.thread(k.current)
	for i := range k.threads {
		if k.threads[i].state != unused {
			continue
		}
		k.threads[i] = thread{state: runnable, id: k.nextID, mask: parent.mask, alt: AltStack{Flags: altDisabled}}
		k.nextID++
		k.Machine.Clone(i, k.current)
		return int64(k.threads[i].id)
	}
	return errAgain
}

// exitThread ends the current thread.
func (k *Kernel) exitThread() int64 {
	k.thread(k.current).state = unused
	return pending
}

// tgkill sends a signal to a thread. It is seen when that thread next continues in Go code.
func (k *Kernel) tgkill(id uint64, signal uintptr) int64 {
	if signal == 0 || signal >= signals {
		return errInvalid
	}
	for i := range k.threads {
		if t := &k.threads[i]; t.state != unused && t.id == id {
			t.pending |= 1 << (signal - 1)
			return 0
		}
	}
	return errNoThread
}

// affinity reports one processor: boot services run on one.
func affinity(size, set uintptr) int64 {
	if size < 8 {
		return errInvalid
	}
	mem.Store64(set, 1)
	return 8
}
