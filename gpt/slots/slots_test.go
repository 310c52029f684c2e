package slots

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func testTable() Table {
	return Table{Sequence: 7, Slots: []Slot{
		{
			Index: 0, ID: "rayos-slot", Title: "RayOS (Steckplatz 0, größer)", Options: "console=ttyS0 quiet",
			Kernel: Image{OffsetBytes: ImageOffset, LengthBytes: 8 << 20, SHA256: [32]byte{1, 2, 3}},
			Initrd: Image{OffsetBytes: ImageOffset + 8<<20, LengthBytes: 12345, SHA256: [32]byte{4}},
		},
		{
			Index: 15, ID: strings.Repeat("z", MaxID), Title: strings.Repeat("t", MaxTitle), Options: strings.Repeat("o", MaxOptions),
			Kernel: Image{OffsetBytes: AreaOffset(15), LengthBytes: ImageBytes},
		},
	}}
}

func encode(t testing.TB, table Table) []byte {
	t.Helper()
	b, err := Encode(table)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for _, want := range []Table{testTable(), {Sequence: 1}} {
		got, err := Decode(encode(t, want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
}

// TestPlaces holds what docs/on-disk.md says and what the partition can hold.
func TestPlaces(t *testing.T) {
	const partition = 4 << 30
	if LogOffset < CopyBOffset+CopyBytes || ImageOffset < LogOffset+LogBytes || AreaOffset(MaxSlots) > partition {
		t.Error("areas of the kernel partition overlap, or do not fit")
	}
	if offInitrd+imageBytes > offOptions || offOptions+MaxOptions > slotBytes || offSlots+MaxSlots*slotBytes > CopyBytes {
		t.Error("fields of the slot table overlap, or do not fit")
	}
}

func TestEveryFlippedByteIsFound(t *testing.T) {
	b := encode(t, testTable())
	for i := range b {
		b[i] ^= 0x40
		if _, err := Decode(b); err == nil {
			t.Errorf("flipped byte %d goes unnoticed", i)
		}
		b[i] ^= 0x40
	}
}

// sealed applies a change to an encoded table and makes the checksum right.
func sealed(t testing.TB, change func(b []byte)) []byte {
	b := encode(t, testTable())
	change(b)
	binary.LittleEndian.PutUint32(b[offCRC:], checksum(b))
	return b
}

func TestDecodeErrors(t *testing.T) {
	slot0 := func(off int) int { return offSlots + off }
	tests := []struct {
		name   string
		change func(b []byte)
		want   error
	}{
		{"magic", func(b []byte) { b[0] = 'X' }, ErrNoTable},
		{"newer major", func(b []byte) { b[offMajor] = 2 }, ErrVersion},
		{"major 0", func(b []byte) { b[offMajor] = 0 }, ErrInvalid},
		{"sequence 0", func(b []byte) { b[offSequence] = 0 }, ErrInvalid},
		{"ID in capitals", func(b []byte) { b[slot0(offID)] = 'R' }, ErrInvalid},
		{"ID with a hole", func(b []byte) { b[slot0(offID)+2] = 0 }, ErrInvalid},
		{"title not UTF-8", func(b []byte) { b[slot0(offTitle)] = 0xff }, ErrInvalid},
		{"options with a line feed", func(b []byte) { b[slot0(offOptions)] = '\n' }, ErrInvalid},
		{"kernel unaligned", func(b []byte) { b[slot0(offKernel)]++ }, ErrInvalid},
		{"kernel in the log", func(b []byte) { binary.LittleEndian.PutUint64(b[slot0(offKernel):], LogOffset) }, ErrInvalid},
		{"kernel in the next slot", func(b []byte) { binary.LittleEndian.PutUint64(b[slot0(offKernel):], uint64(AreaOffset(1))) }, ErrInvalid},
		{"kernel negative", func(b []byte) { b[slot0(offKernel)+7] = 0x80 }, ErrInvalid},
		{"kernel too long", func(b []byte) { binary.LittleEndian.PutUint64(b[slot0(offKernel)+8:], ImageBytes+1) }, ErrInvalid},
		{"kernel length overflows", func(b []byte) { binary.LittleEndian.PutUint64(b[slot0(offKernel)+8:], 1<<63-1) }, ErrInvalid},
		{"no kernel", func(b []byte) { clear(b[slot0(offKernel):][:imageBytes]) }, ErrInvalid},
		{"initrd over kernel", func(b []byte) { binary.LittleEndian.PutUint64(b[slot0(offInitrd):], ImageOffset+4096) }, ErrInvalid},
		{"initrd without length", func(b []byte) { clear(b[slot0(offInitrd)+8:][:8]) }, ErrInvalid},
		{"same ID twice", func(b []byte) { copy(b[slot0(slotBytes):], b[slot0(0):][:slotBytes]) }, ErrInvalid},
	}
	for _, test := range tests {
		if _, err := Decode(sealed(t, test.change)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	newerMinor := sealed(t, func(b []byte) { b[offMinor] = 9; b[100] = 1 })
	if table, err := Decode(newerMinor); err != nil || !reflect.DeepEqual(table, testTable()) {
		t.Errorf("newer minor version: %+v, %v", table, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	change := func(f func(*Table)) Table {
		table := testTable()
		f(&table)
		return table
	}
	for name, table := range map[string]Table{
		"order":          change(func(t *Table) { t.Slots[0], t.Slots[1] = t.Slots[1], t.Slots[0] }),
		"index":          change(func(t *Table) { t.Slots[1].Index = MaxSlots }),
		"negative index": change(func(t *Table) { t.Slots[0].Index = -1 }),
		"too many":       {Sequence: 1, Slots: make([]Slot, MaxSlots+1)},
		"long ID":        change(func(t *Table) { t.Slots[1].ID += "z" }),
		"no ID":          change(func(t *Table) { t.Slots[1].ID = "" }),
		"long title":     change(func(t *Table) { t.Slots[1].Title += "z" }),
		"long options":   change(func(t *Table) { t.Slots[1].Options += "z" }),
	} {
		if _, err := Encode(table); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// TestRead combines the states of the two copies.
func TestRead(t *testing.T) {
	older, newer := testTable(), testTable()
	older.Sequence, newer.Sequence = 8, 9
	good := func(table Table) []byte { return encode(t, table) }
	torn := good(newer)
	clear(torn[4096:])
	blank := make([]byte, CopyBytes)
	future := sealed(t, func(b []byte) { b[offMajor] = 2 })
	tests := []struct {
		name     string
		a, b     []byte
		sequence uint64
		want     error
	}{
		{"A newer", good(newer), good(older), 9, nil},
		{"B newer", good(older), good(newer), 9, nil},
		{"equal", good(older), good(older), 8, nil},
		{"A torn", torn, good(older), 8, nil},
		{"B torn", good(older), torn, 8, nil},
		{"B blank", good(older), blank, 8, nil},
		{"A blank", blank, good(older), 8, nil},
		{"both torn", torn, torn, 0, ErrChecksum},
		{"both blank", blank, blank, 0, ErrNoTable},
		{"A of the future", future, good(older), 0, ErrVersion},
		{"B of the future", good(older), future, 0, ErrVersion},
		{"B cut off", good(older), nil, 8, nil},
	}
	for _, test := range tests {
		table, err := Read(bytes.NewReader(append(append([]byte(nil), test.a...), test.b...)))
		if !errors.Is(err, test.want) || (err != nil) != (test.want != nil) || table.Sequence != test.sequence {
			t.Errorf("%s: sequence %d (%v), want %d (%v)", test.name, table.Sequence, err, test.sequence, test.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, testTable()))
	f.Add(encode(f, Table{Sequence: 1}))
	f.Add(sealed(f, func(b []byte) { b[offSlots+offKernel+3]++ }))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == CopyBytes { // let more than one in 2^32 through
			binary.LittleEndian.PutUint32(b[offCRC:], checksum(b))
		}
		table, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Decode(encode(t, table))
		if err != nil || !reflect.DeepEqual(again, table) {
			t.Errorf("round trip: %+v, %v; want %+v", again, err, table)
		}
	})
}
