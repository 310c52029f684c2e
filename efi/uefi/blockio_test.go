package uefi_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

const diskBytes = 4 << 20

// newDisk attaches a disk of random bytes.
func newDisk(t *testing.T, fw *fakefw.Firmware, blockSize int) (*fakefw.Disk, *uefi.BlockIO, []byte) {
	t.Helper()
	content := make([]byte, diskBytes)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(content)
	disk := fw.AddDisk(&fakefw.Sparse{}, blockSize, uint64(diskBytes/blockSize))
	if _, err := disk.Medium.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	dev, err := fw.System().BlockIO(disk.Handle)
	if err != nil {
		t.Fatal(err)
	}
	return disk, dev, content
}

func TestBlockIORead(t *testing.T) {
	for _, blockSize := range []int{512, 4096} {
		fw := newFirmware(t)
		_, dev, content := newDisk(t, fw, blockSize)
		if dev.Size() != diskBytes || dev.BlockSize() != blockSize || dev.Media().Partition {
			t.Errorf("size %d, block size %d, media %+v", dev.Size(), dev.BlockSize(), dev.Media())
		}
		for _, r := range []struct{ offset, size int }{
			{0, 512}, {0, 0}, {1, 1}, {511, 2}, {4095, 4098}, {100, 3 << 20}, {diskBytes - 1, 1}, {diskBytes - 5000, 5000},
		} {
			got := make([]byte, r.size)
			n, err := dev.ReadAt(got, int64(r.offset))
			if n != r.size || err != nil || !bytes.Equal(got, content[r.offset:r.offset+r.size]) {
				t.Errorf("%d bytes at %d: %d, %v", r.size, r.offset, n, err)
			}
		}
		got := make([]byte, 100)
		if n, err := dev.ReadAt(got, diskBytes-10); n != 10 || err != io.EOF || !bytes.Equal(got[:10], content[diskBytes-10:]) {
			t.Errorf("across the end: %d bytes, %v", n, err)
		}
		if n, err := dev.ReadAt(got, diskBytes+1); n != 0 || err != io.EOF {
			t.Errorf("behind the end: %d bytes, %v", n, err)
		}
		if _, err := dev.ReadAt(got, -1); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("before the start: %v", err)
		}
	}
}

func TestBlockIOReadPages(t *testing.T) {
	fw := newFirmware(t)
	_, dev, content := newDisk(t, fw, 4096)
	before := fw.Calls()
	p, err := dev.ReadPages(8192, 3_000_001)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(p.Bytes(), content[8192:8192+3_000_001]) {
		t.Error("the pages do not hold the disk's bytes")
	}
	if reads := strings.Count(strings.Join(fw.CallLog()[before:], " "), "ReadBlocks"); reads != 3 {
		t.Errorf("took %d reads, want 3", reads)
	}
	if err := p.Free(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		offset int64
		size   int
	}{{1, 10}, {-4096, 10}, {diskBytes, 1}, {0, diskBytes + 1}, {0, -1}} {
		if _, err := dev.ReadPages(r.offset, r.size); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%d bytes at %d: %v", r.size, r.offset, err)
		}
	}
}

func TestBlockIOWrite(t *testing.T) {
	fw := newFirmware(t)
	disk, dev, content := newDisk(t, fw, 512)
	change := bytes.Repeat([]byte("rayos..."), 300_032/8)
	if n, err := dev.WriteAt(change, 1024); n != len(change) || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if err := dev.Flush(); err != nil {
		t.Fatal(err)
	}
	copy(content[1024:], change)
	got := make([]byte, diskBytes)
	if _, err := disk.Medium.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the disk does not hold what was written, %v", err)
	}
	for _, r := range []struct {
		offset int64
		size   int
		is     error
	}{{1, 512, fs.ErrInvalid}, {0, 100, fs.ErrInvalid}, {diskBytes, 512, fs.ErrInvalid}} {
		if n, err := dev.WriteAt(make([]byte, r.size), r.offset); n != 0 || !errors.Is(err, r.is) {
			t.Errorf("%d bytes at %d: %d, %v", r.size, r.offset, n, err)
		}
	}
	disk.SetReadOnly()
	if _, err := dev.WriteAt(make([]byte, 512), 0); !errors.Is(err, uefi.ErrWriteProtected) || !strings.Contains(err.Error(), "write 512 bytes at 0 of block device") {
		t.Errorf("read-only: %v", err)
	}
}

func TestBlockIOPartition(t *testing.T) {
	fw := newFirmware(t)
	disk, _, content := newDisk(t, fw, 512)
	p := disk.AddPartition(2, uefi.PartitionInfo{StartLBA: 100, EndLBA: 199})
	dev, err := fw.System().BlockIO(p.Handle)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 100*512)
	if n, err := dev.ReadAt(got, 0); n != len(got) || err != nil || !bytes.Equal(got, content[100*512:200*512]) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if !dev.Media().Partition || dev.Size() != int64(len(got)) {
		t.Errorf("media %+v", dev.Media())
	}
}

// TestBlockIORefusesMedia changes what the firmware says about a medium.
func TestBlockIORefusesMedia(t *testing.T) {
	for want, lie := range map[string]func(m *raw.BlockIOMedia){
		"EFI_NO_MEDIA":    func(m *raw.BlockIOMedia) { m.MediaPresent = 0 },
		"block size 0":    func(m *raw.BlockIOMedia) { m.BlockSize = 0 },
		"block size 513":  func(m *raw.BlockIOMedia) { m.BlockSize = 513 },
		"block size 2147": func(m *raw.BlockIOMedia) { m.BlockSize = 1 << 31 },
		"EFI_UNSUPPORTED": func(m *raw.BlockIOMedia) { m.IoAlign = 8192 },
		"last block 1844": func(m *raw.BlockIOMedia) { m.LastBlock = 1<<64 - 1 },
	} {
		fw := newFirmware(t)
		disk, dev, _ := newDisk(t, fw, 512)
		lie(disk.RawMedia())
		if _, err := fw.System().BlockIO(disk.Handle); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		disk.RawMedia().MediaID++
		if _, err := dev.ReadAt(make([]byte, 1), 0); err == nil {
			t.Errorf("a changed medium (%s) was read", want)
		}
	}
}
