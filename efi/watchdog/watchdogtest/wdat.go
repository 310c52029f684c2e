package watchdogtest

import "encoding/binary"

// WDAT is the Watchdog Action Table of ACPI (Microsoft "Hardware Watchdog Timers
// Design Specification" 1.0).
type WDAT struct {
	Segment               uint16 // 0xff with the next three: no PCI device
	Bus, Device, Function uint8
	PeriodMS, Max, Min    uint32
	Flags                 uint8 // 1: enabled
	Entries               []WDATEntry
}

// WDATEntry is one instruction of the table.
type WDATEntry struct {
	Action, Instruction uint8
	Space               uint8 // 0 memory, 1 ports
	BitOffset           uint8
	AccessSize          uint8 // 1, 2, 3: bytes, words, double words
	Address             uint64
	Value, Mask         uint32
}

// TCOTable describes the TCO of QEMU's q35 and of [Machine.AddTCO](2). Its timer
// counts down twice, so one count of the table is two ticks.
func TCOTable() WDAT {
	const (
		ports, word, double                    = 1, 2, 3
		read, readCount, write, writeCount     = 0, 1, 2, 3
		preserve                               = 0x80
		reload, status2, control, initialValue = tcoBase, tcoBase + 6, tcoBase + 8, tcoBase + 0x12
	)
	return WDAT{
		Segment: 0xff, Bus: 0xff, Device: 0xff, Function: 0xff,
		PeriodMS: 1200, Max: 0x3ff, Min: 4, Flags: 1,
		Entries: []WDATEntry{
			{0x01, write, ports, 0, word, reload, 1, 0x3ff},
			{0x04, readCount, ports, 0, word, reload, 0, 0x3ff},
			{0x05, readCount, ports, 0, word, initialValue, 0, 0x3ff},
			{0x06, writeCount | preserve, ports, 0, word, initialValue, 0, 0x3ff},
			{0x08, read, ports, 11, word, control, 0, 1},
			{0x09, write | preserve, ports, 11, word, control, 0, 1},
			{0x0a, read, ports, 11, word, control, 1, 1},
			{0x0b, write | preserve, ports, 11, word, control, 1, 1},
			{0x10, read, 0, 5, double, GCS, 0, 1},
			{0x11, write | preserve, 0, 5, double, GCS, 0, 1},
			{0x20, read, ports, 1, word, status2, 1, 1},
			{0x21, write, ports, 1, word, status2, 1, 1},
		},
	}
}

// QEMUTable is [TCOTable] for QEMU, whose status registers store what is written.
func QEMUTable() WDAT {
	t := TCOTable()
	t.Entries[len(t.Entries)-1].Value = 0
	return t
}

// Encode makes the bytes of the table, with its checksum.
func (w WDAT) Encode() []byte {
	const headerBytes, watchdogHeaderBytes, entryBytes = 36, 32, 24
	le := binary.LittleEndian
	b := make([]byte, 0, headerBytes+watchdogHeaderBytes+entryBytes*len(w.Entries))
	b = le.AppendUint32(append(b, "WDAT"...), uint32(cap(b)))
	b = append(b, 1, 0) // revision, checksum
	b = le.AppendUint32(append(b, "RAYOS WATCHDOG"...), 1)
	b = le.AppendUint32(append(b, "RAYO"...), 1)
	b = le.AppendUint32(b, watchdogHeaderBytes)
	b = append(le.AppendUint16(b, w.Segment), w.Bus, w.Device, w.Function, 0, 0, 0)
	b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, w.PeriodMS), w.Max), w.Min)
	b = le.AppendUint32(append(b, w.Flags, 0, 0, 0), uint32(len(w.Entries)))
	for _, e := range w.Entries {
		b = append(b, e.Action, e.Instruction, 0, 0, e.Space, 8<<(e.AccessSize-1), e.BitOffset, e.AccessSize)
		b = le.AppendUint64(b, e.Address)
		b = le.AppendUint32(le.AppendUint32(b, e.Value), e.Mask)
	}
	sum := uint8(0)
	for _, c := range b {
		sum += c
	}
	b[9] = -sum
	return b
}
