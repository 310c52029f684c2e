package write

import (
	"fmt"
	"time"

	"github.com/rayos/rayboot/gpt/sketch"
)

// Meter tells from progress how fast the work goes and how long it will take.
type Meter struct {
	start time.Time
	now   func() time.Time
}

// Pace is how fast the work goes.
type Pace struct {
	BytesPerSecond int64         // since the start; 0: not known yet
	Left           time.Duration // to go, in whole seconds
}

// NewMeter starts a meter with a clock, such as time.Now.
func NewMeter(now func() time.Time) *Meter { return &Meter{start: now(), now: now} }

// Pace measures.
func (m *Meter) Pace(p Progress) Pace {
	elapsed := m.now().Sub(m.start).Seconds()
	if p.DoneBytes <= 0 || elapsed <= 0 {
		return Pace{}
	}
	rate := float64(p.DoneBytes) / elapsed
	left := max(0, float64(p.TotalBytes-p.DoneBytes)) / rate
	return Pace{BytesPerSecond: int64(rate), Left: time.Duration(left+0.5) * time.Second}
}

// Line says how far the work is, such as "write EFI System: 12 MiB of 60 MiB, 5 MiB/s,
// 10s left".
func (m *Meter) Line(p Progress) string {
	text := fmt.Sprintf("%s: %s of %s", p.Step, sketch.Bytes(p.DoneBytes), sketch.Bytes(p.TotalBytes))
	if pace := m.Pace(p); pace.BytesPerSecond > 0 {
		text += fmt.Sprintf(", %s/s, %v left", sketch.Bytes(pace.BytesPerSecond), pace.Left)
	}
	return text
}
