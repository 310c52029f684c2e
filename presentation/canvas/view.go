package canvas

import "image"

// View says where on a screen a picture is: whole, as large as it fits without being distorted, in the middle.
type View struct {
	Picture image.Point     // size of the picture in its own pixels
	Rect    image.Rectangle // its place on the screen
}

// Fit returns the view of a picture of that size on a screen of that size. Without pixels on either there is none.
func Fit(picture, screen image.Point) View {
	if picture.X < 1 || picture.Y < 1 || screen.X < 1 || screen.Y < 1 {
		return View{}
	}
	size := image.Pt(screen.X, max(1, picture.Y*screen.X/picture.X))
	if size.Y > screen.Y {
		size = image.Pt(max(1, picture.X*screen.Y/picture.Y), screen.Y)
	}
	corner := screen.Sub(size).Div(2)
	return View{Picture: picture, Rect: image.Rectangle{Min: corner, Max: corner.Add(size)}}
}

// Scaled reports whether the picture has another size on the screen than its own.
func (v View) Scaled() bool { return v.Rect.Size() != v.Picture }

// Point returns the pixel of the screen that shows a pixel of the picture.
func (v View) Point(p image.Point) image.Point {
	if v.Picture.X < 1 || v.Picture.Y < 1 {
		return image.Point{}
	}
	return v.Rect.Min.Add(image.Pt(p.X*v.Rect.Dx()/v.Picture.X, p.Y*v.Rect.Dy()/v.Picture.Y))
}

// Back returns the pixel of the picture that a pixel of the screen shows, or the nearest one.
func (v View) Back(p image.Point) image.Point {
	if v.Rect.Empty() {
		return image.Point{}
	}
	p = p.Sub(v.Rect.Min)
	return image.Pt(
		min(max(p.X*v.Picture.X/v.Rect.Dx(), 0), v.Picture.X-1),
		min(max(p.Y*v.Picture.Y/v.Rect.Dy(), 0), v.Picture.Y-1),
	)
}

// Covers returns the pixels of the screen that may change when those of r change in the picture. In a scaled view a pixel
// is made from its neighbours, too.
func (v View) Covers(r image.Rectangle) image.Rectangle {
	if r.Empty() {
		return image.Rectangle{}
	}
	if !v.Scaled() {
		return r.Add(v.Rect.Min).Intersect(v.Rect)
	}
	r = r.Inset(-1)
	w, h := v.Rect.Dx(), v.Rect.Dy()
	return image.Rect(
		floorDiv(r.Min.X*w, v.Picture.X)-1, floorDiv(r.Min.Y*h, v.Picture.Y)-1,
		floorDiv(r.Max.X*w, v.Picture.X)+2, floorDiv(r.Max.Y*h, v.Picture.Y)+2,
	).Add(v.Rect.Min).Intersect(v.Rect)
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
