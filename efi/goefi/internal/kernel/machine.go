package kernel

// Machine is what the kernel needs of one processor architecture. Threads are named by their index.
//
// The kernel and the machine call each other on one stack; nothing here needs to be safe for concurrent use.
type Machine interface {
	Registers
	Clock
	AddressSpace
	Gate
}

// Registers are the saved processor state of each thread.
type Registers interface {
	// CallNumber is the number of the system call that the thread makes.
	CallNumber(thread int) uint64
	// Argument is its i-th argument, from 0 to 5.
	Argument(thread, i int) uint64
	// SetResult is what the system call returns: a value, or a negated errno.
	SetResult(thread int, value int64)
	// OwnCall serves a system call that only this architecture has, or returns -ENOSYS.
	OwnCall(thread int) int64
	// Start makes the first thread begin at the Go program's entry point, with the stack pointer at the argument vector.
	Start(thread int, stack uintptr)
	// Clone makes child continue where parent is in its clone call, on the stack and thread pointer of its arguments.
	Clone(child, parent int)
	// PushSignal builds the Linux signal frame described by d and makes the thread continue in its handler.
	PushSignal(thread int, d *Delivery)
	// PopSignal undoes PushSignal for rt_sigreturn and returns the signal mask of the frame.
	PopSignal(thread int) (mask uint64)
}

// Clock is time and idleness.
type Clock interface {
	// Now is the time since start in nanoseconds. It never goes back.
	Now() uint64
	// Window lets the firmware serve the interrupts that are pending.
	Window()
	// Wait idles until the next interrupt has been served by the firmware.
	Wait()
}

// AddressSpace is the translation of addresses while Go code runs. Blocks are BlockSize large and aligned.
type AddressSpace interface {
	// Slots is the number of top-level parts of the address space, each SlotSize large, which a program may use.
	Slots() int
	// SlotFree reports whether the firmware has nothing in a slot.
	SlotFree(slot int) bool
	// MapPage backs the page at virt, readable and writable, never executable. False: no memory for a table.
	MapPage(virt, phys uintptr) bool
	// MapBlock is MapPage for a whole block. False also when there are single pages in it already.
	MapBlock(virt, phys uintptr) bool
	// Lookup says what backs virt: 0 for nothing, else the physical address of the page or block. size is how much around
	// virt has the same answer: PageSize, BlockSize or more.
	Lookup(virt uintptr) (phys, size uintptr)
	// Unmap removes the page or block at virt, which Lookup has found.
	Unmap(virt uintptr)
	// Split turns the block at virt into single pages. False: no memory for a table.
	Split(virt uintptr) bool
	// Hide makes a page of the firmware's own identity mapping fault in Go code.
	Hide(virt uintptr) bool
	// Protect takes away write or execute access to a page of the firmware's identity mapping in Go code.
	Protect(virt uintptr, write, execute bool) bool
}

// Gate is the way to the firmware and to the hardware that is used without it.
type Gate interface {
	// CallFirmware calls a firmware function with the twelve words at args, interrupts open.
	CallFirmware(fn, args uintptr) uintptr
	// CallNative is CallFirmware with all of the firmware's own processor state, for calls that start other programs.
	CallNative(fn, args uintptr) uintptr
	// Serial sends one byte to the first serial port, if there is one.
	Serial(c byte)
	// Random returns a word of the processor's random number generator, if it has one that works.
	Random() (word uint64, ok bool)
	// Ticks is a raw counter, for seeds only.
	Ticks() uint64
}

// Sizes that both supported page-table formats share.
const (
	BlockSize = 2 << 20
	SlotSize  = 1 << 39
)
