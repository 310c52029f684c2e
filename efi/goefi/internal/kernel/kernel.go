package kernel

import (
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// Kernel is all state of the system-call layer. There is one, a static variable: New cannot exist, because nothing can be
// allocated before the runtime starts. Its only Go pointer is Machine, which has a static initial value.
type Kernel struct {
	Machine Machine

	firmware firmware
	console  console
	frames   frames
	areas    areas
	threads  [MaxThreads]thread
	current  int    // index of the thread that runs
	nextID   uint64 // thread ID for the next clone
	since    uint64 // when the current thread got the processor, in ns
	resched  bool   // the current thread gives up the processor
	events   eventQueue
	actions  [signals]Action
	delivery Delivery // the signal that is being delivered; here because locals must not escape
	wall     uint64   // Unix time in ns when Now was 0
	warned   bool     // the missing source of randomness has been reported

	exiting bool
	status  uintptr // EFI_STATUS for the firmware
	stats   Stats
}

// Stats are counters for tests and diagnostics.
type Stats struct {
	SystemCalls uint64 // all system calls
	Unknown     uint64 // the number of the last system call that is not served
	Interrupts  uint64 // interrupts that arrived in Go code
	PageFaults  uint64 // pages and blocks backed on first touch
	InFirmware  uint64 // those of them that happened in kernel context or in a firmware call
	Signals     uint64 // signal frames built
	Switches    uint64 // changes of the running thread
	Idle        uint64 // nanoseconds without a runnable thread
	Pages       uint64 // pages that the firmware has given, less those returned
	FreePages   uint64 // those of them in hand
	Released    uint64 // pages given back by madvise and munmap
}

// Stats returns the counters so far. It must be called from Go code, not in kernel context.
func (k *Kernel) Stats() Stats {
	s := k.stats
	s.Pages, s.FreePages = uint64(k.frames.pages), uint64(k.frames.free)
	return s
}

// Current is the index of the thread that runs next.
func (k *Kernel) Current() int { return k.current }

// Exiting reports whether the program has ended, and with which EFI_STATUS.
func (k *Kernel) Exiting() (status uintptr, exiting bool) { return k.status, k.exiting }

// Exit ends the program with an EFI_STATUS.
func (k *Kernel) Exit(status uintptr) { k.exiting, k.status = true, status }

// thread returns the thread with the given index, which is always in range; the modulus says so to the compiler.
func (k *Kernel) thread(i int) *thread { return &k.threads[uint(i)%MaxThreads] }

// arg is the i-th argument of the current system call.
func (k *Kernel) arg(i int) uintptr { return uintptr(k.Machine.Argument(k.current, i)) }

// address returns the address of a part of the kernel, for the firmware to write to.
//
// SAFETY: the kernel is a static variable; it does not move and is mapped for the firmware.
func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

const pageSize = mem.PageSize

// roundUp rounds n up to a multiple of to, a power of two.
func roundUp(n, to uintptr) uintptr { return (n + to - 1) &^ (to - 1) }
