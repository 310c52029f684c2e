package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"unsafe"

	"github.com/rayos/rayboot/ovmf-tests/apps/internal/report"
)

func faultChecks(r *report.Report) {
	r.Check("recover from an index panic", func() error {
		return runtimeError(func() { _ = make([]int, 1)[len(os.Args)+3] })
	})
	r.Check("recover from an integer division by zero", func() error {
		return runtimeError(func() { keep(1 / zero) })
	})
	r.Check("recover from a nil dereference", func() error {
		return runtimeError(func() { keep(hidden[struct{ x int }](nil).x) })
	})
	r.Check("a write to read-only data faults", func() error {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		return runtimeError(func() {
			// SAFETY: the write must not succeed; that is what is tested.
			*unsafe.StringData(constant) = 'x'
		})
	})
	r.Check("code is not writable", func() error {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		return runtimeError(func() {
			f := faultChecks
			// SAFETY: as above; a func value points to a word with the address of the code.
			**(**byte)(*(*unsafe.Pointer)(unsafe.Pointer(&f))) = 0x90
		})
	})
	r.Check("stack overflow of a deep recursion is no problem", func() error { return want(deep(100_000), 100_000) })
}

var (
	constant = "constant"
	zero     int
)

// keep keeps the compiler from dropping the computation of its argument.
//
//go:noinline
func keep(int) {}

// hidden keeps the compiler from knowing its argument.
//
//go:noinline
func hidden[T any](p *T) *T { return p }

//go:noinline
func deep(n int) int {
	if n == 0 {
		return 0
	}
	return deep(n-1) + 1
}

// runtimeError runs f, which must panic with an error of the runtime.
func runtimeError(f func()) (err error) {
	defer func() {
		r := recover()
		if _, ok := r.(runtime.Error); !ok {
			err = fmt.Errorf("recovered %v, want an error of the runtime", r)
		}
	}()
	f()
	return errors.New("no panic")
}
