package kernel

import (
	"strings"
	"syscall"
	"testing"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// started returns a kernel with a running first thread.
func started(t *testing.T) (*Kernel, *fakeMachine) {
	t.Helper()
	k, m := newKernel(t)
	if !k.Start() {
		t.Fatal("the kernel does not start")
	}
	return k, m
}

// clone starts a thread and returns its index; the caller goes on running.
func clone(t *testing.T, k *Kernel, m *fakeMachine) int {
	t.Helper()
	caller := m.system(k, syscall.SYS_CLONE)
	id := m.regs[caller].result
	for i := range k.threads {
		if k.threads[i].state != unused && int64(k.threads[i].id) == id {
			return i
		}
	}
	t.Fatalf("clone returned %d", id)
	return 0
}

func timespec(d uint64) (uint64, *[2]uint64) {
	ts := &[2]uint64{d / second, d % second}
	return uint64(address(ts)), ts
}

func TestYieldGoesRound(t *testing.T) {
	k, m := started(t)
	a, b := clone(t, k, m), clone(t, k, m)
	for _, want := range []int{a, b, 0, a, b, 0} {
		m.system(k, syscall.SYS_SCHED_YIELD)
		if k.Current() != want {
			t.Fatalf("thread %d runs, want %d", k.Current(), want)
		}
	}
}

func TestCloneUntilFull(t *testing.T) {
	k, m := started(t)
	seen := map[int]bool{0: true}
	for range MaxThreads - 1 {
		i := clone(t, k, m)
		if seen[i] || m.regs[i].clonedOf != 0 {
			t.Fatalf("thread %d: seen %v, cloned of %d", i, seen[i], m.regs[i].clonedOf)
		}
		seen[i] = true
	}
	if m.system(k, syscall.SYS_CLONE); m.regs[0].result != errAgain {
		t.Errorf("one more clone returns %d, want EAGAIN", m.regs[0].result)
	}
	// A thread that ends makes room.
	m.system(k, syscall.SYS_SCHED_YIELD)
	ended := m.system(k, syscall.SYS_EXIT)
	if k.Current() == ended {
		t.Fatal("a thread runs on after its end")
	}
	if got := clone(t, k, m); got != ended {
		t.Errorf("the new thread is %d, want the place of %d", got, ended)
	}
}

func TestFutex(t *testing.T) {
	word := new(uint32)
	addr := uint64(address(word))
	const wait, wake = futexWait | 128, futexWake | 128 // private
	t.Run("value has changed", func(t *testing.T) {
		k, m := started(t)
		*word = 5
		if m.system(k, syscall.SYS_FUTEX, addr, wait, 4, 0); m.regs[0].result != errAgain {
			t.Errorf("result %d, want EAGAIN", m.regs[0].result)
		}
	})
	t.Run("woken by number", func(t *testing.T) {
		k, m := started(t)
		for range 3 {
			clone(t, k, m)
		}
		*word = 7
		for range 3 { // threads 0, 1 and 2 go to sleep
			m.system(k, syscall.SYS_FUTEX, addr, wait, 7, 0)
		}
		if k.Current() != 3 {
			t.Fatalf("thread %d runs", k.Current())
		}
		if m.system(k, syscall.SYS_FUTEX, addr, wake, 2); m.regs[3].result != 2 {
			t.Errorf("woke %d, want 2", m.regs[3].result)
		}
		if m.system(k, syscall.SYS_FUTEX, addr, wake, 9); m.regs[3].result != 1 {
			t.Errorf("woke %d, want the last one", m.regs[3].result)
		}
		if m.system(k, syscall.SYS_FUTEX, addr+8, wake, 9); m.regs[3].result != 0 {
			t.Errorf("woke %d at an address where none waits", m.regs[3].result)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		k, m := started(t)
		*word = 7
		ts, _ := timespec(25_000_000)
		m.system(k, syscall.SYS_FUTEX, addr, wait, 7, ts)
		if m.regs[0].result != errTimedOut || m.now < 25_000_000 {
			t.Errorf("result %d at %d ns, want ETIMEDOUT after 25 ms", m.regs[0].result, m.now)
		}
		if m.waits == 0 || m.windows == 0 {
			t.Errorf("%d halts and %d windows: want halts while the deadline is far, windows when it is near", m.waits, m.windows)
		}
	})
	t.Run("unknown operation", func(t *testing.T) {
		k, m := started(t)
		if m.system(k, syscall.SYS_FUTEX, addr, 9, 7, 0); m.regs[0].result != errNoSys {
			t.Errorf("result %d, want ENOSYS", m.regs[0].result)
		}
	})
}

func TestSleepersWakeInOrder(t *testing.T) {
	k, m := started(t)
	clone(t, k, m)
	long, keep := timespec(40_000_000)
	short, keep2 := timespec(15_000_000)
	m.system(k, syscall.SYS_NANOSLEEP, long)
	m.system(k, syscall.SYS_NANOSLEEP, short)
	if k.Current() != 1 || m.now < 15_000_000 || m.now > 40_000_000 {
		t.Fatalf("thread %d runs at %d ns, want the one that sleeps less", k.Current(), m.now)
	}
	m.system(k, syscall.SYS_EXIT)
	if k.Current() != 0 || m.now < 40_000_000 {
		t.Errorf("thread %d runs at %d ns", k.Current(), m.now)
	}
	_, _ = keep, keep2
}

func TestTickTakesTheProcessorAway(t *testing.T) {
	k, m := started(t)
	other := clone(t, k, m)
	m.now += timeSlice / 2
	if k.Tick(); k.Current() != 0 {
		t.Error("a thread loses the processor before its time is over")
	}
	m.now += timeSlice
	if k.Tick(); k.Current() != other {
		t.Error("a thread keeps the processor after its time is over")
	}
	// One that wakes up runs at once, not after a slice.
	ts, keep := timespec(1_000_000)
	m.system(k, syscall.SYS_NANOSLEEP, ts)
	m.now += 1_000_000
	if k.Tick(); k.Current() != other {
		t.Error("a sleeper is not run at the interrupt after its deadline")
	}
	_ = keep
}

func TestAllThreadsWaitForEver(t *testing.T) {
	k, m := started(t)
	word := new(uint32)
	m.system(k, syscall.SYS_FUTEX, uint64(address(word)), futexWait, 0, 0)
	status, exiting := k.Exiting()
	if !exiting || status != statusAborted {
		t.Errorf("exiting %v with %#x, want EFI_ABORTED", exiting, status)
	}
	if !strings.Contains(string(m.serial), "wait for ever") {
		t.Errorf("the serial port shows %q", m.serial)
	}
}

func TestEvents(t *testing.T) {
	type epollEvent [16]byte
	add := &epollEvent{}
	got := &epollEvent{}
	addr := uint64(address(add))
	mem.Store64(address(add)+eventData, 0x1122334455667788)
	one := new(uint64)
	*one = 1
	from := uint64(address(one))

	k, m := started(t)
	waiter := clone(t, k, m)
	call := func(want int64, number uint64, args ...uint64) {
		t.Helper()
		if thread := m.system(k, number, args...); m.regs[thread].result != want {
			t.Fatalf("call %d returns %d, want %d", number, m.regs[thread].result, want)
		}
	}
	call(epoll, syscall.SYS_EPOLL_CREATE1)
	call(event, syscall.SYS_EVENTFD2)
	call(errPerm, syscall.SYS_EPOLL_CTL, epoll, syscall.EPOLL_CTL_ADD, stdin, addr)
	call(0, syscall.SYS_EPOLL_PWAIT, epoll, uint64(address(got)), 1, 0)
	call(0, syscall.SYS_EPOLL_CTL, epoll, syscall.EPOLL_CTL_ADD, event, addr)
	call(errAgain, syscall.SYS_READ, event, from, 8)
	call(errInvalid, syscall.SYS_WRITE, event, from, 4)

	m.system(k, syscall.SYS_SCHED_YIELD)
	m.system(k, syscall.SYS_EPOLL_PWAIT, epoll, uint64(address(got)), 1, ^uint64(0))
	if k.Current() != 0 {
		t.Fatal("epoll_pwait does not block")
	}
	call(8, syscall.SYS_WRITE, event, from, 8)
	if k.threads[waiter].state != runnable || m.regs[waiter].result != 1 {
		t.Fatalf("the waiter is in state %d with result %d", k.threads[waiter].state, m.regs[waiter].result)
	}
	if mask, data := mem.Load32(address(got)), mem.Load64(address(got)+eventData); mask != pollIn || data != 0x1122334455667788 {
		t.Errorf("event %#x with data %#x", mask, data)
	}
	call(1, syscall.SYS_EPOLL_PWAIT, epoll, uint64(address(got)), 1, ^uint64(0)) // the count is still there
	call(8, syscall.SYS_READ, event, from, 8)
	if *one != 1 {
		t.Errorf("read a count of %d", *one)
	}
	m.system(k, syscall.SYS_SCHED_YIELD)
	m.system(k, syscall.SYS_EXIT)
	before := m.now
	call(0, syscall.SYS_EPOLL_PWAIT, epoll, uint64(address(got)), 1, 30)
	if m.now-before < 30_000_000 {
		t.Errorf("a timeout of 30 ms took %d ns", m.now-before)
	}
}
