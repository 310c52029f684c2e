package gpt

import (
	"errors"
	"testing"
)

func TestLayoutPositions(t *testing.T) {
	parts := Layout()
	if got := parts[0].StartBytes / 512; got != 2048 {
		t.Errorf("ESP starts at LBA %d, want 2048", got)
	}
	if got := parts[1].StartBytes / 512; got != 821248 {
		t.Errorf("kernel partition starts at LBA %d, want 821248", got)
	}
	for i, want := range []int64{400 * MiB, 4 * GiB, 16 * GiB, 20 * GiB, 30 * GiB} {
		if parts[i].SizeBytes != want || parts[i].Number != i+1 {
			t.Errorf("partition %d: number %d, %d bytes, want %d", i+1, parts[i].Number, parts[i].SizeBytes, want)
		}
	}
	for _, sector := range []int{512, 4096} {
		if err := (Geometry{DiskBytes: MinDiskBytes, SectorSize: sector}).Check(parts); err != nil {
			t.Errorf("%d-byte sectors: %v", sector, err)
		}
	}
}

func TestCheck(t *testing.T) {
	change := func(i int, f func(*Partition)) []Partition {
		parts := Layout()
		f(&parts[i])
		return parts
	}
	good := Geometry{DiskBytes: MinDiskBytes, SectorSize: 512}
	end := good.EndUsable()
	tests := []struct {
		name  string
		g     Geometry
		parts []Partition
		want  error
	}{
		{"fits", good, Layout(), nil},
		{"sector size", Geometry{MinDiskBytes, 520}, nil, ErrSectorSize},
		{"no room for the table", Geometry{512 * 67, 512}, nil, ErrDiskSize},
		{"not whole sectors", Geometry{MinDiskBytes + 1, 512}, nil, ErrDiskSize},
		{"disk too small", Geometry{70 * GiB, 512}, Layout(), ErrOutOfBounds},
		{"overlap of neighbours", good, change(1, func(p *Partition) { p.StartBytes -= MiB }), ErrOverlap},
		{"overlap of a far one", good, change(4, func(p *Partition) { p.StartBytes = 64 * MiB }), ErrOverlap},
		{"same place", good, change(1, func(p *Partition) { p.StartBytes = MiB }), ErrOverlap},
		{"in front of the table's end", good, change(0, func(p *Partition) { p.StartBytes = 0 }), ErrOutOfBounds},
		{"size overflows", good, change(4, func(p *Partition) { p.SizeBytes = 1<<63 - 512 }), ErrOutOfBounds},
		{"up to the last usable byte", good, change(4, func(p *Partition) { p.SizeBytes = end - p.StartBytes }), nil},
		{"one sector more", good, change(4, func(p *Partition) { p.SizeBytes = end - p.StartBytes + 512 }), ErrOutOfBounds},
		{"empty", good, change(2, func(p *Partition) { p.SizeBytes = 0 }), ErrOutOfBounds},
		{"unaligned start", good, change(4, func(p *Partition) { p.StartBytes += 512 }), ErrAlignment},
		{"number twice", good, change(4, func(p *Partition) { p.Number = 1 }), ErrEntry},
		{"number 0", good, change(4, func(p *Partition) { p.Number = 0 }), ErrEntry},
		{"no type", good, change(4, func(p *Partition) { p.Type = GUID{} }), ErrEntry},
		{"long name", good, change(4, func(p *Partition) { p.Name = "0123456789012345678901234567890123456" }), ErrEntry},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.g.Check(test.parts)
			if !errors.Is(err, test.want) || (err != nil) != (test.want != nil) {
				t.Errorf("Check: %v, want %v", err, test.want)
			}
		})
	}
}

func TestGUIDText(t *testing.T) {
	const text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	g := MustParseGUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
	if g.String() != text {
		t.Errorf("String: %s, want %s", g, text)
	}
	if want := (GUID{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}); g != want {
		t.Errorf("bytes: %x, want %x", g[:], want[:])
	}
	for _, bad := range []string{"", text + "0", text[1:], "c12a7328-f81f-11d2-ba4b-00a0c93ec93g", "c12a7328xf81f-11d2-ba4b-00a0c93ec93b", "c12a-328-f81f-11d2-ba4b-00a0c93ec93b"} {
		if _, err := ParseGUID(bad); err == nil {
			t.Errorf("ParseGUID(%q) succeeds", bad)
		}
	}
}
