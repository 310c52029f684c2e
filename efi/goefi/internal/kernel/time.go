package kernel

import "github.com/rayos/rayboot/efi/goefi/internal/mem"

const (
	second        = 1_000_000_000 // in ns
	clockRealtime = 0
)

// after is the deadline that lies d nanoseconds ahead.
func (k *Kernel) after(d uint64) uint64 {
	if now := k.Machine.Now(); d < forever-now {
		return now + d
	}
	return forever
}

// clockGettime serves the two clocks that Go uses, CLOCK_REALTIME and CLOCK_MONOTONIC.
func (k *Kernel) clockGettime(clock, timespec uintptr) int64 {
	now := k.Machine.Now()
	if clock == clockRealtime {
		now += k.wall
	}
	mem.Store64(timespec, now/second)
	mem.Store64(timespec+8, now%second)
	return 0
}

func (k *Kernel) nanosleep(timespec uintptr) int64 {
	t := k.thread(k.current)
	t.state, t.deadline = asleep, k.after(loadTimespec(timespec))
	return pending
}

// loadTimespec reads a struct timespec as nanoseconds.
func loadTimespec(a uintptr) uint64 { return mem.Load64(a)*second + mem.Load64(a+8) }

// readWallClock asks the firmware for the date, once: UEFI 2.10 §8.3.1 GetTime is slow. A firmware without a clock starts in 1970.
func (k *Kernel) readWallClock() {
	t := address(&k.firmware.buffer)
	if k.runtimeService(serviceGetTime, t, 0) != 0 {
		return
	}
	if unix := unixTime(t); unix > 0 {
		k.wall = uint64(unix)*second - k.Machine.Now()
	}
}

// Fields of EFI_TIME in bytes.
const (
	timeYear     = 0
	timeMonth    = 2
	timeDay      = 3
	timeHour     = 4
	timeMinute   = 5
	timeSecond   = 6
	timeTimeZone = 12

	timeZoneUnspecified = 0x7ff
)

// unixTime converts the EFI_TIME at a to seconds since 1970. A clock of unspecified time zone is taken for UTC.
func unixTime(a uintptr) int64 {
	days := daysSince1970(int64(mem.Load16(a+timeYear)), int64(mem.Load8(a+timeMonth)), int64(mem.Load8(a+timeDay)))
	minutes := days*24*60 + int64(mem.Load8(a+timeHour))*60 + int64(mem.Load8(a+timeMinute))
	if zone := int64(int16(mem.Load16(a + timeTimeZone))); zone != timeZoneUnspecified {
		minutes += zone // local time = UTC - zone
	}
	return minutes*60 + int64(mem.Load8(a+timeSecond))
}

// daysSince1970 counts the days to a date of the Gregorian calendar. Years begin in March here, so that the leap day is last.
func daysSince1970(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	const to1970 = 719468 // days from 0000-03-01 to 1970-01-01
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return year*365 + year/4 - year/100 + year/400 + dayOfYear - to1970
}
