package kernel

import (
	"bytes"
	"encoding/binary"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUnixTime(t *testing.T) {
	for _, want := range []time.Time{
		time.Unix(0, 0), time.Date(2000, 2, 29, 23, 59, 59, 0, time.UTC), time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC),
		time.Date(2100, 2, 28, 0, 0, 0, 0, time.UTC), time.Date(2100, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		for _, zone := range []int16{0, 60, -720, 1440, timeZoneUnspecified} {
			local := want.UTC()
			if zone != timeZoneUnspecified {
				local = local.Add(-time.Duration(zone) * time.Minute) // UEFI 2.10 §8.3.1: local time = UTC - zone
			}
			e := efiTime(local, zone)
			if got := unixTime(address(&e[0])); local.Year() >= 1970 && got != want.Unix() {
				t.Errorf("%v in zone %d: %d, want %d", want, zone, got, want.Unix())
			}
		}
	}
}

func TestEveryDay(t *testing.T) {
	for d := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2405; d = d.AddDate(0, 0, 1) {
		if got := daysSince1970(int64(d.Year()), int64(d.Month()), int64(d.Day())); got != d.Unix()/86400 {
			t.Fatalf("%v is day %d, want %d", d, got, d.Unix()/86400)
		}
	}
}

func efiTime(t time.Time, zone int16) *[16]byte {
	e := new([16]byte)
	binary.LittleEndian.PutUint16(e[timeYear:], uint16(t.Year()))
	e[timeMonth], e[timeDay], e[timeHour], e[timeMinute], e[timeSecond] = byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second())
	binary.LittleEndian.PutUint16(e[timeTimeZone:], uint16(zone))
	return e
}

func TestClocks(t *testing.T) {
	k, m := newKernel(t)
	date := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	m.clock = *efiTime(date, timeZoneUnspecified)
	m.now = 5 * second
	k.Start()
	m.now = 7*second + 21
	ts := new([2]int64)
	m.system(k, syscall.SYS_CLOCK_GETTIME, clockRealtime, uint64(address(ts)))
	if got, want := time.Unix(ts[0], ts[1]).UTC(), date.Add(2*time.Second+21); !got.Equal(want) {
		t.Errorf("the wall clock is %v, want %v", got, want)
	}
	m.system(k, syscall.SYS_CLOCK_GETTIME, 1, uint64(address(ts)))
	if *ts != [2]int64{7, 21} {
		t.Errorf("the monotonic clock is %v", *ts)
	}
}

func TestRandom(t *testing.T) {
	fill := func(value byte) func([]byte) uintptr {
		return func(b []byte) uintptr {
			for i := range b {
				b[i] = value
			}
			return statusSuccess
		}
	}
	notReady := func([]byte) uintptr { return errorBit | 6 }
	for _, c := range []struct {
		name   string
		rng    func([]byte) uintptr
		words  []uint64
		want   byte
		result int64
	}{
		{"firmware", fill(7), []uint64{0x0909090909090909}, 7, 75},
		{"firmware is not ready", notReady, []uint64{0x0909090909090909}, 9, 75},
		{"no firmware", nil, []uint64{0x0909090909090909}, 9, 75},
		{"nothing", nil, nil, 0, errIO},
	} {
		k, m := started(t)
		m.rng, m.random = c.rng, c.words
		b := make([]byte, 80)
		if m.system(k, sysGetrandom, uint64(address(&b[0])), 75, 0); m.regs[0].result != c.result {
			t.Errorf("%s: result %d, want %d", c.name, m.regs[0].result, c.result)
		}
		if want := append(bytes.Repeat([]byte{c.want}, 75), 0, 0, 0, 0, 0); !bytes.Equal(b, want) {
			t.Errorf("%s: % x", c.name, b)
		}
		refused := strings.Contains(string(m.serial), "no random numbers")
		if refused != (c.result < 0) {
			t.Errorf("%s: the serial port shows %q", c.name, m.serial)
		}
		if m.system(k, sysGetrandom, uint64(address(&b[0])), 75, 0); strings.Count(string(m.serial), "no random") > 1 {
			t.Errorf("%s: it is said twice", c.name)
		}
	}
}

func TestSeedWithoutGenerator(t *testing.T) {
	k, m := newKernel(t)
	m.random = nil
	m.now = 1
	a := k.seed()
	m.now = 2
	if b := k.seed(); a == b || a == 1 || b == 2 {
		t.Errorf("seeds %#x and %#x", a, b)
	}
}

func TestExitStatus(t *testing.T) {
	for code, want := range map[uint64]uintptr{
		0: 0, 1: 0xC000000000000001, 2: 0x8000000000000015, 77: 0xC00000000000004D, 255: 0xC0000000000000FF, ^uint64(0): 0xC0000000000000FF, 256: 0,
	} {
		k, m := started(t)
		m.system(k, syscall.SYS_EXIT_GROUP, code)
		if status, exiting := k.Exiting(); !exiting || status != want {
			t.Errorf("exit code %d: exiting %v with %#x, want %#x", code, exiting, status, want)
		}
	}
}

func TestFirmwareCall(t *testing.T) {
	k, m := started(t)
	args := [MaxArguments]uintptr{0: 7, 11: 3}
	if m.system(k, FirmwareCall, uint64(fakeOther), uint64(address(&args)), 0); m.regs[0].result != 37 {
		t.Errorf("result %d, want 37", m.regs[0].result)
	}
	if m.system(k, FirmwareCall, uint64(fakeOther), uint64(address(&args)), 1); m.regs[0].result != 38 {
		t.Errorf("native: result %d, want 38", m.regs[0].result)
	}
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name   string
		number uint64
		args   []uint64
		want   int64
	}{
		{"end of input", syscall.SYS_READ, []uint64{stdin, 0, 10}, 0},
		{"read of output", syscall.SYS_READ, []uint64{stdout, 0, 10}, errBadFile},
		{"write of input", syscall.SYS_WRITE, []uint64{stdin, 0, 0}, errBadFile},
		{"write of nothing", syscall.SYS_WRITE, []uint64{9, 0, 0}, errBadFile},
		{"open", syscall.SYS_OPENAT, nil, errNoEntry},
		{"close", syscall.SYS_CLOSE, []uint64{1}, 0},
		{"flags of output", syscall.SYS_FCNTL, []uint64{stdout, syscall.F_GETFL}, syscall.O_WRONLY},
		{"flags of input", syscall.SYS_FCNTL, []uint64{stdin, syscall.F_GETFL}, 0},
		{"flags of nothing", syscall.SYS_FCNTL, []uint64{7, syscall.F_GETFL}, errBadFile},
		{"process", syscall.SYS_GETPID, nil, 1},
		{"thread", syscall.SYS_GETTID, nil, 1},
		{"affinity", syscall.SYS_SCHED_GETAFFINITY, []uint64{0, 4, 0}, errInvalid},
		{"unknown", 9999, nil, errNoSys},
	} {
		k, m := started(t)
		if m.system(k, c.number, c.args...); m.regs[0].result != c.want {
			t.Errorf("%s: %d, want %d", c.name, m.regs[0].result, c.want)
		}
	}
	k, m := started(t)
	set := new(uint64)
	if m.system(k, syscall.SYS_SCHED_GETAFFINITY, 0, 8, uint64(address(set))); m.regs[0].result != 8 || *set != 1 {
		t.Errorf("affinity returns %d with set %#x", m.regs[0].result, *set)
	}
	if m.system(k, 9999); k.Stats().Unknown != 9999 {
		t.Errorf("the unknown call is noted as %d", k.Stats().Unknown)
	}
}
