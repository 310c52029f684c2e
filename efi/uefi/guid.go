package uefi

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// GUID is an EFI_GUID in the specification's byte order: the first three fields
// are little-endian (UEFI 2.10 §A).
type GUID [16]byte

// GUIDs of vendors, protocols and records.
var (
	GlobalVariable = MustParseGUID("8be4df61-93ca-11d2-aa0d-00e098032b8c") // EFI_GLOBAL_VARIABLE, the vendor of the specification's variables
	LinuxInitrd    = MustParseGUID("5568e427-68fc-4f3d-ac74-ca555231cc68") // LINUX_EFI_INITRD_MEDIA_GUID

	BlockIOProtocol          = MustParseGUID("964e5b21-6459-11d2-8e39-00a0c969723b")
	CPUIO2Protocol           = MustParseGUID("ad61f191-ae5f-4c0e-b9fa-e869d288c64f")
	DevicePathProtocol       = MustParseGUID("09576e91-6d3f-11d2-8e39-00a0c969723b")
	GraphicsOutputProtocol   = MustParseGUID("9042a9de-23dc-4a38-96fb-7aded080516a")
	LoadFile2Protocol        = MustParseGUID("4006c0c1-fcb3-403e-996d-4a6c8724e06d")
	LoadedImageProtocol      = MustParseGUID("5b1b31a1-9562-11d2-8e3f-00a0c969723b")
	PartitionInfoProtocol    = MustParseGUID("8cf2f62c-bc9b-4821-808d-ec9ec421a1a0")
	PCIIOProtocol            = MustParseGUID("4cf5b200-68b8-4ca5-9eec-b23e3f50029a")
	PCIRootBridgeIOProtocol  = MustParseGUID("2f707ebb-4a1a-11d4-9a38-0090273fc14d")
	RNGProtocol              = MustParseGUID("3152bca5-eade-433d-862e-c01cdc291f44")
	SimpleFileSystemProtocol = MustParseGUID("964e5b22-6459-11d2-8e39-00a0c969723b")

	ACPITableGUID   = MustParseGUID("8868e871-e4f1-11d3-bc22-0080c73c8881") // EFI_ACPI_20_TABLE_GUID: configuration table with the RSDP
	ACPI10TableGUID = MustParseGUID("eb9d2d30-2d88-11d3-9a16-0090273fc14d") // ACPI_10_TABLE_GUID: the same of ACPI 1.0

	fileInfoID       = MustParseGUID("09576e92-6d3f-11d2-8e39-00a0c969723b") // EFI_FILE_INFO_ID
	fileSystemInfoID = MustParseGUID("09576e93-6d3f-11d2-8e39-00a0c969723b") // EFI_FILE_SYSTEM_INFO_ID
)

// ParseGUID reads the registry form, 8be4df61-93ca-11d2-aa0d-00e098032b8c, in
// either case.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return GUID{}, fmt.Errorf("parse GUID %q: want the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", s)
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(g[:], []byte(digits)); err != nil {
		return GUID{}, fmt.Errorf("parse GUID %q: %w", s, err)
	}
	return g.swapped(), nil
}

// MustParseGUID is [ParseGUID] for constants; it panics on an error.
func MustParseGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(err)
	}
	return g
}

// String is the registry form in lower case.
func (g GUID) String() string {
	b := g.swapped()
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// swapped exchanges the byte order of the first three fields.
func (g GUID) swapped() GUID {
	binary.BigEndian.PutUint32(g[0:], binary.LittleEndian.Uint32(g[0:]))
	binary.BigEndian.PutUint16(g[4:], binary.LittleEndian.Uint16(g[4:]))
	binary.BigEndian.PutUint16(g[6:], binary.LittleEndian.Uint16(g[6:]))
	return g
}
