package goefi

import (
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi/internal/mem"
)

// Descriptor tables while Go code runs (Intel SDM volume 3 §3.5, §6.14, §8.7). The GDT is the firmware's with a task state
// segment added; through it every interrupt and exception gets a stack of its own, so that the processor never writes to the
// stack of a goroutine, which may be full.
var (
	gdt         [maxGDT]uint64
	idt         [2 * vectors]uint64 // for Go code: all vectors are ours
	firmwareIDT [2 * vectors]uint64 // for firmware calls: the firmware's, but page faults are ours
	tss         [tssSize / 8]uint64
)

const (
	maxGDT  = 512 // entries
	vectors = 256
	tssSize = 104

	stubSize = 5 // bytes of code per vector in trapStubs

	// Exceptions by vector (Intel SDM volume 3 table 6-1).
	vectorDivide       = 0
	vectorNMI          = 2
	vectorBreakpoint   = 3
	vectorOpcode       = 6
	vectorDoubleFault  = 8
	vectorPageFault    = 14
	vectorFloat        = 16
	vectorMachineCheck = 18
	vectorSIMD         = 19
	firstInterrupt     = 32

	// withErrorCode has a bit for each vector for which the processor pushes an error code.
	withErrorCode = 1<<8 | 1<<10 | 1<<11 | 1<<12 | 1<<13 | 1<<14 | 1<<17 | 1<<21 | 1<<29 | 1<<30
)

// Interrupt stacks. An exception that can come at any instruction, also while another one is being entered, has its own.
const (
	stackTrap = iota + 1
	stackDoubleFault
	stackNMI
	stackMachineCheck

	interruptStacks    = stackMachineCheck
	interruptStackSize = 4 * mem.PageSize
)

// prepareDescriptors builds the tables. It reports false if the firmware's GDT is too large or there is no memory.
func prepareDescriptors() bool {
	words := (tableLimit(&firmwareState.gdtr) + 8) / 8
	if words+2 > maxGDT {
		return false
	}
	// SAFETY: the tables are static variables; the processor keeps their addresses.
	base := uintptr(unsafe.Pointer(&gdt))
	mem.Copy(base, tableBase(&firmwareState.gdtr), words*8)
	task := uintptr(unsafe.Pointer(&tss))
	mem.Store64(base+words*8, taskDescriptor(task))
	mem.Store64(base+words*8+8, uint64(task)>>32)
	goState.gdtr = tableRegister(base, uint64(words+2)*8)
	goState.tr = uint64(words) * 8

	for i := uintptr(1); i <= interruptStacks; i++ {
		top := kern.MapStack(interruptStackSize)
		if top == 0 {
			return false
		}
		setInterruptStack(task, i, top)
	}
	for v := range uint64(vectors) {
		setGate(uintptr(unsafe.Pointer(&idt)), v)
	}
	goState.idtr = tableRegister(uintptr(unsafe.Pointer(&idt)), uint64(unsafe.Sizeof(idt)))
	callState.idtr = tableRegister(uintptr(unsafe.Pointer(&firmwareIDT)), uint64(unsafe.Sizeof(firmwareIDT)))
	copyFirmwareIDT()
	return true
}

// copyFirmwareIDT refreshes the table for firmware calls, where page faults are ours: a pointer that Go code passes may lead to
// a page that it has not touched yet.
func copyFirmwareIDT() {
	copied := uintptr(unsafe.Pointer(&firmwareIDT))
	size := min(tableLimit(&firmwareState.idtr)+1, unsafe.Sizeof(firmwareIDT))
	mem.Copy(copied, tableBase(&firmwareState.idtr), size)
	setGate(copied, vectorPageFault)
}

// taskDescriptor is the lower half of the descriptor of an available 64-bit task state segment.
func taskDescriptor(base uintptr) uint64 {
	const available = 0x89 << 40 // present, system, type 9
	b := uint64(base)
	return tssSize - 1 | b&0xffffff<<16 | available | b>>24&0xff<<56
}

// setInterruptStack enters a stack into a task state segment, which has seven of them from offset 0x24. The I/O map base at its
// end says that there is no map.
func setInterruptStack(task, i, top uintptr) {
	const (
		firstStack = 0x24
		ioMapBase  = 0x66
	)
	mem.Store64(task+firstStack+(i-1)*8, uint64(top))
	mem.Store16(task+ioMapBase, tssSize)
}

// setGate makes a vector of an IDT lead to our stub for it.
func setGate(table uintptr, vector uint64) {
	const interruptGate = 0x8e << 40 // present, interrupts off on entry
	stack := uint64(stackTrap)
	switch vector {
	case vectorDoubleFault:
		stack = stackDoubleFault
	case vectorNMI:
		stack = stackNMI
	case vectorMachineCheck:
		stack = stackMachineCheck
	}
	pc := trapStubsPC + vector*stubSize
	gate := table + uintptr(vector)*16
	mem.Store64(gate, pc&0xffff|firmwareState.cs<<16|stack<<32|interruptGate|pc>>16&0xffff<<48)
	mem.Store64(gate+8, pc>>32)
}

// firmwareHandler is where the firmware serves a vector, or 0.
func firmwareHandler(vector uint64) uintptr {
	if vector*16+15 > uint64(tableLimit(&firmwareState.idtr)) {
		return 0
	}
	gate := tableBase(&firmwareState.idtr) + uintptr(vector)*16
	low := mem.Load64(gate)
	if present := low >> 47 & 1; present == 0 {
		return 0
	}
	return uintptr(low&0xffff | low>>48<<16 | mem.Load64(gate+8)<<32)
}
