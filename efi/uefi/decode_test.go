package uefi

import (
	"math"
	"testing"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

func FuzzDecodeFileInfo(f *testing.F) {
	r := raw.FileInfo{Size: 84, FileSize: 5, Attribute: raw.FileDirectory}
	f.Add(append(raw.Encode(&r), 'a', 0, 0, 0))
	f.Add(raw.Encode(&r))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := decodeFileInfo(b)
		if err != nil {
			return
		}
		if i.Size() < 0 || i.IsDir() && i.Size() != 0 || i.IsDir() != i.Mode().IsDir() || len(i.Name()) > 3*len(b) {
			t.Errorf("decoded %v", i)
		}
	})
}

func FuzzDecodeMemoryMap(f *testing.F) {
	d := raw.MemoryDescriptor{Type: 7, NumberOfPages: 1}
	f.Add(append(raw.Encode(&d), raw.Encode(&d)...), uint64(40))
	f.Add(make([]byte, 96), uint64(48))
	f.Fuzz(func(t *testing.T, b []byte, stride uint64) {
		m, err := decodeMemoryMap(b, uintptr(stride))
		if err == nil && uint64(len(m))*stride != uint64(len(b)) {
			t.Errorf("%d ranges in %d bytes of stride %d", len(m), len(b), stride)
		}
	})
}

func FuzzUCS2(f *testing.F) {
	f.Add("RayOS", []byte("R\x00a\x00\x00\x00"))
	f.Add("🚀\x00\xff", []byte{0x3d, 0xd8, 0x80, 0xde, 0x00, 0xd8, 1})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		units := encodeUCS2(s)
		if units[len(units)-1] != 0 {
			t.Error("no null at the end")
		}
		for _, u := range units[:len(units)-1] {
			if u == 0 {
				t.Error("a null within")
			}
		}
		text := DecodeUTF16(b)
		if again := DecodeUTF16(EncodeUTF16(text)); again != text {
			t.Errorf("%q became %q", text, again)
		}
	})
}

func FuzzMedia(f *testing.F) {
	f.Add(uint32(512), uint32(512), uint64(1000))
	f.Add(uint32(0), uint32(1<<31), uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, blockSize, align uint32, last uint64) {
		m, err := checkMedia(raw.BlockIOMedia{MediaPresent: 1, BlockSize: blockSize, IoAlign: align, LastBlock: last})
		if err != nil {
			return
		}
		b := BlockIO{media: m}
		if b.Size() <= 0 || b.Size()%int64(b.BlockSize()) != 0 || b.Size()/int64(b.BlockSize()) != int64(last)+1 {
			t.Errorf("%+v has %d bytes", m, b.Size())
		}
	})
}

func FuzzDecodeVolumeInfo(f *testing.F) {
	r := raw.FileSystemInfo{Size: 40, VolumeSize: 1 << 29, FreeSpace: 1 << 20, BlockSize: 4096, VolumeLabel: [2]uint16{'E', 0}}
	f.Add(raw.Encode(&r))
	f.Add(raw.Encode(&r)[:36])
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeVolumeInfo(b)
		if err == nil && (v.FreeBytes < 0 || v.FreeBytes > v.SizeBytes || v.BlockBytes < 0 || len(v.Label) > 3*len(b)) {
			t.Errorf("decoded %+v", v)
		}
	})
}
