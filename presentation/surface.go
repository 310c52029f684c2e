package presentation

import (
	"fmt"
	"image"
	"time"
)

// MaxSurfaces is the number of surfaces that a bridge has at a time.
const MaxSurfaces = 64

// ID names a surface. It is never used again for another one.
type ID uint32

// State is where a surface is in its life.
type State uint8

// The states of a surface, as they follow each other. From Hidden it may be
// presented again; it may be destroyed in every state.
const (
	Created       State = iota // it exists and has no picture
	FrameReceived              // it has a picture that was never shown
	Presented                  // its pictures are shown
	Hidden                     // it was shown, and is not any more
	Destroyed                  // it is gone
)

// String returns the name of the state.
func (s State) String() string {
	names := [...]string{"Created", "FrameReceived", "Presented", "Hidden", "Destroyed"}
	if int(s) >= len(names) {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return names[s]
}

// Surface is what a bridge knows of a surface.
type Surface struct {
	ID     ID
	Guest  string // whose it is
	Output int    // number of the guest's screen, from 0
	State  State
	Size   image.Point // of the last frame, in pixels; before it, as it was created
	Seq    uint64      // of the last frame, from 0
	Stats  Stats
}

// surface is a slot of the bridge.
type surface struct {
	Surface
	picture Picture
	damage  Damage
	fresh   bool      // the last frame was not taken yet
	since   time.Time // when the oldest frame that was not taken was asked for
	told    time.Time // when the last FRAME_UPDATE was emitted
	meter   meter
}

// Update is a frame of a surface.
type Update struct {
	Picture Picture
	Damage  []image.Rectangle // what differs from the frame before; what is outside of the picture is left out
	Since   time.Time         // when the guest asked for it, for the latency; zero is now
}
