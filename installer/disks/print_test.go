package disks

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

func printed(t *testing.T, l List) string {
	t.Helper()
	var b bytes.Buffer
	if err := Print(&b, l, true); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrintLaptop(t *testing.T) {
	l, err := tree(t, "laptop").List()
	if err != nil {
		t.Fatal(err)
	}
	text := printed(t, l)
	for _, want := range []string{
		"NAME        BUS     SIZE      MODEL                   SERIAL\n",
		"nvme0n1     nvme    931.5 GiB Samsung SSD 980         S64ANX0\n",
		"sda         usb     28.6 GiB  SanDisk Ultra [31m?     4C530001230101117382\n  empty\n  not written: it is in use: sda1 is mounted at /media/me/MY STICK; end that\n    first\n",
		"  not written: this system runs from it\n",
		"  written only with --internal\n",
		"  written only with --unknown-transport\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// TestPrintIsNarrow has a disk whose every name could do something to a terminal.
func TestPrintIsNarrow(t *testing.T) {
	evil := "\x1b[2J\u202e\n" + strings.Repeat("W", 90)
	d := plan.Disk{
		Identity:  plan.Identity{Name: evil, Model: evil, Serial: evil, SizeBytes: 1<<63 - 1},
		Transport: plan.NVMe, Vendor: evil, ReadOnly: true,
		Content: signature.Content{Table: signature.GPT, FileSystem: "ISO 9660", Label: evil, Systems: []string{"Windows", "Linux"}, Damage: []string{strings.Repeat("broken ", 40)}, More: 3},
	}
	for i := range 12 {
		d.Content.Partitions = append(d.Content.Partitions, signature.Partition{
			Number: 117 + i, Name: evil, Type: evil, SizeBytes: 1<<63 - 1, FileSystem: "Linux RAID", Label: evil,
		})
	}
	d.Content.Partitions[0].Name = ""
	text := printed(t, List{Disks: []plan.Disk{d, d}, More: strings.Split(strings.Repeat("sdaaa ", 40), " ")})
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 || strings.ContainsAny(line, "\x1b\u202e") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, want := range []string{"... and 7 more\n", "At most 16 disks are listed. There are 41 more: sdaaa, "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if text := printed(t, List{}); text != "There is no disk.\n" {
		t.Errorf("%q", text)
	}
}

func TestPrintPartitions(t *testing.T) {
	d := plan.Disk{Identity: plan.Identity{Name: "sdb", SizeBytes: 64 * gpt.GiB}, Transport: plan.USB, Content: signature.Content{
		Table: signature.MBR,
		Partitions: []signature.Partition{
			{Number: 1, Type: "NTFS or exFAT", SizeBytes: 400 * gpt.MiB, FileSystem: "NTFS"},
			{Number: 2, Name: "EFI System", SizeBytes: gpt.GiB, FileSystem: "FAT32", Label: "STICK"},
		},
	}}
	const want = `NAME        BUS     SIZE      MODEL                   SERIAL
sdb         usb     64 GiB
  2 partitions (MBR)
    1  NTFS or exFAT                  400 MiB  NTFS
    2  EFI System                       1 GiB  FAT32 "STICK"
  written only with --erase
`
	l := List{Disks: []plan.Disk{d}}
	if text := printed(t, l); text != want {
		t.Error(text)
	}
	var dialog bytes.Buffer
	if err := Print(&dialog, l, false); err != nil || dialog.String()+"  written only with --erase\n" != want {
		t.Errorf("in a dialog: %v\n%s", err, &dialog)
	}
	l.Disks[0].Running = true // what an option would do does not matter any more
	if text := printed(t, l); !strings.HasSuffix(text, "STICK\"\n  not written: this system runs from it\n") {
		t.Error(text)
	}
}

func TestPrintPlan(t *testing.T) {
	d := plan.Disk{Identity: plan.Identity{Name: "sdb", SizeBytes: gpt.MinDiskBytes, SectorSize: 512}, Transport: plan.USB, OptimalBytes: 3 * gpt.MiB, Content: signature.Content{
		Table: signature.MBR,
		Partitions: []signature.Partition{
			{Number: 1, Type: "FAT32", StartBytes: gpt.MiB, SizeBytes: 10 * gpt.GiB},
			{Number: 2, Type: "extended", StartBytes: 20 * gpt.GiB, SizeBytes: 20 * gpt.GiB},
			{Number: 5, Type: "Linux", StartBytes: 21 * gpt.GiB, SizeBytes: 10 * gpt.GiB},
		},
	}}
	p, err := plan.New(d, plan.Request{Consent: plan.Consent{Erase: true}, NewID: func() gpt.GUID { return gpt.GUID{7} }})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := PrintPlan(&b, p, false); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"\nNow:\n┌", "│1            │              │5            │ ", "\nAfterwards:\n┌", "│EFI Sys…│RayOS Ke…│", "  2  RayOS Kernel        821248      4 GiB  ",
		"All that lies on the disk now will be lost.\n", "Note: the standard layout has fixed places, which are no multiples of the\n  disk's optimal I/O size of 3145728 bytes.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	b.Reset()
	p.Kept = []int{4, 5, 9}
	p.Disk.Content = signature.Content{}
	if err := PrintPlan(&b, p, true); err != nil || !strings.Contains(b.String(), "Kept as they are: partitions 4, 5 and 9.\n") ||
		strings.Contains(b.String(), "Now:") || !strings.Contains(b.String(), "\x1b[") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
