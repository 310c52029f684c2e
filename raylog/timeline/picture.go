package timeline

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// picture is an SVG drawing on its way down.
type picture struct {
	b     bytes.Buffer
	scale float64 // pixels in a millisecond
	y     int     // where it goes on
	bar   int     // where the last bar is
}

// Outlines.
const (
	dashed = `stroke="` + svgQuiet + `" stroke-dasharray="4 3"`
	golden = `stroke="` + svgGolden + `" stroke-width="3"`
)

// element writes an element that holds a text. A bytes.Buffer takes all writes.
func (p *picture) element(name, attributes, text string) {
	p.b.WriteString("<" + name + attributes + ">")
	_ = xml.EscapeText(&p.b, []byte(printable(text)))
	p.b.WriteString("</" + name + ">\n")
}

func (p *picture) text(x, y int, fill, more, text string) {
	if more != "" {
		more = " " + more
	}
	p.element("text", fmt.Sprintf(` x="%d" y="%d" fill="%s"%s`, x, y, fill, more), text)
}

// line writes a line of text below what is there.
func (p *picture) line(fill, text string) { p.lines(svgLeft, fill, text) }

// lines is line for a text that may need several.
func (p *picture) lines(x int, fill, text string) {
	for _, line := range wrap(text, svgColumns) {
		p.y += svgLine
		p.text(x, p.y, fill, "", line)
	}
}

// legend explains what ends at x, and returns where the next one begins.
func (p *picture) legend(x, y int, text string) int {
	p.text(x+6, y, svgText, "", text)
	return x + 6 + int(svgLetter*float64(len(text))) + 20
}

func (p *picture) rect(x float64, y int, width float64, height int, fill, more string) {
	fmt.Fprintf(&p.b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" %s/>`+"\n", x, y, width, height, fill, more)
}

func (p *picture) path(stroke, format string, args ...any) {
	fmt.Fprintf(&p.b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", fmt.Sprintf(format, args...), stroke)
}

// cross marks a failure.
func (p *picture) cross(x, y float64) { p.path(svgBad, "M%.1f %.1fl8 8m0 -8l-8 8", x-4, y-4) }

// mark draws what stands in front of an event.
func (p *picture) mark(m mark, x, y int) {
	switch m {
	case failing:
		p.cross(float64(x+4), float64(y))
	case recovering:
		p.arrowhead(x+9, y)
	case telling:
		p.path(svgWarn, "M%d %dh8", x, y)
	}
}

// zigzag marks a segment that is drawn shorter than it took.
func (p *picture) zigzag(x float64, y, height int) {
	step := float64(height) / 4
	path := fmt.Sprintf("M%.1f %dl5 %.1fl-5 %.1fl5 %.1fl-5 %.1f", x, y, step, step, step, step)
	fmt.Fprintf(&p.b, `<path d="%s" fill="none" stroke="#ffffff" stroke-width="5"/>`+"\n", path)
	p.path(svgQuiet, "%s", path)
}

// arrow leads from one bar down to another.
func (p *picture) arrow(from, to int) {
	const left = svgLeft - 26
	p.path(svgGolden, "M%d %dH%dV%dH%d", svgLeft, from, left, to, svgLeft-8)
	p.arrowhead(svgLeft-2, to)
}

// arrowhead draws the tip of an arrow to the right.
func (p *picture) arrowhead(x, y int) {
	fmt.Fprintf(&p.b, `<path d="M%d %dl-9 -5v10z" fill="%s"/>`+"\n", x, y, svgGolden)
}
