package kms

import (
	"fmt"
	"image"
)

func (m modeInfo) size() image.Point { return image.Pt(int(m.hdisplay), int(m.vdisplay)) }

// label is how people name a mode.
func (m modeInfo) label() string { return fmt.Sprintf("%dx%d@%d", m.hdisplay, m.vdisplay, m.vrefresh) }

// choose returns the mode to show a picture of that size in: one of its size where the screen has it, or else the one that the
// screen prefers, in which the picture is scaled. A zero size asks for the latter. ok is false where there is no mode.
func choose(modes []modeInfo, size image.Point) (m modeInfo, ok bool) {
	best := -1
	for i, m := range modes {
		if m.hdisplay == 0 || m.vdisplay == 0 || m.flags&flagInterlace != 0 {
			continue
		}
		if best < 0 || better(m, modes[best], size) {
			best = i
		}
	}
	if best < 0 {
		return modeInfo{}, false
	}
	return modes[best], true
}

// better reports whether a is to be taken rather than b, which comes first in the screen's own order.
func better(a, b modeInfo, size image.Point) bool {
	if fitsA, fitsB := a.size() == size, b.size() == size; fitsA != fitsB {
		return fitsA
	} else if fitsA {
		return a.vrefresh > b.vrefresh
	}
	return a.kind&typePreferred != 0 && b.kind&typePreferred == 0
}
