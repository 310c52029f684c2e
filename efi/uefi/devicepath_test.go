package uefi_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
)

// satDisk is a device path as OVMF makes it for a file on a SATA disk:
// PciRoot(0x0)/Pci(0x1F,0x2)/Sata(0x0,0xFFFF,0x0)/HD(1,GPT,...)/\A.EFI
const sataFile = "02010c00d041030a00000000" + "010106000 21f" + "03120a000000ffff0000" +
	"04012a00" + "01000000" + "0008000000000000" + "0080 0c0000000000" + "33221100554477668899aabbccddeeff" + "0202" +
	"040410005c0041002e00450046000000" + "7fff0400"

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDevicePath(t *testing.T) {
	b := fromHex(t, sataFile)
	p, err := uefi.ParseDevicePath(append(slices.Clone(b), 1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p, b) {
		t.Errorf("path is % x", []byte(p))
	}
	want := `PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x0,0xffff,0x0)/HD(1,GPT,00112233-4455-6677-8899-aabbccddeeff,0x800,0xc8000)/\A.EF`
	if p.String() != want {
		t.Errorf("text is %s\nwant    %s", p, want)
	}
	hd, ok := p.HardDrive()
	if !ok || hd.PartitionNumber != 1 || hd.StartLBA != 2048 || hd.SizeLBA != 0xc8000 {
		t.Errorf("hard drive is %+v, %t", hd, ok)
	}
	if g, ok := hd.GUID(); !ok || g.String() != "00112233-4455-6677-8899-aabbccddeeff" {
		t.Errorf("partition GUID is %v, %t", g, ok)
	}
	if p.FilePath() != `\A.EF` {
		t.Errorf("file path is %q", p.FilePath())
	}
}

func TestDevicePathAppend(t *testing.T) {
	p, err := uefi.ParseDevicePath(fromHex(t, sataFile))
	if err != nil {
		t.Fatal(err)
	}
	var rebuilt uefi.DevicePath
	nodes := p.Nodes()
	if rebuilt, err = rebuilt.Append(nodes...); err != nil || !bytes.Equal(rebuilt, p) {
		t.Errorf("rebuilt as % x, %v", []byte(rebuilt), err)
	}
	hd, _ := p.HardDrive()
	if n := hd.Node(); !bytes.Equal(n.Data, nodes[3].Data) {
		t.Errorf("hard drive node is % x", n.Data)
	}
	for name, want := range map[string]string{
		"EFI/rayos/vmlinuz": `\EFI\rayos\vmlinuz`, `\a.efi`: `\a.efi`, "/b": `\b`,
	} {
		f, err := uefi.DevicePath(nil).AppendFile(name)
		if err != nil || f.FilePath() != want {
			t.Errorf("%q became %q, %v", name, f.FilePath(), err)
		}
	}
	if _, err := p.Append(uefi.Node{Type: 3, SubType: 0x18, Data: make([]byte, 1<<16)}); err == nil {
		t.Error("a node of 64 KiB was appended")
	}
	if _, err := p.Append(uefi.Node{Type: 0x7f, SubType: 0xff}); err == nil {
		t.Error("an end node was appended")
	}
}

func TestDevicePathText(t *testing.T) {
	for _, c := range []struct{ node, want string }{
		{"01 03 1800 0b000000 00009fbf00000000 ffffffbf00000000", "MemoryMapped(0xb,0xbf9f0000,0xbfffffff)"},
		{"01 04 1600 61dfe48bca93d211aa0d00e098032b8c 0102", "VenHw(8be4df61-93ca-11d2-aa0d-00e098032b8c,0102)"},
		{"01 05 0800 02000000", "Ctrl(0x2)"},
		{"02 01 0c00 d041080a 01000000", "PcieRoot(0x1)"},
		{"02 01 0c00 d0410406 00000000", "Floppy(0x0)"},
		{"02 01 0c00 d0410105 00000000", "Serial(0x0)"},
		{"02 01 0c00 d0410303 00000000", "Acpi(PNP0303,0x0)"},
		{"02 01 0c00 01020304 00000000", "Acpi(0x04030201,0x0)"},
		{"03 01 0800 01000200", "Ata(0x2)"},
		{"03 02 0800 03000100", "Scsi(0x3,0x1)"},
		{"03 05 0600 0100", "USB(0x1,0x0)"},
		{"03 0a 1400 61dfe48bca93d211aa0d00e098032b8c", "VenMsg(8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
		{"03 0b 2500 5254001234560000000000000000000000000000000000000000000000000000 01", "MAC(525400123456,0x1)"},
		{"03 0e 1300 00000000 00c2010000000000 08 01 01", "Uart(115200,8,N,1)"},
		{"03 0e 1300 00000000 00c2010000000000 08 09 09", "Uart(115200,8,D,D)"},
		{"03 17 1000 01000000 0807060504030201", "NVMe(0x1,01-02-03-04-05-06-07-08)"},
		{"03 18 0a00 687474703a2f", "Uri(http:/)"},
		{"03 1a 0500 00", "SD(0x0)"},
		{"03 1d 0500 01", "eMMC(0x1)"},
		{"04 01 2a00 02000000 3f00000000000000 0010000000000000 efbeadde000000000000000000000000 01 01", "HD(2,MBR,0xdeadbeef,0x3f,0x1000)"},
		{"04 01 2a00 02000000 3f00000000000000 0010000000000000 00000000000000000000000000000000 01 00", "HD(2,0,0,0x3f,0x1000)"},
		{"04 02 1800 01000000 1000000000000000 2000000000000000", "CDROM(0x1,0x10,0x20)"},
		{"04 03 1400 27e46855fc683d4fac74ca555231cc68", "VenMedia(5568e427-68fc-4f3d-ac74-ca555231cc68)"},
		{"04 04 0a00 5c000a00 0000", `\?`},
		{"04 06 1400 61dfe48bca93d211aa0d00e098032b8c", "FvFile(8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
		{"04 07 1400 61dfe48bca93d211aa0d00e098032b8c", "Fv(8be4df61-93ca-11d2-aa0d-00e098032b8c)"},
		{"04 08 1800 00000000 0100000000000000 0200000000000000", "Offset(0x1,0x2)"},
		{"01 01 0500 1f", "Path(1,1,1f)"},
		{"05 01 0600 0102", "Path(5,1,0102)"},
		{"03 05 0600 0100 7f 01 0400 03 05 0600 0200", "USB(0x1,0x0),USB(0x2,0x0)"},
	} {
		p, err := uefi.ParseDevicePath(fromHex(t, c.node+"7fff0400"))
		if err != nil || p.String() != c.want {
			t.Errorf("%s: %v, %v; want %s", c.node, p, err, c.want)
		}
	}
}

func TestDevicePathRefused(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"", "node at byte 0: path ends without an end node"},
		{"7fff04", "path ends without an end node"},
		{"01010300 7fff0400", "length 3 is not within 4 to 8"},
		{"0101ffff 7fff0400", "length 65535 is not within 4 to 8"},
		{"7fff0a00 303030303030", "end node has length 10 instead of 4"},
		{"010106001f02", "node at byte 6: path ends without an end node"},
		{strings.Repeat("01010600 1f02", 3000) + "7fff0400", "more than 16384 bytes"},
	} {
		_, err := uefi.ParseDevicePath(fromHex(t, c.path))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: %v, want %q", c.path, err, c.want)
		}
	}
	if n := uefi.DevicePath("nonsense").Nodes(); n != nil {
		t.Errorf("nonsense has the nodes %v", n)
	}
}

