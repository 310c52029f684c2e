package kernel

import (
	"syscall"
	"testing"
)

const testHandler = 0x123456

// handle installs a handler for a signal.
func handle(k *Kernel, m *fakeMachine, signal uint64, flags, mask uint64) {
	action := &Action{Handler: testHandler, Flags: flags, Restorer: 0x77, Mask: mask}
	m.system(k, syscall.SYS_RT_SIGACTION, signal, uint64(address(action)), 0, 8)
}

func TestSigactionRemembers(t *testing.T) {
	k, m := started(t)
	old := &Action{}
	handle(k, m, 23, flagOnStack, 5)
	if m.system(k, syscall.SYS_RT_SIGACTION, 23, 0, uint64(address(old)), 8); *old != (Action{testHandler, flagOnStack, 0x77, 5}) {
		t.Errorf("the action is %+v", *old)
	}
	for _, signal := range []uint64{0, 65, 1 << 40} {
		if m.system(k, syscall.SYS_RT_SIGACTION, signal, 0, 0, 8); m.regs[0].result != errInvalid {
			t.Errorf("signal %d: %d, want EINVAL", signal, m.regs[0].result)
		}
	}
}

func TestThreadKill(t *testing.T) {
	k, m := started(t)
	other := clone(t, k, m)
	handle(k, m, 23, 0, 1<<4)
	m.system(k, syscall.SYS_TGKILL, 1, k.threads[other].id, 23)
	if len(m.regs[0].delivered) != 0 {
		t.Fatal("the signal is delivered to the sender")
	}
	m.system(k, syscall.SYS_SCHED_YIELD)
	got := m.regs[other].delivered
	if len(got) != 1 || got[0].Signal != 23 || got[0].Code != codeThreadKill || got[0].Action.Handler != testHandler || got[0].Mask != 0 {
		t.Fatalf("delivered %+v", got)
	}
	if mask := k.threads[other].mask; mask != 1<<22|1<<4 {
		t.Errorf("in the handler %#x is blocked", mask)
	}
	// The same signal again waits until the handler returns.
	m.system(k, syscall.SYS_TGKILL, 1, k.threads[other].id, 23)
	if len(m.regs[other].delivered) != 1 {
		t.Error("a blocked signal is delivered")
	}
	if m.system(k, syscall.SYS_RT_SIGRETURN); len(m.regs[other].delivered) != 2 {
		t.Error("a signal that was blocked is lost")
	}
	m.system(k, syscall.SYS_TGKILL, 1, 999, 23)
	if m.regs[other].result != errNoThread {
		t.Errorf("a signal to nobody returns %d", m.regs[other].result)
	}
}

func TestMask(t *testing.T) {
	k, m := started(t)
	set, old := new(uint64), new(uint64)
	for _, c := range []struct {
		how, set, want uint64
		result         int64
	}{
		{maskSet, 0b1100, 0b1100, 0}, {maskBlock, 0b0010, 0b1110, 0}, {maskUnblock, 0b0100, 0b1010, 0}, {9, 1, 0b1010, errInvalid},
	} {
		*set = c.set
		m.system(k, syscall.SYS_RT_SIGPROCMASK, c.how, uint64(address(set)), 0, 8)
		if k.threads[0].mask != c.want || m.regs[0].result != c.result {
			t.Errorf("how %d: mask %#b, result %d", c.how, k.threads[0].mask, m.regs[0].result)
		}
	}
	m.system(k, syscall.SYS_RT_SIGPROCMASK, maskSet, 0, uint64(address(old)), 8)
	if *old != 0b1010 {
		t.Errorf("reads mask %#b", *old)
	}
}

func TestFault(t *testing.T) {
	k, m := started(t)
	if k.Fault(11, 1, 0x10) {
		t.Error("a fault without a handler is handled")
	}
	handle(k, m, 11, 0, 0)
	if !k.Fault(11, 1, 0x10) || len(m.regs[0].delivered) != 1 || m.regs[0].delivered[0].Address != 0x10 {
		t.Errorf("delivered %+v", m.regs[0].delivered)
	}
	if k.Fault(11, 1, 0x10) {
		t.Error("a fault inside of its handler is handled")
	}
	if k.Fault(0, 0, 0) || k.Fault(65, 0, 0) {
		t.Error("a signal out of range is handled")
	}
}

func TestAltStack(t *testing.T) {
	k, m := started(t)
	alt := &AltStack{}
	m.system(k, syscall.SYS_SIGALTSTACK, 0, uint64(address(alt)))
	if alt.Flags != altDisabled {
		t.Errorf("a new thread reports flags %d; the runtime would take the empty stack for a real one", alt.Flags)
	}
	*alt = AltStack{Start: 0x10000, Size: 0x8000}
	m.system(k, syscall.SYS_SIGALTSTACK, uint64(address(alt)), 0)
	if k.threads[0].alt != *alt {
		t.Errorf("the stack is %+v", k.threads[0].alt)
	}
	child := clone(t, k, m)
	if k.threads[child].alt.Flags != altDisabled {
		t.Error("a clone inherits the alternate stack")
	}
}

func TestStackOfHandler(t *testing.T) {
	alt := AltStack{Start: 0x10000, Size: 0x8000}
	for _, c := range []struct {
		name   string
		action Action
		alt    AltStack
		sp     uint64
		want   uint64
	}{
		{"no alternate stack wanted", Action{}, alt, 0x50000, 0x50000 - 128},
		{"alternate stack", Action{Flags: flagOnStack}, alt, 0x50000, 0x18000},
		{"just below it", Action{Flags: flagOnStack}, alt, 0x10000, 0x18000},
		{"on it already", Action{Flags: flagOnStack}, alt, 0x10001, 0x10001 - 128},
		{"on it at the top", Action{Flags: flagOnStack}, alt, 0x18000, 0x18000 - 128},
		{"just above it", Action{Flags: flagOnStack}, alt, 0x18001, 0x18000},
		{"disabled", Action{Flags: flagOnStack}, AltStack{Start: 0x10000, Size: 0x8000, Flags: altDisabled}, 0x50000, 0x50000 - 128},
		{"empty", Action{Flags: flagOnStack}, AltStack{}, 0x50000, 0x50000 - 128},
	} {
		d := Delivery{Action: c.action, Alt: c.alt}
		if got := d.Stack(c.sp, 128); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
	}
}
