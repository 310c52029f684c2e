package presentation

import "image"

// MaxDamage is the number of rectangles that damage is kept in.
const MaxDamage = 16

// Damage collects the rectangles that have changed. They never overlap, so that
// each pixel is copied once; where there would be too many, two become one
// around both. The zero value is no damage.
type Damage struct {
	rects [MaxDamage]image.Rectangle
	n     int
}

// Add adds a rectangle. An empty one changes nothing.
func (d *Damage) Add(r image.Rectangle) {
	for !r.Empty() {
		i := d.partner(r)
		if i < 0 {
			d.rects[d.n] = r
			d.n++
			return
		}
		r = r.Union(d.rects[i])
		d.n--
		d.rects[i] = d.rects[d.n]
	}
}

// partner returns the rectangle that r is to be united with: one that overlaps,
// or that makes a rectangle with it without a hole; or where there is no room
// for one more, the one that makes the smallest. It is -1 if there is none.
func (d *Damage) partner(r image.Rectangle) int {
	best, bestArea := -1, 0
	for i, o := range d.rects[:d.n] {
		u := area(r.Union(o))
		if r.Overlaps(o) || u <= area(r)+area(o) {
			return i
		}
		if best < 0 || u < bestArea {
			best, bestArea = i, u
		}
	}
	if d.n < MaxDamage {
		return -1
	}
	return best
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// Clip leaves out what lies outside of bounds.
func (d *Damage) Clip(bounds image.Rectangle) {
	old := *d
	d.n = 0
	for _, r := range old.rects[:old.n] {
		d.Add(r.Intersect(bounds))
	}
}

// Empty reports whether nothing has changed.
func (d *Damage) Empty() bool { return d.n == 0 }

// Rects returns the rectangles. They are valid until the damage changes.
func (d *Damage) Rects() []image.Rectangle { return d.rects[:d.n] }

// Clear forgets the damage.
func (d *Damage) Clear() { d.n = 0 }
