package presentation

import (
	"image"
	"slices"
	"testing"
	"time"
)

// modelSurface is what a surface must be, told without the bridge's code.
type modelSurface struct {
	state   State
	pending bool
	mapped  bool
}

type model map[ID]*modelSurface

// FuzzBridge does arbitrary steps and compares the bridge with the model after
// each one.
func FuzzBridge(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 2, 1, 4, 1, 3, 1, 2, 1, 4, 1, 5, 1, 1, 1})
	f.Add([]byte{0, 0, 0, 0, 1, 2, 2, 2, 1, 1, 6, 2, 4, 2, 7, 2, 4, 2, 5, 2})
	f.Add([]byte{0, 0, 1, 1, 8, 1, 2, 1, 4, 1, 8, 1, 4, 1, 3, 1, 8, 1, 8, 9})
	flood := make([]byte, 2*MaxSurfaces+8)
	f.Add(flood)
	f.Fuzz(func(t *testing.T, steps []byte) {
		b, m := newBench(), model{}
		pictures := []Picture{testPicture(t, 8, 6), testPicture(t, 3, 9)}
		for ; len(steps) >= 2; steps = steps[2:] {
			b.time = b.time.Add(time.Duration(steps[1]) * time.Millisecond)
			m.step(t, b, steps[0], ID(steps[1]), pictures[steps[0]>>7])
			m.check(t, b)
		}
	})
}

// step does one step on both and compares what came of it.
func (m model) step(t *testing.T, b *bench, op byte, id ID, p Picture) {
	s, ok := m[id]
	done := func(name string, err error, want bool) bool {
		if (err == nil) != (ok && want) {
			t.Fatalf("%s of %d in %+v: %v", name, id, s, err)
		}
		return ok && want
	}
	switch op & 0x7f % 9 {
	case 0:
		id, err := b.CreateSurface("linux", 0, image.Pt(8, 6))
		if (err == nil) != (len(m) < MaxSurfaces) {
			t.Fatalf("CreateSurface with %d surfaces: %v", len(m), err)
		}
		if err == nil {
			m[id] = &modelSurface{}
		}
	case 1:
		damage := image.Rect(int(op)-100, int(id), int(id), 1<<40)
		if done("UpdateFrame", b.UpdateFrame(id, Update{Picture: p, Damage: []image.Rectangle{damage}}), true) {
			s.pending, s.mapped, s.state = true, true, max(s.state, FrameReceived)
		}
	case 2:
		if done("Present", b.Present(id), ok && s.state != Created) {
			s.pending, s.state = s.pending || s.state != Presented, Presented
		}
	case 3:
		if done("Hide", b.Hide(id), ok && s.state >= Presented) {
			s.state = Hidden
		}
	case 4:
		m.take(t, b, id)
	case 5:
		if done("Destroy", b.Destroy(id), true) {
			delete(m, id)
		}
	case 6:
		if done("MovePicture", b.MovePicture(id, Picture{}), true) {
			s.mapped = false
		}
	case 7:
		if done("MovePicture", b.MovePicture(id, p), true) {
			s.mapped = s.state != Created
		}
	case 8:
		if done("Renew", b.Renew(id), ok && s.state == Presented) {
			s.pending = true
		}
	}
}

func (m model) take(t *testing.T, b *bench, id ID) {
	shot, got := b.Take(id)
	s, ok := m[id]
	if got != (ok && s.pending && s.mapped) {
		t.Fatalf("Take of %d in %+v: %v", id, s, got)
	}
	if !got {
		return
	}
	s.pending = false
	for _, r := range shot.Damage {
		if r.Empty() || !r.In(shot.Picture.Bounds()) {
			t.Fatalf("damage %v of a picture of %v", r, shot.Picture.Bounds())
		}
	}
	b.Drawn(shot, shot.Picture.Read(Target{BGRX, 8, 9, 32, make([]byte, 288)}, shot.Picture.Bounds()))
}

func (m model) check(t *testing.T, b *bench) {
	shown := b.Presented()
	for _, s := range b.Surfaces() {
		want, ok := m[s.ID]
		if !ok || s.State != want.state || b.FrameAvailable(s.ID) != (want.pending && want.mapped) {
			t.Fatalf("surface %+v, frame available %v, want %+v", s, b.FrameAvailable(s.ID), want)
		}
		if (s.State == Presented) != slices.ContainsFunc(shown, func(p Surface) bool { return p.ID == s.ID }) {
			t.Fatalf("surface %+v, presented are %v", s, shown)
		}
	}
	if got := len(b.Surfaces()); got != len(m) {
		t.Fatalf("%d surfaces, want %d", got, len(m))
	}
}
