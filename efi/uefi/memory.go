package uefi

import (
	"fmt"
	"sync"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// maxPagesBytes bounds one allocation, so that a size read from a medium cannot
// ask for the whole machine.
const maxPagesBytes = 4 << 30

// Pages is memory of the firmware: identity mapped, aligned to 4096 bytes, good
// for devices and for what another image shall find (UEFI 2.10 §7.2.1). It stays
// allocated until Free, whatever the garbage collector thinks.
type Pages struct {
	sys   *System
	data  []byte
	count uintptr // of pages allocated
	once  sync.Once
}

// AllocatePages allocates size bytes, rounded up to whole pages of 4096 bytes;
// the memory type is EfiLoaderData. The contents are undefined.
func (s *System) AllocatePages(size int) (*Pages, error) {
	if size < 0 || size > maxPagesBytes {
		return nil, fmt.Errorf("allocate %d bytes of pages: size is not within 0 to %d", size, maxPagesBytes)
	}
	var addr uint64
	count := (uintptr(max(size, 1)) + raw.PageSize - 1) / raw.PageSize
	status := s.call(s.boot().AllocatePages, gate.Word(uintptr(raw.AllocateAnyPages)),
		gate.Word(uintptr(raw.LoaderData)), gate.Word(count), gate.Pointer(&addr))
	if err := status.Err(); err != nil {
		return nil, fmt.Errorf("allocate %d bytes of pages: %w", size, err)
	}
	if addr == 0 {
		return nil, fmt.Errorf("allocate %d bytes of pages: the firmware gave address 0", size)
	}
	p := &Pages{sys: s, count: count, data: raw.Bytes(uintptr(addr), max(size, 1))[:size]}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[uintptr(addr)] = p
	return p, nil
}

// Bytes is the memory, of the length asked for. It must not be used after Free.
func (p *Pages) Bytes() []byte { return p.data }

// Address is where the memory starts, physically and virtually.
func (p *Pages) Address() uintptr { return raw.Address(p.data) }

// Free gives the memory back to the firmware. Freeing twice does nothing.
func (p *Pages) Free() error {
	var err error
	p.once.Do(func() {
		addr := p.Address()
		p.sys.mu.Lock()
		delete(p.sys.pages, addr)
		p.sys.mu.Unlock()
		p.data = nil
		status := p.sys.call(p.sys.boot().FreePages, gate.Word(addr), gate.Word(p.count))
		if status.IsError() {
			err = fmt.Errorf("free %d pages at %#x: %w", p.count, addr, status)
		}
	})
	return err
}

// inPages reports whether b lies wholly in pages of the firmware that are still
// allocated.
func (s *System) inPages(b []byte) bool {
	start := raw.Address(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	for addr, p := range s.pages {
		if start >= addr && start+uintptr(len(b)) <= addr+uintptr(len(p.data)) {
			return true
		}
	}
	return false
}

// freePool frees a buffer that the firmware allocated for the caller.
func (s *System) freePool(addr uintptr) error {
	if status := s.call(s.boot().FreePool, gate.Word(addr)); status.IsError() {
		return fmt.Errorf("free pool at %#x: %w", addr, status)
	}
	return nil
}
