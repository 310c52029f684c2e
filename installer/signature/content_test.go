package signature

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/rayos/rayboot/gpt"
)

const diskBytes = 8 * gpt.MiB

func read(t *testing.T, disk []byte) Content {
	t.Helper()
	c, err := Read(bytes.NewReader(disk), int64(len(disk)), 512)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes text into a disk.
func put(disk []byte, offset int, text string) []byte {
	copy(disk[offset:], text)
	return disk
}

// fatSector begins like a boot sector of a FAT.
func fatSector() []byte {
	disk := make([]byte, diskBytes)
	binary.LittleEndian.PutUint16(disk[11:], 512)
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}

func TestFileSystems(t *testing.T) {
	for _, c := range []struct {
		disk        []byte
		name, label string
	}{
		{put(put(fatSector(), 0x52, "FAT32   "), 0x47, "RAYOS-ESP  "), "FAT32", "RAYOS-ESP"},
		{put(put(fatSector(), 0x36, "FAT16   "), 0x2b, "NO NAME    "), "FAT16", ""},
		{put(make([]byte, diskBytes), 0x52, "FAT32   "), "", ""},
		{put(put(fatSector(), 3, "NTFS    "), 0x52, "FAT32   "), "NTFS", ""},
		{put(fatSector(), 3, "EXFAT   "), "exFAT", ""},
		{put(fatSector(), 3, "-FVE-FS-"), "BitLocker", ""},
		{put(make([]byte, diskBytes), 0, "LUKS\xba\xbe\x00\x02"), "LUKS", ""},
		{put(put(make([]byte, diskBytes), 512, "LABELONE"), 512+24, "LVM2 001"), "LVM", ""},
		{put(put(make([]byte, diskBytes), 0x8001, "CD001"), 0x8028, "Debian 12.1 amd64 n             "), "ISO 9660", "Debian 12.1 amd64 n"},
		{put(put(make([]byte, diskBytes), 0x10040, "_BHRfS_M"), 0x1012b, "b\xfftr"), "btrfs", "b\ufffdtr"},
		{put(put(make([]byte, diskBytes), 1024+56, "\x53\xef"), 1024+120, "root"), "ext2", "root"},
		{put(make([]byte, 300), 0, "XFSB"), "XFS", ""},
		{make([]byte, diskBytes), "", ""},
		{nil, "", ""},
	} {
		if name, label := fileSystem(bytes.NewReader(c.disk), 0, int64(len(c.disk))); name != c.name || label != c.label {
			t.Errorf("%q %q, want %q %q", name, label, c.name, c.label)
		}
	}
}

// TestFormatters asks the tools that make file systems, and blkid what it sees.
func TestFormatters(t *testing.T) {
	for _, c := range []struct {
		command     []string
		name, label string
		blkid       string
	}{
		{[]string{"mkfs.vfat", "-F", "32", "-n", "STICK"}, "FAT32", "STICK", "vfat"},
		{[]string{"mkfs.vfat", "-F", "16"}, "FAT16", "", "vfat"},
		{[]string{"mkfs.vfat", "-F", "12"}, "FAT12", "", "vfat"},
		{[]string{"mkfs.ext4", "-q", "-L", "root"}, "ext4", "root", "ext4"},
		{[]string{"mkfs.ext3", "-q"}, "ext3", "", "ext3"},
		{[]string{"mkfs.ext2", "-q"}, "ext2", "", "ext2"},
		{[]string{"mkswap", "-L", "pages"}, "swap", "pages", "swap"},
	} {
		t.Run(strings.Join(c.command, " "), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "disk")
			if err := os.WriteFile(file, make([]byte, 5*diskBytes), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := exec.LookPath(c.command[0]); err != nil {
				t.Skip(err)
			}
			if out, err := exec.Command(c.command[0], append(slices.Clone(c.command[1:]), file)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			disk, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, disk); got.FileSystem != c.name || got.Label != c.label || got.Table != "" || got.Empty() {
				t.Errorf("%+v", got)
			}
			if out, err := exec.Command("blkid", "-p", "-o", "value", "-s", "TYPE", file).Output(); err != nil || strings.TrimSpace(string(out)) != c.blkid {
				t.Errorf("blkid says %q, %v", out, err)
			}
		})
	}
}

