// Package testpicture makes the pictures by which tests of screens tell right from wrong: known to the program that shows
// them on the machine and to the test that looks at it.
package testpicture

import (
	"image"
	"image/color"
	"image/draw"
)

// Pattern returns a picture in which each pixel differs from its neighbours, and each picture from those of other numbers.
func Pattern(size image.Point, number int) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			img.SetRGBA(x, y, color.RGBA{uint8(x + 16*number), uint8(y + x/256*16), uint8(x ^ y), 0xff})
		}
	}
	return img
}

// Flips are the colours of pictures that follow each other, again and again.
var Flips = [...]color.RGBA{{0xff, 0, 0, 0xff}, {0, 0xff, 0, 0xff}, {0, 0, 0xff, 0xff}}

// Plain returns a picture of one colour.
func Plain(size image.Point, c color.RGBA) *image.RGBA {
	img := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

// Pointer returns the image of a pointer, partly transparent.
func Pointer() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for y := range 24 {
		for x := range y {
			img.SetNRGBA(x, y, color.NRGBA{0xff, 0xff, 0, uint8(min(255, 20*(y-x)))})
		}
	}
	return img
}

// PointerHot is the pixel of the pointer that points.
var PointerHot = image.Pt(1, 2)
