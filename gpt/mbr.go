package gpt

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Protective MBR (UEFI 2.10 §5.2.3).
const (
	mbrBytes         = 512
	mbrEntriesOffset = 446
	mbrEntryBytes    = 16
	mbrEntryCount    = 4
	mbrTypeGPT       = 0xee
)

// checkMBR reports a protective MBR that does not protect the whole disk.
// Without it, old tools take the disk for an empty one.
func (d *decoder) checkMBR() {
	mbr := make([]byte, mbrBytes)
	if _, err := d.r.ReadAt(mbr, 0); err != nil {
		d.report("gpt-mbr", "read protective MBR: %v", err)
		return
	}
	if mbr[510] != 0x55 || mbr[511] != 0xaa {
		d.report("gpt-mbr", "the protective MBR has no signature 55 AA")
		return
	}
	le := binary.LittleEndian
	want := min(d.g.Sectors()-1, math.MaxUint32)
	protects := false
	for i := range mbrEntryCount {
		e := mbr[mbrEntriesOffset+i*mbrEntryBytes:][:mbrEntryBytes]
		switch typ, first, sectors := e[4], le.Uint32(e[8:]), le.Uint32(e[12:]); {
		case typ == mbrTypeGPT && first == 1:
			protects = true
			if int64(sectors) != want && sectors != math.MaxUint32 {
				d.report("gpt-mbr", "the protective MBR covers %d sectors, the disk has %d behind it", sectors, want)
			}
		case len(bytes.Trim(e, "\x00")) != 0:
			d.report("gpt-mbr", "the MBR has a partition of type %#02x beside the protective one (hybrid MBR)", typ)
		}
	}
	if !protects {
		d.report("gpt-mbr", "the MBR has no protective partition (type EE at LBA 1)")
	}
}
