package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// Operations of futex, without the private flag (Linux include/uapi/linux/futex.h).
const (
	futexWait    = 0
	futexWake    = 1
	futexOpsMask = 0x7f
)

// futex lets a thread wait until another one says that a word has changed.
func (k *Kernel) futex(addr uintptr, op uintptr, value uint32, timeout uintptr) int64 {
	switch op & futexOpsMask {
	case futexWait:
		return k.futexWait(addr, value, timeout)
	case futexWake:
		return k.futexWake(addr, int64(int32(value)))
	}
	return errNoSys
}

func (k *Kernel) futexWait(addr uintptr, value uint32, timeout uintptr) int64 {
	if mem.Load32(addr) != value {
		return errAgain
	}
	t := k.thread(k.current)
	t.state, t.futex, t.deadline = onFutex, addr, forever
	if timeout != 0 {
		t.deadline = k.after(loadTimespec(timeout))
	}
	return pending
}

// futexWake wakes at most limit waiters and returns how many there were.
func (k *Kernel) futexWake(addr uintptr, limit int64) int64 {
	woken := int64(0)
	for i := range k.threads {
		if woken >= limit {
			break
		}
		if t := &k.threads[i]; t.state == onFutex && t.futex == addr {
			k.wake(i, 0)
			woken++
		}
	}
	return woken
}
