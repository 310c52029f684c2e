package main

import (
	"fmt"
	"unsafe"

	"github.com/rayos/rayboot/efi/goefi"
	"github.com/rayos/rayboot/efi/uefi"
)

const (
	cr4GlobalPages = 1 << 7
	cr4OSXSAVE     = 1 << 18

	tableBootServices = 96  // UEFI 2.10 §4.3.1
	serviceStartImage = 208 // UEFI 2.10 §4.4.1
)

// cr4After is written without Go, so it must not be on the heap.
var cr4After uint64

// startWithCR4Address is the address of a function for firmware that starts an image with other processor features on.
func startWithCR4Address() uintptr

// hasXSAVE is a bit of CPUID.
func hasXSAVE() bool

// withFeatures starts the child as a firmware would that uses global pages and, if the processor can, AVX. Both must be as before
// when the child has ended.
func (n *nest) withFeatures() error {
	bits := uintptr(cr4GlobalPages)
	if hasXSAVE() {
		bits |= cr4OSXSAVE
	}
	h, err := n.sys.LoadImage(n.image.Bytes(), n.path)
	if err != nil {
		return err
	}
	// SAFETY: the system table is valid as long as boot services are; cr4After is part of the image.
	bootServices := *(*uintptr)(unsafe.Add(pointer(goefi.SystemTable()), tableBootServices))
	startImage := *(*uintptr)(unsafe.Add(pointer(bootServices), serviceStartImage))
	status := goefi.CallNative(startWithCR4Address(), startImage, uintptr(h), bits, uintptr(unsafe.Pointer(&cr4After)))
	if err := uefi.Status(status).Err(); err != nil {
		return err
	}
	if uintptr(cr4After)&bits != bits {
		return fmt.Errorf("CR4 is %#x after the child, want %#x to be set still", cr4After, bits)
	}
	return nil
}

// SAFETY: for addresses of firmware memory, which the garbage collector does not know.
func pointer(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }
