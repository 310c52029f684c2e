package fat32

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Reserved area (FAT §3 and §5): sector numbers.
const (
	infoSector   = 1
	backupSector = 6 // boot sector; its FSInfo follows
)

// The first two FAT entries (FAT §4): the media byte, and an end mark whose top
// bits say that the volume was unmounted cleanly and had no I/O errors.
const (
	mediaFixed = 0xf8
	fatEntry0  = 0x0fffff00 | mediaFixed
	fatEntry1  = 0x0fffffff
	endOfChain = 0x0fffffff

	entryMask  = 0x0fffffff
	cleanBit   = 0x08000000
	noErrorBit = 0x04000000
)

// Windows and Linux keep the state of the volume in a byte of the boot sector that the
// specification reserves: bit 0 is set while it is mounted.
const (
	offState   = 65
	stateDirty = 0x01
)

// FSInfo signatures (FAT §5).
const (
	infoLead   = 0x41615252
	infoStruct = 0x61417272
	infoTrail  = 0xaa550000
)

// bootCode halts: EB 58 90 at the start of the sector jumps to it.
var bootCode = []byte{0xf4, 0xeb, 0xfd} // hlt; jmp to the hlt

// writeReserved writes the reserved area: boot sector, FSInfo, their backups,
// the rest zero.
func (v *volume) writeReserved(w io.WriterAt) error {
	b := make([]byte, v.reserved*v.sectorBytes)
	boot, info := v.bootSector(), v.fsInfo()
	for _, first := range []int64{0, backupSector} {
		copy(b[first*v.sectorBytes:], boot)
		copy(b[(first+infoSector)*v.sectorBytes:], info)
	}
	if _, err := w.WriteAt(b, 0); err != nil {
		return fmt.Errorf("write boot sector: %w", err)
	}
	return nil
}

func (v *volume) bootSector() []byte {
	b := make([]byte, v.sectorBytes)
	le := binary.LittleEndian
	copy(b, []byte{0xeb, 0x58, 0x90})
	copy(b[3:], "MSWIN4.1") // the OEM name that the specification recommends
	le.PutUint16(b[11:], uint16(v.sectorBytes))
	b[13] = byte(v.clusterSectors)
	le.PutUint16(b[14:], uint16(v.reserved))
	b[16] = fatCopies
	b[21] = mediaFixed
	le.PutUint16(b[24:], 63)  // sectors per track and heads: nominal values,
	le.PutUint16(b[26:], 255) // LBA is used everywhere
	le.PutUint32(b[28:], v.hidden)
	le.PutUint32(b[32:], uint32(v.totalSectors))
	le.PutUint32(b[36:], uint32(v.fatSectors))
	le.PutUint32(b[44:], rootCluster)
	le.PutUint16(b[48:], infoSector)
	le.PutUint16(b[50:], backupSector)
	b[64] = 0x80 // drive number of a fixed disk
	b[66] = 0x29 // the next three fields are present
	le.PutUint32(b[67:], v.serial)
	copy(b[71:], v.label[:])
	copy(b[82:], "FAT32   ")
	copy(b[90:], bootCode)
	b[510], b[511] = 0x55, 0xaa
	return b
}

func (v *volume) fsInfo() []byte {
	b := make([]byte, v.sectorBytes)
	le := binary.LittleEndian
	le.PutUint32(b, infoLead)
	le.PutUint32(b[484:], infoStruct)
	le.PutUint32(b[488:], uint32(v.clusters-v.used))
	le.PutUint32(b[492:], uint32(rootCluster+v.used)) // where to look for a free cluster
	le.PutUint32(b[508:], infoTrail)
	return b
}
