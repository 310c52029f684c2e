package fat32

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// unknownCount in FSInfo says that the free clusters must be counted (FAT §5).
const unknownCount = 0xffffffff

// begin prepares for the first change: from now on until [Editor.Close] FSInfo says
// that the number of free clusters is not known, and what an interrupted change left
// is mended.
func (e *Editor) begin() error {
	if e.begun {
		return nil
	}
	e.begun = true
	if err := e.writeInfo(unknownCount); err != nil {
		return err
	}
	if e.mend {
		if err := e.mendTables(); err != nil {
			return err
		}
		if err := e.clearState(); err != nil {
			return err
		}
	}
	return e.dev.Sync()
}

// tables are the numbers of the FATs that are kept, the one that is read last.
func (e *Editor) tables() []int64 {
	if e.boot.mirrored && e.fats == 2 {
		return []int64{1, 0}
	}
	return []int64{e.boot.activeFAT}
}

// mendTables frees clusters of no file and makes the second FAT like the first.
func (e *Editor) mendTables() error {
	var readers []*fatReader // the one that counts last
	for _, t := range e.tables() {
		readers = append(readers, e.newFATReader(t))
	}
	change := map[uint32]uint32{}
	for n := uint32(1); n == 1 || e.inRange(n); n++ {
		want, err := readers[len(readers)-1].entry(n)
		if err != nil {
			return err
		}
		switch {
		case n == 1:
			want |= cleanBit
		case !e.used.has(n):
			want = 0
		}
		for _, r := range readers {
			have, err := r.entry(n)
			if err != nil {
				return err
			}
			if have != want {
				change[n] = want
			}
		}
	}
	return e.setEntries(change)
}

// clearState says in the boot sector that the volume is not mounted.
func (e *Editor) clearState() error {
	return e.changeSector(0, func(b []byte) { b[offState] &^= stateDirty })
}

// writeInfo writes the number of free clusters into the FSInfo sector.
func (e *Editor) writeInfo(free uint32) error {
	if e.boot.info == 0 || e.boot.info >= e.reserved {
		return nil // the volume has none
	}
	return e.changeSector(e.boot.info*e.sectorBytes, func(b []byte) {
		le := binary.LittleEndian
		le.PutUint32(b, infoLead)
		le.PutUint32(b[484:], infoStruct)
		le.PutUint32(b[488:], free)
		le.PutUint32(b[492:], unknownCount) // where to look for a free cluster
		le.PutUint32(b[508:], infoTrail)
	})
}

// changeSector changes a sector of the volume. One that stays as it is is not written.
func (e *Editor) changeSector(offset int64, change func(b []byte)) error {
	old := make([]byte, e.sectorBytes)
	if n, err := e.dev.ReadAt(old, offset); n < len(old) {
		return fmt.Errorf("read sector at byte %d of the volume: %w", offset, err)
	}
	b := slices.Clone(old)
	change(b)
	if slices.Equal(b, old) {
		return nil
	}
	if _, err := e.dev.WriteAt(b, offset); err != nil {
		return fmt.Errorf("write sector at byte %d of the volume: %w", offset, err)
	}
	return nil
}

// setEntries writes entries into the FATs. Others stay as they are, and so do the top
// four bits, which are reserved (FAT §4).
func (e *Editor) setEntries(change map[uint32]uint32) error {
	bySector := map[int64][]uint32{}
	for n := range change {
		sector := int64(n) * entryBytes / e.sectorBytes
		bySector[sector] = append(bySector[sector], n)
	}
	sectors := make([]int64, 0, len(bySector))
	for s := range bySector {
		sectors = append(sectors, s)
	}
	slices.Sort(sectors)
	for _, t := range e.tables() {
		for _, s := range sectors {
			err := e.changeSector(e.fatOffset(t)+s*e.sectorBytes, func(b []byte) {
				for _, n := range bySector[s] {
					entry := b[int64(n)*entryBytes-s*e.sectorBytes:]
					reserved := binary.LittleEndian.Uint32(entry) &^ entryMask
					binary.LittleEndian.PutUint32(entry, reserved|change[n]&entryMask)
				}
			})
			if err != nil {
				return fmt.Errorf("FAT %d: %w", t, err)
			}
		}
	}
	return nil
}

// chainOf are the entries of a chain.
func chainOf(clusters []uint32) map[uint32]uint32 {
	entries := make(map[uint32]uint32, len(clusters))
	for i, n := range clusters {
		entries[n] = endOfChain
		if i+1 < len(clusters) {
			entries[n] = clusters[i+1]
		}
	}
	return entries
}

// allocate takes free clusters: the first that lie in one piece, or else the first ones.
func (e *Editor) allocate(count int64) ([]uint32, error) {
	if count > e.free {
		return nil, fmt.Errorf("%w: %d KiB are needed, %d KiB are free", ErrNoSpace, count*e.clusterBytes()>>10, e.free*e.clusterBytes()>>10)
	}
	var piece, first []uint32
	for n := uint32(rootCluster); e.inRange(n) && int64(len(piece)) < count; n++ {
		if e.used.has(n) {
			piece = piece[:0]
			continue
		}
		piece = append(piece, n)
		if int64(len(first)) < count {
			first = append(first, n)
		}
	}
	if int64(len(piece)) < count {
		piece = first
	}
	for _, n := range piece {
		e.used.add(n)
	}
	e.free -= count
	return piece, nil
}

// release gives back the clusters of a chain that no directory names any more.
func (e *Editor) release(first uint32) error {
	if first == 0 {
		return nil
	}
	change := map[uint32]uint32{}
	_, err := e.chain(first, e.clusters, func(n uint32) error {
		change[n] = 0
		return nil
	})
	if err != nil {
		return err
	}
	if err := e.setEntries(change); err != nil {
		return err
	}
	for n := range change {
		e.used.remove(n)
	}
	e.free += int64(len(change))
	return e.dev.Sync()
}
