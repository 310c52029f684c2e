package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// mainStackSize is for the first thread. The runtime takes the upper 64 KiB of it as the stack of its own work (rt0_go).
const mainStackSize = 96 << 10

// stringSpace is the top of the main stack, for the arguments' text and the seed.
const stringSpace = 8 << 10

// Entries of the auxiliary vector (Linux include/uapi/linux/auxvec.h).
const (
	auxNull     = 0
	auxPageSize = 6
	auxSecure   = 23
	auxRandom   = 25
)

// Start makes the first thread. The machine's address space is ready. On false the program cannot start; the reason has been
// reported.
func (k *Kernel) Start() bool {
	k.readWallClock()
	top := k.MapStack(mainStackSize)
	if top == 0 || !k.guardImage() {
		k.Report("goefi: not enough memory to start\n")
		k.Exit(statusOutOfResources)
		return false
	}
	t := k.thread(0)
	*t = thread{state: runnable, id: 1, alt: AltStack{Flags: altDisabled}}
	k.nextID = 2
	k.Machine.Start(0, k.argumentVector(top))
	k.refill()
	return true
}

// argumentVector lays out what a Linux program finds on its stack: argc, argv, an empty environment, and the auxiliary vector
// (System V ABI for x86-64 §3.4.1, the same for all). It returns the stack pointer.
func (k *Kernel) argumentVector(top uintptr) uintptr {
	seed := top - 16
	mem.Store64(seed, k.seed())
	mem.Store64(seed+8, k.seed())

	var args arguments
	args.next, args.end = top-stringSpace, seed
	k.readArguments(&args)

	aux := [...]uintptr{auxPageSize, pageSize, auxSecure, 0, auxRandom, seed, auxNull, 0}
	words := 1 + args.n + 1 + 1 + len(aux)
	sp := (top - stringSpace - uintptr(words)*8) &^ 15
	at := sp
	push := func(w uintptr) {
		mem.StoreWord(at, w)
		at += 8
	}
	push(uintptr(args.n))
	for i := range args.n {
		push(args.start[i%maxArguments])
	}
	push(0)
	push(0)
	for _, w := range aux {
		push(w)
	}
	return sp
}
