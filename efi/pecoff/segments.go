package pecoff

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"
)

// pageSize is the alignment of sections in memory: UEFI protects whole pages
// of 4 KiB (UEFI 2.10 §2.3.4).
const pageSize = 0x1000

// A segment is a PT_LOAD segment: data at vaddr, then zeros up to memsz.
type segment struct {
	vaddr, memsz uint64
	flags        elf.ProgFlag
	relro        bool // written by relocations only, read-only afterwards
	data         []byte
}

func (s *segment) end() uint64 { return s.vaddr + s.memsz }

// segments reads the load segments. They come in the order of their addresses
// and share no page, and no bytes of the file.
func (f *elfFile) segments() ([]segment, error) {
	if tls := f.prog(elf.PT_TLS); tls != nil && tls.Filesz != 0 {
		return nil, fmt.Errorf("read segments: %d bytes of initialised thread-local data are not supported", tls.Filesz)
	}
	var segs []segment
	var before elf.Prog64
	var first, total uint64
	for i, p := range f.progs {
		if elf.ProgType(p.Type) != elf.PT_LOAD || p.Memsz == 0 {
			continue
		}
		if len(segs) == 0 {
			first, before.Vaddr = p.Vaddr, p.Vaddr
		}
		if err := checkSegment(&p, &before, first); err != nil {
			return nil, fmt.Errorf("read segment %d at %#x: %w", i, p.Vaddr, err)
		}
		if total += p.Filesz; total > maxProgram {
			return nil, fmt.Errorf("read segments: the program has more than %d MiB", maxProgram>>20)
		}
		data, err := f.read(fmt.Sprintf("segment %d", i), p.Off, p.Filesz)
		if err != nil {
			return nil, err
		}
		segs = append(segs, segment{vaddr: p.Vaddr, memsz: p.Memsz, flags: elf.ProgFlag(p.Flags), data: data})
		before = p
	}
	if len(segs) == 0 {
		return nil, errors.New("read segments: the program has nothing to load")
	}
	return segs, f.markRelro(segs)
}

// checkSegment holds p against the one before and the first segment's address.
func checkSegment(p, before *elf.Prog64, first uint64) error {
	flags := elf.ProgFlag(p.Flags)
	switch {
	case p.Vaddr%pageSize != 0:
		return errors.New("not aligned to 4 KiB")
	case p.Filesz > p.Memsz:
		return fmt.Errorf("%d bytes in the file do not fit %d bytes of memory", p.Filesz, p.Memsz)
	case p.Vaddr < before.Vaddr+before.Memsz || p.Off < before.Off+before.Filesz:
		return errors.New("overlaps the segment before or is out of order")
	case p.Memsz > maxMemory || p.Vaddr-first > maxMemory-p.Memsz || p.Vaddr > -p.Memsz-pageSize:
		return fmt.Errorf("the program needs more than %d MiB of address space", maxMemory>>20)
	case flags&elf.PF_R == 0:
		return errors.New("not readable")
	case flags&elf.PF_W != 0 && flags&elf.PF_X != 0:
		return errors.New("both writable and executable")
	}
	return nil
}

// markRelro marks the segment that becomes read-only after relocation. Go's
// linker gives it a load segment of its own.
func (f *elfFile) markRelro(segs []segment) error {
	p := f.prog(elf.PT_GNU_RELRO)
	if p == nil || p.Memsz == 0 {
		return nil
	}
	i := slices.IndexFunc(segs, func(s segment) bool { return s.vaddr == p.Vaddr && s.memsz == p.Memsz })
	if i < 0 {
		return errors.New("read segments: GNU_RELRO is no load segment of its own; use Go's internal linker")
	}
	segs[i].relro = true
	return nil
}

// bytesAt returns the n file bytes at an address, or nil.
func bytesAt(segs []segment, addr, n uint64) []byte {
	for _, s := range segs {
		if size := uint64(len(s.data)); addr >= s.vaddr && addr-s.vaddr <= size && n <= size-(addr-s.vaddr) {
			return s.data[addr-s.vaddr:][:n]
		}
	}
	return nil
}
