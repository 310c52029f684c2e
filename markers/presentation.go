package markers

import "strconv"

const presentation = "RAYOS_PRESENTATION"

// surfaceField names the surface that a marker is about.
var surfaceField = FieldDefinition{Key: "id", Number: true, Meaning: "number of the surface; it is never used again"}

var presentationSurfaceCreate = define(Definition{
	Subsystem: presentation, Name: "SURFACE_CREATE", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "A guest has switched a screen on.",
	Fields: []FieldDefinition{
		surfaceField,
		{Key: "width", Number: true, Meaning: "pixels"},
		{Key: "height", Number: true, Meaning: "pixels"},
		{Key: "guest", Meaning: "name of the guest"},
	},
	Example: PresentationSurfaceCreate{ID: 1, Guest: "linux", Width: 1920, Height: 1080},
})

// PresentationSurfaceCreate: a guest has switched a screen on.
type PresentationSurfaceCreate struct {
	ID            uint32
	Guest         string
	Width, Height int // pixels
}

// Marker implements [Emitter].
func (s PresentationSurfaceCreate) Marker() Marker {
	return presentationSurfaceCreate.marker(surfaceID(s.ID), strconv.Itoa(s.Width), strconv.Itoa(s.Height), s.Guest)
}

func surfaceID(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

var presentationFirstFrame = define(Definition{
	Subsystem: presentation, Name: "FIRST_FRAME", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "A guest has drawn its first picture on this screen.",
	Fields:  []FieldDefinition{surfaceField, {Key: "seq", Number: true, Meaning: "number of the frame, from 0"}},
	Example: PresentationFirstFrame{ID: 1},
})

// PresentationFirstFrame: a guest has drawn its first picture on this screen.
type PresentationFirstFrame struct {
	ID  uint32
	Seq uint64
}

// Marker implements [Emitter].
func (f PresentationFirstFrame) Marker() Marker {
	return presentationFirstFrame.marker(surfaceID(f.ID), strconv.FormatUint(f.Seq, 10))
}

var presentationFrameUpdate = define(Definition{
	Subsystem: presentation, Name: "FRAME_UPDATE", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "A guest goes on drawing. At most one line per second and screen; seq tells how many frames there were in between.",
	Fields:  []FieldDefinition{surfaceField, {Key: "seq", Number: true, Meaning: "number of the frame"}},
	Example: PresentationFrameUpdate{ID: 1, Seq: 60},
})

// PresentationFrameUpdate: a guest goes on drawing.
type PresentationFrameUpdate struct {
	ID  uint32
	Seq uint64
}

// Marker implements [Emitter].
func (f PresentationFrameUpdate) Marker() Marker {
	return presentationFrameUpdate.marker(surfaceID(f.ID), strconv.FormatUint(f.Seq, 10))
}

var presentationPresented = define(Definition{
	Subsystem: presentation, Name: "PRESENTED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The guest's screen is shown from now on.",
	Fields:  []FieldDefinition{surfaceField},
	Example: PresentationPresented{ID: 1},
})

// PresentationPresented: the guest's screen is shown from now on.
type PresentationPresented struct{ ID uint32 }

// Marker implements [Emitter].
func (p PresentationPresented) Marker() Marker { return presentationPresented.marker(surfaceID(p.ID)) }

var presentationHidden = define(Definition{
	Subsystem: presentation, Name: "HIDDEN", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The guest's screen is shown no more; the guest goes on.",
	Fields:  []FieldDefinition{surfaceField},
	Example: PresentationHidden{ID: 1},
})

// PresentationHidden: the guest's screen is shown no more.
type PresentationHidden struct{ ID uint32 }

// Marker implements [Emitter].
func (h PresentationHidden) Marker() Marker { return presentationHidden.marker(surfaceID(h.ID)) }

var presentationDestroy = define(Definition{
	Subsystem: presentation, Name: "DESTROY", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The guest has switched the screen off, or is gone.",
	Fields:  []FieldDefinition{surfaceField},
	Example: PresentationDestroy{ID: 1},
})

// PresentationDestroy: the guest has switched the screen off, or is gone.
type PresentationDestroy struct{ ID uint32 }

// Marker implements [Emitter].
func (d PresentationDestroy) Marker() Marker { return presentationDestroy.marker(surfaceID(d.ID)) }