func FuzzParseDevicePath(f *testing.F) {
	f.Add(fromHex(f, sataFile))
	f.Add(fromHex(f, "7fff0400"))
	f.Add(fromHex(f, "030506000100 7f010400 7fff0400"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := uefi.ParseDevicePath(b)
		if err != nil {
			return
		}
		_, _, _ = p.String(), p.FilePath(), len(p.Nodes())
		if hd, ok := p.HardDrive(); ok && len(hd.Node().Data) != 38 {
			t.Errorf("hard drive %+v has a node of %d bytes", hd, len(hd.Node().Data))
		}
		again, err := uefi.DevicePath(nil).Append(p.Nodes()...)
		if err != nil || len(again) != len(p) || again.String() != p.String() {
			t.Errorf("% x became % x, %v", []byte(p), []byte(again), err)
		}
	})
}

func FuzzParseLoadOption(f *testing.F) {
	path := fromHex(f, sataFile)
	f.Add(fromHex(f, "0100000004004100000 07fff0400 aabb"))
	f.Add(binary.LittleEndian.AppendUint16([]byte{1, 0, 0, 0}, uint16(len(path))))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := uefi.ParseLoadOption(b)
		if err != nil {
			return
		}
		encoded, err := o.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := uefi.ParseLoadOption(encoded)
		if err != nil || again.Description != o.Description || again.Attributes != o.Attributes ||
			len(again.FilePaths) != len(o.FilePaths) || !bytes.Equal(again.OptionalData, o.OptionalData) {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
	})
}

func TestLoadOption(t *testing.T) {
	path, err := uefi.ParseDevicePath(fromHex(t, sataFile))
	if err != nil {
		t.Fatal(err)
	}
	o := uefi.LoadOption{
		Attributes: uefi.LoadOptionActive, Description: "RayOS", FilePaths: []uefi.DevicePath{path, path}, OptionalData: []byte("data"),
	}
	b, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	size := uint16(2 * len(path))
	head := append([]byte{1, 0, 0, 0, byte(size), byte(size >> 8)}, "R\x00a\x00y\x00O\x00S\x00\x00\x00"...)
	if want := slices.Concat(head, path, path, []byte("data")); !bytes.Equal(b, want) {
		t.Errorf("encoded as % x\nwant       % x", b, want)
	}
	got, err := uefi.ParseLoadOption(b)
	if err != nil || got.Description != o.Description || len(got.FilePaths) != 2 || !bytes.Equal(got.FilePaths[1], path) || string(got.OptionalData) != "data" {
		t.Errorf("parsed %+v, %v", got, err)
	}
	for _, c := range []struct {
		option []byte
		want   string
	}{
		{b[:5], "5 bytes are too few"},
		{b[:12], "description has no end"},
		{b[:40], "bytes of file paths in 22"},
		{append(slices.Clone(b[:18]), make([]byte, 200)...), "length 0 is not within"},
	} {
		if _, err := uefi.ParseLoadOption(c.option); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes: %v, want %q", len(c.option), err, c.want)
		}
	}
	o.FilePaths = []uefi.DevicePath{{1, 2, 3}}
	if _, err := o.Encode(); err == nil {
		t.Error("a malformed path was encoded")
	}
}
