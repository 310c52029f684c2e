package gpt

// Sizes in bytes.
const (
	KiB = 1 << 10
	MiB = 1 << 20
	GiB = 1 << 30

	// MinDiskBytes is the smallest disk that RayOS accepts: the smallest one
	// sold as "80 GB". The five partitions themselves need 70.4 GiB.
	MinDiskBytes = 80_000_000_000

	// AlignBytes is the alignment of every RayOS partition, which suits both
	// sector sizes and the erase blocks of flash disks.
	AlignBytes = MiB
)

// Numbers of the five RayOS partitions, counted from 1 as in PARTN.
const (
	NumberESP     = 1
	NumberKernel  = 2
	NumberSystem  = 3
	NumberLinux   = 4
	NumberWindows = 5
)

// Partition type GUIDs. The RayOS ones are this project's own.
var (
	TypeESP            = MustParseGUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
	TypeRayOSKernel    = MustParseGUID("37d01d99-d62b-4a65-b2a8-6803cd12f20c")
	TypeRayOSSystem    = MustParseGUID("23684d10-63b1-40a8-8941-c5c0879dccf8")
	TypeLinuxData      = MustParseGUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
	TypeMicrosoftBasic = MustParseGUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
)

// typeNames gives the human names of the types that are likely on a disk that
// also carries RayOS.
var typeNames = map[GUID]string{
	TypeESP:            "EFI System",
	TypeRayOSKernel:    "RayOS Kernel",
	TypeRayOSSystem:    "RayOS System",
	TypeLinuxData:      "Linux filesystem data",
	TypeMicrosoftBasic: "Microsoft basic data",
	MustParseGUID("bc13c2ff-59e6-4262-a352-b275fd6f7172"): "Linux extended boot (XBOOTLDR)",
	MustParseGUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"): "Linux swap",
	MustParseGUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709"): "Linux root (x86-64)",
	MustParseGUID("e6d6d379-f507-44c2-a23c-238f2a3df928"): "Linux LVM",
	MustParseGUID("e3c9e316-0b5c-4db8-817d-f92df00215ae"): "Microsoft reserved",
	MustParseGUID("de94bba4-06d1-4d40-a16a-bfd50179d6ac"): "Windows recovery",
}

// TypeName returns the human name of a partition type, or the GUID's text
// where the type is not known.
func TypeName(t GUID) string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return t.String()
}

// Partition is one used entry of the table.
type Partition struct {
	Number     int    `json:"number"` // position in the table, counted from 1
	Name       string `json:"name"`   // at most 36 UTF-16 code units
	Type       GUID   `json:"type"`
	ID         GUID   `json:"id"`         // unique GUID, PARTUUID
	StartBytes int64  `json:"startBytes"` // from the start of the disk
	SizeBytes  int64  `json:"sizeBytes"`
	Attributes uint64 `json:"attributes"`
}

// EndBytes is the first byte behind the partition.
func (p Partition) EndBytes() int64 { return p.StartBytes + p.SizeBytes }

// Layout returns the five RayOS partitions without unique IDs. On disks of
// 512-byte sectors the ESP lies at LBA 2048 and the kernel partition at
// LBA 821248; on disks of 4096-byte sectors the byte positions are the same.
func Layout() []Partition {
	parts := []Partition{
		{Number: NumberESP, Name: "EFI System", Type: TypeESP, SizeBytes: 400 * MiB},
		{Number: NumberKernel, Name: "RayOS Kernel", Type: TypeRayOSKernel, SizeBytes: 4 * GiB},
		{Number: NumberSystem, Name: "RayOS System", Type: TypeRayOSSystem, SizeBytes: 16 * GiB},
		{Number: NumberLinux, Name: "Linux Guest", Type: TypeLinuxData, SizeBytes: 20 * GiB},
		{Number: NumberWindows, Name: "Windows Guest", Type: TypeMicrosoftBasic, SizeBytes: 30 * GiB},
	}
	start := int64(AlignBytes)
	for i := range parts {
		parts[i].StartBytes = start
		start = parts[i].EndBytes()
	}
	return parts
}
