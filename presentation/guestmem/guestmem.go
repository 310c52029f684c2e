// Package guestmem maps the memory of a guest into this process, and reads and
// writes the words through which both talk while both run. It is the room for
// unsafe of presentation.
package guestmem

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrShrinks says that a file could become shorter while it is mapped, whereupon
// reading it would kill this process.
var ErrShrinks = errors.New("its file may be shortened; use memory-backend-memfd, which seals it")

// maxFile bounds the offsets in files.
const maxFile = 1 << 46

// Map maps size bytes of a guest's memory, shared, from a byte offset of its file
// on. The offset is a multiple of 4096. It refuses a file that is too short, or
// whose size is not sealed ([ErrShrinks]); one that may still be sealed is.
func Map(fd int, offset, size uint64) ([]byte, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("look at guest memory: %w", err)
	}
	if size == 0 || size > maxFile || offset > maxFile || stat.Size < 0 || offset+size > uint64(stat.Size) {
		return nil, fmt.Errorf("map guest memory: %d bytes at %d of a file of %d", size, offset, stat.Size)
	}
	if err := seal(fd); err != nil {
		return nil, fmt.Errorf("map guest memory: %w", err)
	}
	b, err := unix.Mmap(fd, int64(offset), int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of guest memory: %w", size, err)
	}
	// The size was read before the seal was seen to hold.
	if err := unix.Fstat(fd, &stat); err != nil || offset+size > uint64(stat.Size) {
		return nil, errors.Join(fmt.Errorf("map guest memory: its file has become too short: %w", ErrShrinks), Unmap(b))
	}
	return b, nil
}

func seal(fd int) error {
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err == nil && seals&unix.F_SEAL_SHRINK != 0 {
		return nil
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
	}
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrShrinks, err)
	}
	return nil
}

// Unmap gives back what Map has returned.
func Unmap(b []byte) error {
	if err := unix.Munmap(b); err != nil {
		return fmt.Errorf("unmap guest memory: %w", err)
	}
	return nil
}

// word returns the 32-bit word that the two bytes at offset lie in, and by how
// many bits they are shifted in it. The offset is even in memory.
func word(b []byte, offset int) (*uint32, uint) {
	p := unsafe.Pointer(&b[offset : offset+2][0])
	odd := uintptr(p) & 3
	// SAFETY: mappings start and end at pages, so the aligned word around two bytes
	// of one lies in it; that of the Go heap is at least as aligned.
	return (*uint32)(unsafe.Add(p, -int(odd))), uint(odd&2) * 8
}

// Load16 reads a little-endian word that the guest writes, before everything
// that is read after it. The offset must be even in memory.
func Load16(b []byte, offset int) uint16 {
	w, shift := word(b, offset)
	return uint16(atomic.LoadUint32(w) >> shift)
}

// Store16 writes a little-endian word that the guest reads, after everything that
// was written before it, and before everything that is read after it. The offset
// must be even in memory; the other half of the aligned 32-bit word must not be
// written by the guest.
func Store16(b []byte, offset int, v uint16) {
	w, shift := word(b, offset)
	for {
		old := atomic.LoadUint32(w)
		if atomic.CompareAndSwapUint32(w, old, old&^(0xffff<<shift)|uint32(v)<<shift) {
			return
		}
	}
}
