package pecoff

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	relaEntrySize  = 24
	maxDynamicSize = 4096 // bytes of the dynamic table; Go's has 192
	dtRELR         = elf.DynTag(36)
)

// refusedTags are the dynamic tags that ask for a dynamic linker.
var refusedTags = []struct {
	tag    elf.DynTag
	reason string
}{
	{elf.DT_NEEDED, "imports shared libraries"},
	{elf.DT_PLTRELSZ, "calls through a procedure linkage table"},
	{elf.DT_REL, "has relocations without addends"},
	{dtRELR, "has packed relocations"},
	{elf.DT_TEXTREL, "has relocations in its code"},
	{elf.DT_INIT, "has an initialiser"},
	{elf.DT_INIT_ARRAY, "has initialisers"},
}

// dynamicTags reads the dynamic table. Programs that need a dynamic linker are
// refused.
func (f *elfFile) dynamicTags() (map[elf.DynTag]uint64, error) {
	p := f.prog(elf.PT_DYNAMIC)
	if p == nil {
		return nil, errors.New("read dynamic table: there is none; build with -buildmode=pie")
	}
	if p.Filesz > maxDynamicSize {
		return nil, fmt.Errorf("read dynamic table: %d bytes, at most %d are supported", p.Filesz, maxDynamicSize)
	}
	table, err := f.read("dynamic table", p.Off, p.Filesz)
	if err != nil {
		return nil, err
	}
	tags := make(map[elf.DynTag]uint64)
	for ; len(table) >= 16; table = table[16:] {
		tag := elf.DynTag(binary.LittleEndian.Uint64(table))
		if tag == elf.DT_NULL {
			break
		}
		tags[tag] = binary.LittleEndian.Uint64(table[8:])
	}
	for _, r := range refusedTags {
		if _, ok := tags[r.tag]; ok {
			return nil, fmt.Errorf("read dynamic table: the program %s; build with CGO_ENABLED=0", r.reason)
		}
	}
	if elf.DynFlag1(tags[elf.DT_FLAGS_1])&elf.DF_1_PIE == 0 {
		return nil, errors.New("read dynamic table: a shared library, not a program; build with -buildmode=pie")
	}
	return tags, nil
}

// relocations returns the bytes of the relocation table.
func relocations(segs []segment, tags map[elf.DynTag]uint64) ([]byte, error) {
	addr, size := tags[elf.DT_RELA], tags[elf.DT_RELASZ]
	rela := bytesAt(segs, addr, size)
	if size != 0 && rela == nil || size%relaEntrySize != 0 {
		return nil, fmt.Errorf("read relocations: %d bytes at %#x are no table in the program", size, addr)
	}
	return rela, nil
}

// relocate writes the addends of the relative relocations into the segments,
// which makes them right for the addresses of the ELF file. It returns where
// they are, in ascending order: these 64-bit words move with the image.
func relocate(m machine, segs []segment, rela []byte) ([]uint64, error) {
	fixups := make([]uint64, 0, len(rela)/relaEntrySize)
	for ; len(rela) > 0; rela = rela[relaEntrySize:] {
		at := binary.LittleEndian.Uint64(rela)
		info := binary.LittleEndian.Uint64(rela[8:])
		addend := binary.LittleEndian.Uint64(rela[16:])
		if info != uint64(m.relative) {
			return nil, fmt.Errorf("relocate %#x: type %d of symbol %d: only relative relocations are supported; build with CGO_ENABLED=0", at, uint32(info), info>>32)
		}
		word := bytesAt(segs, at, 8)
		if word == nil {
			return nil, fmt.Errorf("relocate %#x: not in the program's data", at)
		}
		binary.LittleEndian.PutUint64(word, addend)
		fixups = append(fixups, at)
	}
	slices.Sort(fixups)
	for i := 1; i < len(fixups); i++ {
		if fixups[i]-fixups[i-1] < 8 {
			return nil, fmt.Errorf("relocate %#x: overlaps the relocation at %#x", fixups[i], fixups[i-1])
		}
	}
	return fixups, nil
}
