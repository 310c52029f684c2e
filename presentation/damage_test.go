package presentation

import (
	"image"
	"testing"
)

// FuzzDamage compares with a bitmap: all that was added is covered, and nothing
// is covered twice.
func FuzzDamage(f *testing.F) {
	f.Add([]byte{0, 0, 5, 5, 5, 0, 5, 5, 3, 3, 4, 4})
	var diagonal []byte
	for i := byte(0); i < 60; i += 3 {
		diagonal = append(diagonal, i, i, 1, 1)
	}
	f.Add(diagonal)
	f.Fuzz(func(t *testing.T, steps []byte) {
		var d Damage
		var want [64][64]bool
		for ; len(steps) >= 4; steps = steps[4:] {
			x, y := int(steps[0]%64), int(steps[1]%64)
			r := image.Rect(x, y, min(x+int(steps[2]%64), 64), min(y+int(steps[3]%64), 64))
			d.Add(r)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					want[y][x] = true
				}
			}
		}
		checkCover(t, &d, want)
		d.Clip(image.Rect(10, 10, 20, 20))
		for _, r := range d.Rects() {
			if !r.In(image.Rect(10, 10, 20, 20)) {
				t.Errorf("%v is left after Clip", r)
			}
		}
	})
}

func checkCover(t *testing.T, d *Damage, want [64][64]bool) {
	var got [64][64]bool
	for _, r := range d.Rects() {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if got[y][x] {
					t.Fatalf("%d, %d lies in two rectangles of %v", x, y, d.Rects())
				}
				got[y][x] = true
			}
		}
	}
	for y := range want {
		for x := range want[y] {
			if want[y][x] && !got[y][x] {
				t.Fatalf("%d, %d is missing in %v", x, y, d.Rects())
			}
		}
	}
}

func TestDamageStaysExact(t *testing.T) {
	var d Damage
	d.Add(image.Rect(0, 0, 10, 1))
	d.Add(image.Rect(0, 1, 10, 2)) // the row below: one rectangle without a hole
	d.Add(image.Rect(50, 50, 51, 51))
	if got := d.Rects(); len(got) != 2 || area(got[0])+area(got[1]) != 21 {
		t.Errorf("damage is %v", got)
	}
	d.Clear()
	if !d.Empty() {
		t.Error("Clear left damage")
	}
}
