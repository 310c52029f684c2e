package goefi

import "math/bits"

// The clock is the time-stamp counter. Its rate comes from CPUID where the processor or the hypervisor tells it, else from a
// comparison with the firmware's Stall.
var (
	clockStart uint64 // counter when the application was entered
	clockRate  uint64 // nanoseconds per tick, as a 32.32 fixed-point number
	mayHalt    bool   // the counter goes on while the processor is halted
)

const (
	calibrationSamples = 3
	calibrationStall   = 1000 // microseconds each

	cpuidHypervisor = 1 << 31 // leaf 1, ECX
	cpuidInvariant  = 1 << 8  // leaf 0x80000007, EDX
)

// cpuidLeaf is what CPUID returns.
type cpuidLeaf struct{ a, b, c, d uint32 }

// clockLeaves are the CPUID leaves that say something about the time-stamp counter; zero where there is no such leaf.
type clockLeaves struct {
	crystal    cpuidLeaf // 0x15
	frequency  cpuidLeaf // 0x16
	hypervisor cpuidLeaf // 0x40000010, of VMware, QEMU with KVM and others
	power      cpuidLeaf // 0x80000007
	features   cpuidLeaf // 1
}

// readClockLeaves asks the processor.
func readClockLeaves() clockLeaves {
	const (
		timingLeaf     = 0x40000010
		hypervisorLeaf = 0x40000000
		powerLeaf      = 0x80000007
		extendedLeaf   = 0x80000000
	)
	l := clockLeaves{features: readCPUID(1)}
	if highest := readCPUID(0).a; highest >= 0x16 {
		l.crystal, l.frequency = readCPUID(0x15), readCPUID(0x16)
	} else if highest == 0x15 {
		l.crystal = readCPUID(0x15)
	}
	if l.features.c&cpuidHypervisor != 0 && readCPUID(hypervisorLeaf).a >= timingLeaf {
		l.hypervisor = readCPUID(timingLeaf)
	}
	if readCPUID(extendedLeaf).a >= powerLeaf {
		l.power = readCPUID(powerLeaf)
	}
	return l
}

// hertz is the counter's frequency as CPUID gives it, or 0 if it does not or if that cannot be.
func (l *clockLeaves) hertz() uint64 {
	const (
		slowest = 100_000_000
		fastest = 20_000_000_000
	)
	hertz := l.reported()
	if hertz < slowest || hertz > fastest {
		return 0
	}
	return hertz
}

// reported follows Intel SDM volume 3 §19.7.3: without the crystal's frequency the nominal frequency of the processor is that of
// the counter.
func (l *clockLeaves) reported() uint64 {
	ratio := l.crystal.a != 0 && l.crystal.b != 0
	switch {
	case l.hypervisor.a != 0:
		return uint64(l.hypervisor.a) * 1000 // kHz
	case ratio && l.crystal.c != 0:
		if a := uint64(l.crystal.a); a != 0 {
			return uint64(l.crystal.c) * uint64(l.crystal.b) / a
		}
	case ratio && l.frequency.a&0xffff != 0:
		return uint64(l.frequency.a&0xffff) * 1_000_000
	}
	return 0
}

// haltable reports whether the processor may be halted without stopping the counter: when it is invariant, or virtual.
func (l *clockLeaves) haltable() bool {
	return l.power.d&cpuidInvariant != 0 || l.features.c&cpuidHypervisor != 0
}

// prepareClock sets the rate. It reports false if the counter does not count.
func prepareClock() bool {
	leaves := readClockLeaves()
	mayHalt = leaves.haltable()
	if hertz := leaves.hertz(); hertz != 0 {
		clockRate = 1_000_000_000 << 32 / hertz
		return true
	}
	// A stall is never too short, so the shortest is the best.
	best := ^uint64(0)
	for range calibrationSamples {
		before := readCounter()
		kern.Stall(calibrationStall)
		best = min(best, readCounter()-before)
	}
	if best != 0 {
		clockRate = calibrationStall * 1000 << 32 / best
	}
	return clockRate != 0
}

// Now never goes back, since boot services run on one processor.
func (*machine) Now() uint64 {
	high, low := bits.Mul64(readCounter()-clockStart, clockRate)
	return high<<32 | low>>32
}

// Ticks is the raw counter.
func (*machine) Ticks() uint64 { return readCounter() }

// Window opens interrupts for a moment, in the firmware's state.
func (*machine) Window() { interruptWindow() }

// Wait halts until the next interrupt where that does not stop the clock.
func (*machine) Wait() {
	if mayHalt {
		halt()
	} else {
		interruptWindow()
	}
}

func readCPUID(leaf uint32) cpuidLeaf {
	a, b, c, d := cpuid(leaf, 0)
	return cpuidLeaf{a, b, c, d}
}

// cpuid and readCounter are the instructions CPUID and RDTSC.
func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

func readCounter() uint64

// interruptWindow lets the firmware serve pending interrupts.
//
// Preconditions: kernel context, interrupts off. They are off again afterwards.
func interruptWindow()

// halt is interruptWindow after a wait for the next interrupt.
func halt()
