package stages_test

import (
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/stages"
	"github.com/rayos/rayboot/markers"
)

const hold = 30 * time.Second

// upTo returns a machine that has reached the stage, at 10 s.
func upTo(t *testing.T, last markers.BootStage) *stages.Machine {
	t.Helper()
	m := stages.New(hold)
	for s := markers.KernelLoaded; s <= last; s++ {
		if err := m.Reach(s, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestEveryStageFromEveryStage tries all pairs: only the next one is reached,
// and GOLDEN never by Reach.
func TestEveryStageFromEveryStage(t *testing.T) {
	for _, from := range markers.BootStages()[:markers.Golden] {
		for _, to := range markers.BootStages() {
			m := upTo(t, from)
			want := to == from+1 && to != markers.Golden
			if err := m.Reach(to, 0); (err == nil) != want {
				t.Errorf("from %v to %v: error %v", from, to, err)
			}
			if m.Reached(to) != (to <= from || want) {
				t.Errorf("from %v: reached %v is %v", from, to, m.Reached(to))
			}
		}
	}
}

func TestGoldenComesOnceAndNotEarly(t *testing.T) {
	m := upTo(t, markers.ShellReady)
	if due, waiting := m.Due(15 * time.Second); !waiting || due != 25*time.Second {
		t.Errorf("due in %v, %v; want 25s", due, waiting)
	}
	if m.Tick(40*time.Second - 1) {
		t.Error("GOLDEN before its time")
	}
	if !m.Tick(40*time.Second) || !m.Reached(markers.Golden) {
		t.Error("no GOLDEN at its time")
	}
	if _, waiting := m.Due(50 * time.Second); waiting || m.Tick(50*time.Second) {
		t.Error("GOLDEN twice")
	}
}

func TestTroubleBeginsTheTimeAnew(t *testing.T) {
	m := upTo(t, markers.ShellReady)
	m.Trouble()
	if _, waiting := m.Due(39 * time.Second); waiting || m.Tick(time.Hour) {
		t.Error("GOLDEN in the middle of trouble")
	}
	m.Recovered(50 * time.Second)
	m.Recovered(60 * time.Second) // a second shell changes nothing
	if m.Tick(80*time.Second-1) || !m.Tick(80*time.Second) {
		t.Error("the time did not begin when the trouble was over")
	}
}

func TestNothingIsDueBeforeTheShell(t *testing.T) {
	m := upTo(t, markers.SubsystemsReady)
	m.Recovered(0)
	if _, waiting := m.Due(time.Hour); waiting || m.Tick(time.Hour) {
		t.Error("GOLDEN without a shell")
	}
}

func TestHoldOfZero(t *testing.T) {
	m := stages.New(0)
	for s := markers.KernelLoaded; s < markers.Golden; s++ {
		if err := m.Reach(s, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if !m.Tick(time.Second) {
		t.Error("GOLDEN is not due at once")
	}
}
