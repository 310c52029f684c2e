package kernel

import "syscall"

// FirmwareCall is the number of goefi's private system call: the arguments are a function of the firmware, the address of
// its twelve arguments, and 1 for a native call. Its result is the function's. Linux has no call of this number.
const FirmwareCall = 0x1000

// SystemCall serves the system call that the current thread has made, up to the choice of the thread that runs next.
func (k *Kernel) SystemCall() {
	k.stats.SystemCalls++
	caller := k.current
	result := k.dispatch(k.Machine.CallNumber(caller))
	if result != pending {
		k.Machine.SetResult(caller, result)
	}
	if !k.exiting && (k.resched || k.thread(caller).state != runnable) {
		k.resched = false
		k.schedule()
	}
	k.Settle()
}

// dispatch is the table of system calls that the Go runtime makes on Linux; the most frequent are in the first switch.
func (k *Kernel) dispatch(number uint64) int64 {
	switch number {
	case syscall.SYS_CLOCK_GETTIME:
		return k.clockGettime(k.arg(0), k.arg(1))
	case syscall.SYS_FUTEX:
		return k.futex(k.arg(0), k.arg(1), uint32(k.arg(2)), k.arg(3))
	case syscall.SYS_NANOSLEEP:
		return k.nanosleep(k.arg(0))
	case syscall.SYS_EPOLL_PWAIT:
		return k.epollWait(k.arg(1), int32(k.arg(3)))
	case syscall.SYS_SCHED_YIELD:
		k.resched = true
		return 0
	case FirmwareCall:
		return k.firmwareCall(k.arg(0), k.arg(1), k.arg(2) != 0)
	case syscall.SYS_MMAP, syscall.SYS_MUNMAP, syscall.SYS_MADVISE:
		return k.memoryCall(number)
	case syscall.SYS_RT_SIGACTION, syscall.SYS_RT_SIGPROCMASK, syscall.SYS_RT_SIGRETURN, syscall.SYS_SIGALTSTACK, syscall.SYS_TGKILL:
		return k.signalCall(number)
	case syscall.SYS_CLONE, syscall.SYS_EXIT, syscall.SYS_EXIT_GROUP, syscall.SYS_GETPID, syscall.SYS_GETTID, syscall.SYS_SCHED_GETAFFINITY:
		return k.processCall(number)
	}
	return k.fileCall(number)
}

func (k *Kernel) memoryCall(number uint64) int64 {
	switch number {
	case syscall.SYS_MMAP:
		return k.mmap(k.arg(0), k.arg(1), k.arg(2), k.arg(3))
	case syscall.SYS_MUNMAP:
		return k.munmap(k.arg(0), k.arg(1))
	}
	return k.madvise(k.arg(0), k.arg(1), k.arg(2))
}

func (k *Kernel) signalCall(number uint64) int64 {
	switch number {
	case syscall.SYS_RT_SIGACTION:
		return k.sigaction(k.arg(0), k.arg(1), k.arg(2))
	case syscall.SYS_RT_SIGPROCMASK:
		return k.sigprocmask(k.arg(0), k.arg(1), k.arg(2))
	case syscall.SYS_RT_SIGRETURN:
		return k.sigreturn()
	case syscall.SYS_SIGALTSTACK:
		return k.sigaltstack(k.arg(0), k.arg(1))
	}
	return k.tgkill(uint64(k.arg(1)), k.arg(2))
}

func (k *Kernel) processCall(number uint64) int64 {
	switch number {
	case syscall.SYS_CLONE:
		return k.clone()
	case syscall.SYS_EXIT:
		return k.exitThread()
	case syscall.SYS_EXIT_GROUP:
		k.Exit(exitStatus(k.arg(0)))
		return pending
	case syscall.SYS_GETPID:
		return 1
	case syscall.SYS_SCHED_GETAFFINITY:
		return affinity(k.arg(1), k.arg(2))
	}
	return int64(k.thread(k.current).id)
}

func (k *Kernel) fileCall(number uint64) int64 {
	switch number {
	case syscall.SYS_READ:
		return k.read(k.arg(0), k.arg(1), k.arg(2))
	case syscall.SYS_WRITE:
		return k.write(k.arg(0), k.arg(1), k.arg(2))
	case syscall.SYS_CLOSE:
		return 0
	case syscall.SYS_FCNTL:
		return fcntl(k.arg(0), k.arg(1))
	case syscall.SYS_OPENAT:
		return errNoEntry
	case syscall.SYS_EPOLL_CREATE1:
		return epoll
	case syscall.SYS_EVENTFD2:
		return event
	case syscall.SYS_EPOLL_CTL:
		return k.epollCtl(k.arg(1), k.arg(2), k.arg(3))
	case sysGetrandom:
		return k.getrandom(k.arg(0), k.arg(1))
	}
	return k.otherCall(number)
}

// otherCall is for calls that only one architecture has and for those that are not served: the runtime and package os live
// with ENOSYS for all of them (prlimit64, prctl, getcwd and so on).
func (k *Kernel) otherCall(number uint64) int64 {
	result := k.Machine.OwnCall(k.current)
	if result == errNoSys {
		k.stats.Unknown = number
	}
	return result
}
