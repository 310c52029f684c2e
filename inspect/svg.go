package inspect

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
)

// Measures of the picture in pixels, and the colours of its pieces.
const (
	svgWidth   = 960
	svgMargin  = 20
	svgTop     = 60
	svgBar     = 90
	svgLine    = 24
	svgMinimum = 14 // width of the narrowest piece
)

var svgColours = []string{"#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#76b7b2", "#edc948", "#9c755f"}

const svgFree = "#e8e8e8"

// SVG returns the report's disk as a picture: a bar that is to scale but for
// the narrowest pieces, and a legend.
func SVG(r Report) []byte {
	list := sketch.Pieces(r.Table)
	var b bytes.Buffer
	height := svgTop + svgBar + svgLine*(len(list)+2)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="14">`+"\n",
		svgWidth, height, svgWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", svgWidth, height)
	svgText(&b, svgMargin, 28, "bold", fmt.Sprintf("%s: %s, sectors of %d bytes", r.Path, sketch.Bytes(r.Table.DiskBytes), r.Table.SectorSize))
	svgText(&b, svgMargin, 48, "normal", "disk ID "+r.Table.DiskID.String())
	x := float64(svgMargin)
	for i, width := range svgWidths(list) {
		p := list[i]
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" stroke="#ffffff" stroke-width="2"/>`+"\n",
			x, svgTop, width, svgBar, colourOf(p))
		if label := p.Name(); p.Partition != nil && width > float64(9*len([]rune(label))) {
			svgLabel(&b, x+width/2, svgTop+svgBar/2, label)
		}
		x += width
	}
	for i, p := range list {
		svgLegend(&b, svgTop+svgBar+svgLine*(i+1)+10, p, r.Table)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func colourOf(p sketch.Piece) string {
	if p.Partition == nil {
		return svgFree
	}
	return svgColours[(p.Partition.Number-1)%len(svgColours)]
}

// svgWidths shares the width among the pieces.
func svgWidths(list []sketch.Piece) []float64 {
	total := float64(svgWidth-2*svgMargin) - svgMinimum*float64(len(list))
	var sum float64
	for _, p := range list {
		sum += float64(p.SizeBytes)
	}
	widths := make([]float64, len(list))
	for i, p := range list {
		widths[i] = svgMinimum + max(total, 0)*float64(p.SizeBytes)/sum
	}
	return widths
}

func svgLegend(b *bytes.Buffer, y int, p sketch.Piece, t gpt.Table) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="14" height="14" fill="%s"/>`+"\n", svgMargin, y, colourOf(p))
	text := fmt.Sprintf("free, %s at LBA %d", sketch.Bytes(p.SizeBytes), p.StartBytes/int64(t.SectorSize))
	if q := p.Partition; q != nil {
		text = fmt.Sprintf("%d  %s, %s at LBA %d, %s", q.Number, q.Name, sketch.Bytes(p.SizeBytes), p.StartBytes/int64(t.SectorSize), q.ID)
	}
	svgText(b, svgMargin+24, y+12, "normal", text)
}

func svgText(b *bytes.Buffer, x, y int, weight, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="%s">`, x, y, weight)
	svgEscape(b, text)
}

func svgLabel(b *bytes.Buffer, x float64, y int, text string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle" fill="#ffffff">`, x, y)
	svgEscape(b, text)
}

// svgEscape writes text and closes its element. A bytes.Buffer takes all writes.
func svgEscape(b *bytes.Buffer, text string) {
	_ = xml.EscapeText(b, []byte(sketch.Printable(text)))
	b.WriteString("</text>\n")
}
