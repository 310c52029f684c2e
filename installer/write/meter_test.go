package write

import (
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	clock := time.Unix(1000, 0)
	m := NewMeter(func() time.Time { return clock })
	for _, c := range []struct {
		after time.Duration
		p     Progress
		want  string
	}{
		{0, Progress{"write X", 0, 60 << 20}, "write X: 0 B of 60 MiB"},
		{0, Progress{"write X", 5, 60 << 20}, "write X: 5 B of 60 MiB"},
		{2 * time.Second, Progress{"write X", 10 << 20, 60 << 20}, "write X: 10 MiB of 60 MiB, 5 MiB/s, 10s left"},
		{10 * time.Second, Progress{"read X", 60 << 20, 60 << 20}, "read X: 60 MiB of 60 MiB, 5 MiB/s, 0s left"},
		{0, Progress{"read X", 61 << 20, 60 << 20}, "read X: 61 MiB of 60 MiB, 5.1 MiB/s, 0s left"},
	} {
		clock = clock.Add(c.after)
		if got := m.Line(c.p); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
