package host

import (
	"testing"

	"github.com/rayos/rayboot/guest"
)

func TestMeminfo(t *testing.T) {
	m, err := parseMeminfo("MemTotal:        2048000 kB\nMemFree: 1 kB\nMemAvailable:    1024000 kB\n")
	if want := (meminfo{2000, 1000}); err != nil || m != want {
		t.Errorf("%+v, %v", m, err)
	}
	for _, text := range []string{"", "MemTotal: x kB", "MemAvailable: 5 kB\n"} {
		if m, err := parseMeminfo(text); err == nil {
			t.Errorf("%q: %+v", text, m)
		}
	}
}

func FuzzMeminfo(f *testing.F) {
	f.Add("MemTotal:        2048000 kB\nMemAvailable:    1024000 kB\n")
	f.Add("MemTotal: -1 kB")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMeminfo(text)
		if err == nil && m.totalMiB == 0 {
			t.Errorf("%q: %+v", text, m)
		}
	})
}

func TestFits(t *testing.T) {
	linux := guest.Default(guest.Linux) // 1024 MiB
	for _, c := range []struct {
		m       meminfo
		running []guest.Config
		want    bool
	}{
		{meminfo{2000, 1900}, nil, true},
		{meminfo{2000, 1100}, nil, false},                       // others use it
		{meminfo{1024 + qemuMiB + systemMiB, 5000}, nil, true},  // exactly
		{meminfo{1023 + qemuMiB + systemMiB, 5000}, nil, false}, // not quite
		{meminfo{2300, 2200}, []guest.Config{linux}, false},     // promised to another one
		{meminfo{2400, 2300}, []guest.Config{linux}, true},
		{meminfo{100, 50}, nil, false},
	} {
		if err := c.m.fits(linux, c.running); (err == nil) != c.want {
			t.Errorf("%+v beside %d: %v", c.m, len(c.running), err)
		}
	}
}
