package uefi

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Time is the machine's clock (UEFI 2.10 §8.3.1). A clock without a time zone is
// taken for UTC.
func (s *System) Time() (time.Time, error) {
	var t raw.Time
	if err := s.call(s.runtime().GetTime, gate.Pointer(&t), gate.Word(uintptr(0))).Err(); err != nil {
		return time.Time{}, fmt.Errorf("get time: %w", err)
	}
	out, ok := decodeTime(t)
	if !ok {
		return time.Time{}, fmt.Errorf("get time: the firmware gave %04d-%02d-%02d %02d:%02d:%02d, zone %d",
			t.Year, t.Month, t.Day, t.Hour, t.Minute, t.Second, t.TimeZone)
	}
	return out, nil
}

// decodeTime reports false if a field is out of its range or the day is not in
// the calendar. The time zone is the number of minutes that local time is behind
// UTC: the specification has Localtime = UTC - TimeZone.
func decodeTime(t raw.Time) (time.Time, bool) {
	if t.Year < 1900 || t.Year > 9999 || t.Hour > 23 || t.Minute > 59 || t.Second > 59 || t.Nanosecond > 999_999_999 {
		return time.Time{}, false
	}
	zone := time.UTC
	if t.TimeZone != raw.UnspecifiedTimezone {
		if t.TimeZone < -1440 || t.TimeZone > 1440 {
			return time.Time{}, false
		}
		if t.TimeZone != 0 {
			zone = time.FixedZone("", -60*int(t.TimeZone))
		}
	}
	out := time.Date(int(t.Year), time.Month(t.Month), int(t.Day), int(t.Hour), int(t.Minute), int(t.Second), int(t.Nanosecond), zone)
	return out, out.Month() == time.Month(t.Month) && out.Day() == int(t.Day)
}