// withGPT makes a table of these partitions.
func withGPT(t *testing.T, parts ...*diskgpt.Partition) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(diskBytes); err != nil {
		t.Fatal(err)
	}
	table := diskgpt.Table{LogicalSectorSize: 512, PhysicalSectorSize: 512, ProtectiveMBR: true, Partitions: parts}
	if err := table.Write(f, diskBytes); err != nil {
		t.Fatal(err)
	}
	disk, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return disk
}

func windowsDisk(t *testing.T) []byte {
	disk := withGPT(t,
		&diskgpt.Partition{Index: 1, Start: 2048, End: 4095, Type: diskgpt.EFISystemPartition, Name: "EFI system partition"},
		&diskgpt.Partition{Index: 2, Start: 4096, End: 6143, Type: diskgpt.MicrosoftReserved, Name: "Microsoft reserved partition"},
		&diskgpt.Partition{Index: 3, Start: 6144, End: 8191, Type: diskgpt.MicrosoftBasicData, Name: "Basic data partition"})
	put(disk, 2048*512+0x52, "FAT32   ")
	put(disk, 2048*512+11, "\x00\x02")
	put(disk, 2048*512+510, "\x55\xaa")
	return put(disk, 6144*512+3, "NTFS    ")
}

func TestGPT(t *testing.T) {
	disk := windowsDisk(t)
	c := read(t, disk)
	if c.Table != GPT || len(c.Damage) > 0 || !slices.Equal(c.Systems, []string{"Windows"}) || c.Unknown || c.Empty() || len(c.Partitions) != 3 {
		t.Fatalf("%+v", c)
	}
	for i, want := range []string{"FAT32", "", "NTFS"} {
		if p := c.Partitions[i]; p.Number != i+1 || p.FileSystem != want || p.StartBytes != int64(i+1)*gpt.MiB || p.SizeBytes != gpt.MiB {
			t.Errorf("partition %+v, want %q", p, want)
		}
	}
	if other, err := Read(bytes.NewReader(disk), diskBytes, 4096); err != nil || len(other.Damage) != 1 {
		t.Errorf("with other sectors: %+v, %v", other, err)
	}
	disk[600]++
	if c := read(t, disk); c.Table != GPT || len(c.Damage) != 1 || len(c.Partitions) != 3 {
		t.Errorf("with a damaged primary table: %+v", c)
	}
	disk[diskBytes-500]++
	if c := read(t, disk); c.Table != GPT || len(c.Damage) != 1 || len(c.Partitions) != 0 || c.Empty() {
		t.Errorf("with two damaged tables: %+v", c)
	}
}

func TestMorePartitionsAreCounted(t *testing.T) {
	parts := make([]*diskgpt.Partition, 128)
	for i := range parts {
		parts[i] = &diskgpt.Partition{Index: i + 1, Start: uint64(2048 + i), End: uint64(2048 + i), Type: diskgpt.LinuxFilesystem}
	}
	disk := withGPT(t, parts...)
	c := Content{}
	table, _, err := gpt.Read(bytes.NewReader(disk), diskBytes)
	if err != nil {
		t.Fatal(err)
	}
	c.addGPT(bytes.NewReader(disk), table)
	c.addGPT(bytes.NewReader(disk), table)
	if len(c.Partitions) != MaxPartitions || c.More != 128 {
		t.Errorf("%d partitions and %d more", len(c.Partitions), c.More)
	}
}

