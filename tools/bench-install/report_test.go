package main

import (
	"errors"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name       string
		ours, peer []sample
		want       error
		says       string
	}{
		{"both bars held", []sample{{90e6, 70e6}, {10e6, 80e6}}, []sample{{100e6, 0}, {50e6, 0}}, nil, "90 %"},
		{"too slow", []sample{{79e6, 70e6}}, []sample{{100e6, 0}}, errBar, "79 %"},
		{"too much memory", []sample{{90e6, 1}, {90e6, 100e6}}, []sample{{100e6, 0}}, errBar, "100.0 MB"},
	} {
		var out strings.Builder
		if err := report(&out, c.ours, c.peer); !errors.Is(err, c.want) || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: %v\n%s", c.name, err, &out)
		}
	}
}

func TestPeakIn(t *testing.T) {
	if got, ok := peakIn("Name:\trayimg\nVmHWM:\t   76448 kB\nVmRSS:\t 1 kB\n"); got != 76448<<10 || !ok {
		t.Errorf("%d, %v", got, ok)
	}
	if _, ok := peakIn("Name:\trayimg\nState:\tZ (zombie)\n"); ok {
		t.Error("a process that has ended has a peak")
	}
}
