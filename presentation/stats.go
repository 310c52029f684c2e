package presentation

import (
	"slices"
	"time"
)

// Stats tells how a surface is doing.
type Stats struct {
	Frames   uint64  // that the guest has made
	Replaced uint64  // of them, by a newer one before they were taken
	Drawn    uint64  // times that the sink has drawn
	Bytes    uint64  // written in copying pixels
	Rate     float64 // frames per second that the guest makes, in the last seconds
	Latency  Latency // of the last frames that were drawn
}

// Latency tells how long it took from a guest's asking for a frame to be shown
// until it was. With no frames all are zero.
type Latency struct {
	P50, P90, P99, Max time.Duration
}

const (
	latencyWindow = 512             // frames
	rateWindow    = 128             // frames
	rateSpan      = 5 * time.Second // older frames count for no rate
)

// meter keeps what the statistics of the last frames are made from.
type meter struct {
	latencies [latencyWindow]time.Duration
	nLatency  int // ever
	frames    [rateWindow]time.Time
	nFrames   int // ever
}

func (m *meter) frame(at time.Time) {
	m.frames[m.nFrames%rateWindow] = at
	m.nFrames++
}

func (m *meter) latency(d time.Duration) {
	m.latencies[m.nLatency%latencyWindow] = max(d, 0)
	m.nLatency++
}

// stats completes counted with what the meter knows.
func (m *meter) stats(counted Stats, now time.Time) Stats {
	counted.Rate = m.rate(now)
	sorted := slices.Clone(m.latencies[:min(m.nLatency, latencyWindow)])
	slices.Sort(sorted)
	if n := len(sorted); n > 0 {
		at := func(percent int) time.Duration { return sorted[(n-1)*percent/100] }
		counted.Latency = Latency{P50: at(50), P90: at(90), P99: at(99), Max: sorted[n-1]}
	}
	return counted
}

// rate returns the frames per second from the oldest frame of the window, that
// is not too old, until now.
func (m *meter) rate(now time.Time) float64 {
	oldest, count := now, 0
	for _, at := range m.frames[:min(m.nFrames, rateWindow)] {
		if now.Sub(at) > rateSpan {
			continue
		}
		count++
		if at.Before(oldest) {
			oldest = at
		}
	}
	if span := now.Sub(oldest); span > 0 {
		return float64(count) / span.Seconds()
	}
	return 0
}
