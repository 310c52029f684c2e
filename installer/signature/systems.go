package signature

import "github.com/rayos/rayboot/gpt"

// Operating systems whose partitions are recognised.
const (
	windows = "Windows"
	linux   = "Linux"
	macOS   = "macOS"
	rayOS   = "RayOS"
)

// typeSystems tells by the type of a GPT partition which system it belongs to. The EFI
// System Partition and Microsoft's basic data belong to anybody.
var typeSystems = map[gpt.GUID]string{
	gpt.TypeRayOSKernel: rayOS,
	gpt.TypeRayOSSystem: rayOS,
	gpt.MustParseGUID("e3c9e316-0b5c-4db8-817d-f92df00215ae"): windows, // reserved
	gpt.MustParseGUID("de94bba4-06d1-4d40-a16a-bfd50179d6ac"): windows, // recovery
	gpt.MustParseGUID("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"): windows, // LDM metadata
	gpt.MustParseGUID("af9b60a0-1431-4f62-bc68-3311714a69ad"): windows, // LDM data
	gpt.MustParseGUID("e75caf8f-f680-4cee-afa3-b001e56efc2d"): windows, // storage spaces
	gpt.TypeLinuxData: linux,
	gpt.MustParseGUID("bc13c2ff-59e6-4262-a352-b275fd6f7172"): linux, // extended boot
	gpt.MustParseGUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"): linux, // swap
	gpt.MustParseGUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709"): linux, // root, x86-64
	gpt.MustParseGUID("b921b045-1df0-41c3-af44-4c6f280d3fae"): linux, // root, arm64
	gpt.MustParseGUID("933ac7e1-2eb4-4f13-b844-0e14e2aef915"): linux, // home
	gpt.MustParseGUID("e6d6d379-f507-44c2-a23c-238f2a3df928"): linux, // LVM
	gpt.MustParseGUID("a19d880f-05fc-4d3b-a006-743f0f84911e"): linux, // RAID
	gpt.MustParseGUID("ca7d7ccb-63ed-4c53-861c-1742536059cc"): linux, // LUKS
	gpt.MustParseGUID("48465300-0000-11aa-aa11-00306543ecac"): macOS, // HFS+
	gpt.MustParseGUID("7c3457ef-0000-11aa-aa11-00306543ecac"): macOS, // APFS
	gpt.MustParseGUID("516e7cb6-6ecf-11d6-8ff8-00022d09712b"): "FreeBSD",
	gpt.MustParseGUID("516e7cba-6ecf-11d6-8ff8-00022d09712b"): "FreeBSD", // ZFS
	gpt.MustParseGUID("fe3a2a5d-4f32-41a7-b725-accc3285a309"): "ChromeOS",
	gpt.MustParseGUID("3cb8e202-3b7e-47dd-8a3c-7ff2a13cfcec"): "ChromeOS",
}

func systemOfType(t gpt.GUID) string { return typeSystems[t] }

// systemOf tells by a file system which operating system it belongs to. NTFS and FAT are
// everybody's.
func systemOf(fileSystem string) string {
	switch fileSystem {
	case "BitLocker", "ReFS":
		return windows
	case "ext2", "ext3", "ext4", "btrfs", "XFS", "F2FS", "LUKS", "LVM", "Linux RAID", "bcache", "swap":
		return linux
	case "APFS", "HFS+", "HFSX":
		return macOS
	}
	return ""
}
