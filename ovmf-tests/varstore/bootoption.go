package varstore

import (
	"encoding/binary"
	"fmt"
)

// File names a file on a GPT partition for a boot option.
type File struct {
	Partition            uint32   // number in the table, from 1
	StartLBA, SectorsLBA uint64   // in the disk's sectors
	PartUUID             [16]byte // as it lies in the table
	Path                 string   // with backslashes, from the root
}

// BootOption returns the variable Boot#### of that number: a load option (UEFI 2.10 §3.1.3) for a file, found by its
// partition's GUID on whatever disk, with a command line as its optional data.
func BootOption(number uint16, title string, f File, commandLine string) Variable {
	path := f.devicePath()
	data := binary.LittleEndian.AppendUint32(nil, 1) // LOAD_OPTION_ACTIVE
	data = binary.LittleEndian.AppendUint16(data, uint16(len(path)))
	data = append(append(data, UTF16(title)...), path...)
	if commandLine != "" {
		data = append(data, UTF16(commandLine)...)
	}
	return Variable{Name: fmt.Sprintf("Boot%04X", number), Vendor: GlobalVariable, Attributes: NonVolatile, Data: data}
}

// BootOrder returns the variable BootOrder (UEFI 2.10 §3.3).
func BootOrder(numbers ...uint16) Variable {
	var data []byte
	for _, n := range numbers {
		data = binary.LittleEndian.AppendUint16(data, n)
	}
	return Variable{Name: "BootOrder", Vendor: GlobalVariable, Attributes: NonVolatile, Data: data}
}

// devicePath returns the short form of the path: hard drive, file, end (UEFI 2.10 §10.3.5.1, §10.3.5.4, §10.3.1).
func (f File) devicePath() []byte {
	const mediaPath, hardDrive, filePath = 4, 1, 4
	const gptFormat, guidSignature = 2, 2
	drive := binary.LittleEndian.AppendUint32(nil, f.Partition)
	drive = binary.LittleEndian.AppendUint64(drive, f.StartLBA)
	drive = binary.LittleEndian.AppendUint64(drive, f.SectorsLBA)
	drive = append(append(drive, f.PartUUID[:]...), gptFormat, guidSignature)
	path := append(node(mediaPath, hardDrive, drive), node(mediaPath, filePath, UTF16(f.Path))...)
	return append(path, node(0x7f, 0xff, nil)...)
}

func node(kind, subtype byte, data []byte) []byte {
	n := []byte{kind, subtype}
	return append(binary.LittleEndian.AppendUint16(n, uint16(4+len(data))), data...)
}
