package uefi

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// acpiDump is memory from address 0 on.
type acpiDump []byte

func (m acpiDump) read(address uint64, size int) ([]byte, error) {
	if address > uint64(len(m)) || uint64(size) > uint64(len(m))-address {
		return nil, fmt.Errorf("%d bytes at %#x do not exist", size, address)
	}
	return append([]byte(nil), m[address:][:size]...), nil
}

// seal puts a right checksum into one byte of a range.
func (m acpiDump) seal(start, end, at int) {
	m[at] = 0
	m[at] = -sum(m[start:end])
}

// put lays a table down.
func (m acpiDump) put(address int, signature string, body []byte) {
	copy(m[address:], signature)
	binary.LittleEndian.PutUint32(m[address+4:], uint32(36+len(body)))
	copy(m[address+36:], body)
	m.seal(address, address+36+len(body), address+9)
}

// acpiImage has the RSDP of a revision at 64, its root table at 256 with pointers
// to an APIC at 512 and a WDAT at 1024.
func acpiImage(revision byte) acpiDump {
	m := make(acpiDump, 2048)
	copy(m[64:], "RSD PTR ")
	m[64+15] = revision
	var pointers []byte
	if revision >= 2 {
		binary.LittleEndian.PutUint32(m[64+20:], 36)
		binary.LittleEndian.PutUint64(m[64+24:], 256)
		pointers = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, 512), 1024)
		m.put(256, "XSDT", pointers)
	} else {
		binary.LittleEndian.PutUint32(m[64+16:], 256)
		pointers = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 512), 1024)
		m.put(256, "RSDT", pointers)
	}
	m.seal(64, 84, 64+8)
	m.seal(64, 100, 64+32)
	m.put(512, "APIC", []byte("x"))
	m.put(1024, "WDAT", []byte("the table"))
	return m
}

func TestFindACPITable(t *testing.T) {
	for _, revision := range []byte{0, 2} {
		m := acpiImage(revision)
		for signature, want := range map[string]int{"WDAT": 45, "APIC": 37, "NONE": 0} {
			got, err := findACPITable(m.read, 64, signature)
			if err != nil || len(got) != want || want > 0 && string(got[:4]) != signature {
				t.Errorf("revision %d: %s is %q, %v", revision, signature, got, err)
			}
		}
	}
}

func TestDamagedACPI(t *testing.T) {
	for want, damage := range map[string]func(m acpiDump){
		"0x40 is none":                                    func(m acpiDump) { m[64]++ },
		"1 bytes with a wrong checksum":                   func(m acpiDump) { m[64+20] = 1 },
		"36 bytes with a wrong checksum":                  func(m acpiDump) { m[64+33] = 1 },
		"36 bytes at 0xff00000000000100":                  func(m acpiDump) { m[64+31] = 0xff; m.seal(64, 100, 64+32) },
		`read XSDT: 0x100 is none, but "YSDT"`:            func(m acpiDump) { m[256] = 'Y' },
		"read XSDT: wrong checksum":                       func(m acpiDump) { m[300]++ },
		`is none, but "XSDT" of 35 bytes`:                 func(m acpiDump) { m[260] = 35 },
		`is none, but "XSDT" of 16777268 bytes`:           func(m acpiDump) { m[263] = 1 },
		"read WDAT: wrong checksum":                       func(m acpiDump) { m[1060]++ },
		`read WDAT: 0x400 is none, but "WDAT" of 8 bytes`: func(m acpiDump) { m[1028] = 8 },
		"read WDAT: 4141 bytes at 0x400":                  func(m acpiDump) { m[1029] = 16 },
		"36 bytes at 0xff00000000000400 do not":           func(m acpiDump) { m[256+36+15] = 0xff; m.seal(256, 308, 265) },
	} {
		m := acpiImage(2)
		damage(m)
		if got, err := findACPITable(m.read, 64, "WDAT"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// TestUnreadableACPITable: a pointer into nowhere is no obstacle to finding
// another table.
func TestUnreadableACPITable(t *testing.T) {
	m := acpiImage(2)
	binary.LittleEndian.PutUint64(m[256+36:], 1<<40)
	m.seal(256, 308, 265)
	if got, err := findACPITable(m.read, 64, "WDAT"); len(got) != 45 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := findACPITable(m.read, 64, "NONE"); err == nil {
		t.Error("a table that may be there is said not to be")
	}
}

func TestACPIMemory(t *testing.T) {
	m := acpiMemory{
		{Type: 9, Start: 0x2000, Pages: 1},
		{Type: 10, Start: 0x1000, Pages: 1},
		{Type: 7, Start: 0x3000, Pages: 1},
		{Type: 0, Start: ^uint64(0) &^ 0xfff, Pages: 1},
		{Type: 4, Start: 0x10000, Pages: ^uint64(0)},
	}
	for _, c := range []struct {
		address uint64
		size    int
		want    bool
	}{
		{0x1000, 0x2000, true},
		{0x1fff, 2, true},
		{0x0fff, 2, false},
		{0x2fff, 2, false},
		{0x3000, 1, false},
		{0x20000, 16, false}, // in a range that wraps around
	} {
		if got := m.covers(c.address, c.address+uint64(c.size)); got != c.want {
			t.Errorf("%d bytes at %#x: %v", c.size, c.address, got)
		}
	}
	if _, err := m.read(^uint64(0), 2); err == nil {
		t.Error("memory beyond the end is read")
	}
}

func FuzzFindACPITable(f *testing.F) {
	f.Add([]byte(acpiImage(0)), uint64(64))
	f.Add([]byte(acpiImage(2)), uint64(64))
	f.Fuzz(func(t *testing.T, b []byte, rsdp uint64) {
		if len(b) > 1<<16 {
			return
		}
		reads := 0
		read := func(address uint64, size int) ([]byte, error) {
			reads++
			return acpiDump(b).read(address, size)
		}
		table, err := findACPITable(read, rsdp, "WDAT")
		if reads > maxACPITables+10 {
			t.Errorf("%d reads", reads)
		}
		if table != nil && (err != nil || string(table[:4]) != "WDAT" || sum(table) != 0 ||
			int(binary.LittleEndian.Uint32(table[4:])) != len(table)) {
			t.Errorf("found %q, %v", table, err)
		}
	})
}
