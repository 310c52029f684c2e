package watchdogtest_test

import (
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
)

// poke is a sequence of writes to ports of two bytes.
func poke(t *testing.T, m *watchdogtest.Machine, writes ...[2]uint32) {
	t.Helper()
	for _, w := range writes {
		if err := m.WritePort(uint16(w[0]), 2, w[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTCOCounts drives the timer by hand: it fires after two countdowns if
// NO_REBOOT lets it, and not before.
func TestTCOCounts(t *testing.T) {
	m := watchdogtest.New()
	tco := m.AddTCO(2)
	poke(t, m, [2]uint32{0x672, 10}, [2]uint32{0x660, 1}, [2]uint32{0x668, 0})
	if m.Advance(time.Hour); m.Resets() != 0 || tco.Armed() {
		t.Fatalf("%d resets with NO_REBOOT set", m.Resets())
	}
	if err := m.WriteMemory(watchdogtest.GCS, 4, 0); err != nil {
		t.Fatal(err)
	}
	poke(t, m, [2]uint32{0x660, 1})
	if m.Advance(12*time.Second - 1); m.Resets() != 0 || !tco.Armed() {
		t.Fatalf("%d resets before 20 ticks", m.Resets())
	}
	if m.Advance(1); m.Resets() != 1 || tco.Armed() {
		t.Errorf("%d resets after 20 ticks", m.Resets())
	}
	if status, err := m.ReadPort(0x666, 2); status != 6 || err != nil {
		t.Errorf("status %#x, %v", status, err)
	}
}

// TestNobodyListens: reads give ones, writes are lost.
func TestNobodyListens(t *testing.T) {
	m := watchdogtest.New()
	esb := m.AddI6300ESB() // whose memory is switched off
	if err := m.WriteMemory(0xfebf000c, 2, 0x80); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]uint32{1: 0xff, 2: 0xffff, 4: 0xffffffff} {
		if got, err := m.ReadMemory(0xfebf0000, size); got != want || err != nil {
			t.Errorf("%d bytes: %#x, %v", size, got, err)
		}
	}
	if esb.Armed() {
		t.Error("it is armed")
	}
}

func TestTableChecksum(t *testing.T) {
	sum := uint8(0)
	for _, b := range watchdogtest.TCOTable().Encode() {
		sum += b
	}
	if sum != 0 {
		t.Errorf("the bytes add up to %#x", sum)
	}
}
