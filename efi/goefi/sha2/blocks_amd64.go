package sha2

// hasExtensions reports whether the processor has the instructions that digestBlocks uses, SHA, SSSE3 and SSE4.1, by CPUID
// (Intel SDM volume 2, CPUID, leaves 1 and 7).
func hasExtensions() bool

// digestBlocks digests data, which is a whole number of 64-byte blocks, into the state. In assembly, as Go has no other way to
// these instructions. A goroutine in it is not preempted before its end.
//
// Preconditions: hasExtensions; len(data) is a multiple of 64. It need not be aligned.
//
//go:noescape
func digestBlocks(state *[8]uint32, data []byte)
