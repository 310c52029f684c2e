package presentation

import "image"

// Sink shows one picture at a time: a screen, or a file. It is called from one
// goroutine at a time, and by nobody else while a call lasts; after a call it
// keeps no picture, as its memory may go away.
type Sink interface {
	// Size returns the pixels that the sink shows best, for a guest to choose
	// its mode by. It may change when a screen is plugged in.
	Size() image.Point

	// Draw shows picture. Only the pixels in damage have changed since the call
	// before; the rectangles lie within the picture and do not overlap. At the
	// first call, after Blank, and when the picture's size changes, damage is
	// the whole picture. It returns the bytes that it wrote in copying pixels.
	Draw(picture Picture, damage []image.Rectangle) (bytes int, err error)

	// SetCursor shows the cursor on top of the picture; one without an image
	// hides it.
	SetCursor(c Cursor) error

	// MoveCursor puts the cursor's hot spot at a point of the picture.
	MoveCursor(at image.Point) error

	// Blank shows nothing, and gives the screen back to its text console where
	// it has one.
	Blank() error
}

// MaxCursorSide is the width and height that the image of a cursor may have.
const MaxCursorSide = 64

// Cursor is the image of a guest's mouse pointer.
type Cursor struct {
	Image *image.NRGBA // at most MaxCursorSide wide and high; nil shows none
	Hot   image.Point  // the pixel that points
}
