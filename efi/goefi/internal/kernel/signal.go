package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

// signals is one more than the highest signal number.
const signals = 65

// Action is a struct sigaction as the kernel has it, four words on every 64-bit architecture.
type Action struct {
	Handler, Flags, Restorer, Mask uint64
}

// Flags of actions and of alternate stacks (Linux include/uapi/asm-generic/signal-defs.h, linux/signal.h).
const (
	handlerIgnore = 1 // SIG_IGN; 0 is SIG_DFL
	flagOnStack   = 0x08000000
	altDisabled   = 2 // SS_DISABLE

	codeThreadKill = -6 // SI_TKILL
)

// AltStack is a stack_t: the stack for signal handlers of a thread.
type AltStack struct {
	Start, Flags, Size uint64
}

// Delivery is one signal for one thread, as PushSignal needs it.
type Delivery struct {
	Signal  uint64
	Code    int32
	Address uint64 // the fault's
	Mask    uint64 // of the thread, before the handler runs
	Action  Action
	Alt     AltStack // of the thread
}

// Stack is where the frame for a handler begins, downwards: on the alternate stack if the action asks for it and the thread
// has one that it is not on already, else below sp, less redZone bytes that the architecture lets a function use there.
func (d *Delivery) Stack(sp, redZone uint64) uint64 {
	a := &d.Alt
	if d.Action.Flags&flagOnStack != 0 && a.Flags&altDisabled == 0 && a.Size != 0 && sp-a.Start-1 >= a.Size {
		return a.Start + a.Size
	}
	return sp - redZone
}

// sigaction sets and returns what is done about a signal.
func (k *Kernel) sigaction(signal, set, old uintptr) int64 {
	if signal == 0 || signal >= signals {
		return errInvalid
	}
	action := &k.actions[signal]
	if old != 0 {
		mem.Copy(old, address(action), 4*8)
	}
	if set != 0 {
		mem.Copy(address(action), set, 4*8)
	}
	return 0
}

// Ways to change the mask of blocked signals (Linux include/uapi/asm-generic/signal-defs.h).
const (
	maskBlock   = 0
	maskUnblock = 1
	maskSet     = 2
)

func (k *Kernel) sigprocmask(how, set, old uintptr) int64 {
	t := k.thread(k.current)
	before := t.mask
	if set != 0 {
		switch mask := mem.Load64(set); how {
		case maskBlock:
			t.mask |= mask
		case maskUnblock:
			t.mask &^= mask
		case maskSet:
			t.mask = mask
		default:
			return errInvalid
		}
	}
	if old != 0 {
		mem.Store64(old, before)
	}
	return 0
}

func (k *Kernel) sigaltstack(set, old uintptr) int64 {
	t := k.thread(k.current)
	if old != 0 {
		mem.Store64(old, t.alt.Start)
		mem.Store64(old+8, t.alt.Flags)
		mem.Store64(old+16, t.alt.Size)
	}
	if set != 0 {
		t.alt = AltStack{Start: mem.Load64(set), Flags: uint64(mem.Load32(set + 8)), Size: mem.Load64(set + 16)}
	}
	return 0
}

// sigreturn continues what a signal has interrupted.
func (k *Kernel) sigreturn() int64 {
	k.thread(k.current).mask = k.Machine.PopSignal(k.current)
	return pending
}

// deliver makes the current thread handle one of its pending signals. A signal without a handler is dropped: Go installs
// handlers for all those that matter.
func (k *Kernel) deliver() {
	t := k.thread(k.current)
	for signal := uint64(1); t.pending&^t.mask != 0 && signal < signals; signal++ {
		bit := uint64(1) << (signal - 1)
		if t.pending&^t.mask&bit == 0 {
			continue
		}
		t.pending &^= bit
		if k.actions[signal].Handler > handlerIgnore {
			k.push(t, signal, codeThreadKill, 0)
			return
		}
	}
}

// Fault makes the current thread handle the signal of a processor exception, and reports whether it can: not when the signal
// is blocked or has no handler. The caller then ends the program.
func (k *Kernel) Fault(signal uint64, code int32, address uint64) bool {
	t := k.thread(k.current)
	if signal == 0 || signal >= signals || k.actions[signal].Handler <= handlerIgnore || t.mask>>(signal-1)&1 != 0 {
		return false
	}
	k.push(t, signal, code, address)
	return true
}

func (k *Kernel) push(t *thread, signal uint64, code int32, address uint64) {
	k.stats.Signals++
	action := k.actions[signal%signals]
	k.delivery = Delivery{Signal: signal, Code: code, Address: address, Mask: t.mask, Action: action, Alt: t.alt}
	t.mask |= action.Mask | 1<<(signal-1)
	k.Machine.PushSignal(k.current, &k.delivery)
}