// entry is one of a classic table.
func entry(active, typ byte, first, sectors uint32) []byte {
	b := []byte{active, 0, 0, 0, typ, 0, 0, 0}
	b = binary.LittleEndian.AppendUint32(b, first)
	return binary.LittleEndian.AppendUint32(b, sectors)
}

func mbr(disk []byte, sector int, entries ...[]byte) []byte {
	copy(disk[sector*512+446:], bytes.Join(entries, nil))
	return put(disk, sector*512+510, "\x55\xaa")
}

func TestMBR(t *testing.T) {
	disk := mbr(make([]byte, diskBytes), 0, entry(0x80, 7, 2048, 2048), entry(0, 0, 0, 0), entry(0, 0x83, 4096, 9999999), entry(0, 5, 6144, 8192))
	mbr(disk, 6144, entry(0, 0x82, 63, 100), entry(0, 5, 1024, 1024))
	mbr(disk, 6144+1024, entry(0, 0x8e, 63, 100), entry(0, 5, 0, 8192)) // back to the start
	put(disk, 2048*512+3, "NTFS    ")
	c := read(t, disk)
	var numbers []int
	for _, p := range c.Partitions {
		numbers = append(numbers, p.Number)
	}
	if c.Table != MBR || !slices.Equal(numbers, []int{1, 3, 4, 5, 6}) || !slices.Equal(c.Systems, []string{"Windows", "Linux"}) || len(c.Damage) != 1 || c.More != 0 {
		t.Errorf("%+v", c)
	}
	if p := c.Partitions[4]; p.StartBytes != (6144+1024+63)*512 || p.Type != "Linux LVM" {
		t.Errorf("%+v", p)
	}
	if c := read(t, fatSector()); c.Table != "" || !c.Unknown {
		t.Errorf("a boot sector without partitions: %+v", c)
	}
	protective := mbr(make([]byte, diskBytes), 0, entry(0, 0xee, 1, 9999))
	if c := read(t, protective); c.Table != "" || c.Empty() {
		t.Errorf("a protective table without a GPT: %+v", c)
	}
}

// TestClassicTableOverOldGPT: the GPT's backup is left at the end of a disk that was
// partitioned anew by an old tool.
func TestClassicTableOverOldGPT(t *testing.T) {
	disk := windowsDisk(t)
	clear(disk[:34*512])
	if c := read(t, disk); c.Table != GPT || !c.GUIDTable.FromBackup {
		t.Errorf("the backup alone: %+v", c)
	}
	mbr(disk, 0, entry(0, 0x83, 2048, 2048))
	if c := read(t, disk); c.Table != MBR || len(c.Partitions) != 1 || len(c.Damage) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestEmptyAndUnknown(t *testing.T) {
	empty := make([]byte, diskBytes)
	erased := bytes.Repeat([]byte{0xff}, diskBytes)
	for name, disk := range map[string][]byte{"zeros": empty, "ones": erased, "tiny": make([]byte, 700)} {
		if c := read(t, disk); !c.Empty() {
			t.Errorf("%s: %+v", name, c)
		}
	}
	for _, at := range []int{0, EdgeBytes - 1, diskBytes - EdgeBytes, diskBytes - 1} {
		disk := bytes.Clone(empty)
		disk[at] = 1
		if c := read(t, disk); c.Empty() || !c.Unknown {
			t.Errorf("a byte at %d is overlooked: %+v", at, c)
		}
	}
}

func TestFingerprint(t *testing.T) {
	disk := windowsDisk(t)
	start := read(t, disk).Fingerprint
	for _, at := range []int{0, 446, 1024 + 60, EdgeBytes - 1, diskBytes - 512, diskBytes - EdgeBytes} {
		other := bytes.Clone(disk)
		other[at] ^= 1
		if read(t, other).Fingerprint == start {
			t.Errorf("a changed byte at %d changes nothing", at)
		}
	}
	if read(t, bytes.Clone(disk)).Fingerprint != start {
		t.Error("the same disk has another fingerprint")
	}
}
