// Package ioctl makes ioctl(2) calls whose argument is a structure, for the adapters that show guests on a screen. It is
// the one place of theirs where unsafe stands.
//
// What a request does with its argument is known to the kernel and the caller only; the size of the structure is part of
// the request's number (Linux Documentation/driver-api/ioctl.rst), and checked against the type.
package ioctl

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Parts of a request's number.
const (
	sizeShift = 16
	sizeMask  = 1<<14 - 1
	write     = 1 << 30 // the kernel reads the argument
	read      = 2 << 30 // the kernel writes the argument
)

// Request is the number of a request: its direction, the size of its argument in bytes, its type and its number.
type Request uint32

// RW makes the number of a request with an argument of type T that is read and written by the kernel.
func RW[T any](kind, number uint8) Request { return request[T](read|write, kind, number) }

// R makes the number of a request whose argument is written by the kernel.
func R[T any](kind, number uint8) Request { return request[T](read, kind, number) }

func request[T any](direction uint32, kind, number uint8) Request {
	var arg T
	return Request(direction | uint32(unsafe.Sizeof(arg))<<sizeShift | uint32(kind)<<8 | uint32(number))
}

// Bytes makes the number of a request for which the kernel writes as many bytes.
func Bytes(kind, number uint8, bytes int) Request {
	return Request(read | uint32(bytes&sizeMask)<<sizeShift | uint32(kind)<<8 | uint32(number))
}

// Do makes the request with the structure at arg, again if a signal interrupts it. T has the kernel's layout and no Go
// pointers; addresses in it come from [Address].
func Do[T any](fd uintptr, r Request, arg *T) error {
	if size := int(r >> sizeShift & sizeMask); size != 0 && size != int(unsafe.Sizeof(*arg)) {
		return fmt.Errorf("ioctl %#x: its argument has %d bytes, not %d", uint32(r), size, unsafe.Sizeof(*arg))
	}
	// SAFETY: arg points to a T for the duration of the call, which is as long as the kernel takes the argument to be: the
	// request was made for a T, or, for the old requests that have no size in their number, the caller vouches for it.
	return do(fd, r, unsafe.Pointer(arg))
}

// Fill makes a request that was made by [Bytes]; the kernel fills buf.
func Fill(fd uintptr, r Request, buf []byte) error {
	if size := int(r >> sizeShift & sizeMask); size != len(buf) || size == 0 {
		return fmt.Errorf("ioctl %#x: its argument has %d bytes, not %d", uint32(r), size, len(buf))
	}
	// SAFETY: buf has as many bytes as the kernel writes, and at least one.
	return do(fd, r, unsafe.Pointer(&buf[0]))
}

func do(fd uintptr, r Request, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(r), uintptr(arg))
		switch errno {
		case 0:
			return nil
		case unix.EINTR, unix.EAGAIN:
			continue
		}
		return errno
	}
}

// Address returns the address of the elements of a slice, for a field of an argument, and 0 for an empty one. The pinner
// holds them where they are until it is unpinned, which must be after the call.
func Address[T any](p *runtime.Pinner, slice []T) uint64 {
	if len(slice) == 0 {
		return 0
	}
	p.Pin(&slice[0])
	// SAFETY: the elements are pinned, so the address stays theirs while the kernel uses it.
	return uint64(uintptr(unsafe.Pointer(&slice[0])))
}
