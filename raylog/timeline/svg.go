package timeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Measures of the picture in pixels.
const (
	svgWidth   = 960
	svgMargin  = 20
	svgLeft    = 52                               // where bars begin; arrows run left of them
	svgBar     = svgWidth - 2*svgMargin - svgLeft // the longest bar
	svgTop     = 108
	svgHeight  = 28 // of a bar
	svgLine    = 18
	svgGap     = 22  // between two boots
	svgLeast   = 3   // width of the shortest segment
	svgLetter  = 7.8 // width of a wide letter
	svgColumns = 112 // characters of a line of text
)

// The colours of the picture, which lie on white.
const (
	svgText   = "#222222"
	svgQuiet  = "#5a5a5a"
	svgBad    = "#c62828"
	svgGood   = "#2e7d32"
	svgWarn   = "#8a6100"
	svgGolden = "#b8860b" // around a golden snapshot, and of arrows to it
)

// svgStages are the colours of the stages, in order, and of the text on them.
var svgStages = [...]struct{ fill, text string }{
	{"#4e79a7", "#ffffff"}, {"#f28e2b", svgText}, {"#b07aa1", svgText}, {"#76b7b2", svgText}, {"#59a14f", svgText}, {"#edc948", svgText},
}

var svgOutcomes = map[Outcome]string{Good: svgGood, Recovered: svgGood, Failed: svgBad, Stopped: svgBad, Ended: svgWarn, Unknown: svgWarn, Open: svgQuiet}

// SVG returns a timeline as a picture: a bar for each boot, all to one scale but for
// the shortest and the longest segments, and arrows from failures to the golden
// snapshots that were to recover from them.
func SVG(t Timeline) []byte {
	p := &picture{scale: float64(svgBar) / float64(scaleMS(t.Boots)), y: svgTop}
	p.head(t.heading())
	for i, b := range t.Boots {
		p.boot(b, i > 0 && b.recovers(&t.Boots[i-1]))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n",
		svgWidth, p.y, svgWidth, p.y)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", svgWidth, p.y)
	out.Write(p.b.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// head draws the title and the legend.
func (p *picture) head(title string) {
	p.element("title", "", title)
	p.text(svgMargin, 30, svgText, `font-size="16" font-weight="bold"`, strings.TrimRight(fit(title, svgColumns-20), " "))
	x := svgMargin
	for i, name := range Stages() {
		p.rect(float64(x), 46, 16, 14, svgStages[i].fill, "")
		x = p.legend(x+16, 58, name)
	}
	x = svgMargin
	p.rect(float64(x), 70, 16, 14, "none", dashed)
	x = p.legend(x+16, 82, "not reached")
	p.cross(float64(x+6), 77)
	x = p.legend(x+12, 82, "failed")
	p.rect(float64(x), 70, 16, 14, "none", golden)
	x = p.legend(x+16, 82, "golden snapshot")
	p.path(svgGolden, "M%d 77h20", x)
	p.arrowhead(x+28, 77)
	x = p.legend(x+28, 82, "recovery")
	p.zigzag(float64(x), 66, 22)
	x = p.legend(x+6, 82, "longer than "+span(longestMS))
	for _, ms := range []int64{10_000, 1000, 100, 10} {
		if width := float64(ms) * p.scale; width < 160 {
			p.path(svgText, "M%d 74v6h%.1fv-6", x, width)
			p.legend(x+int(width), 82, span(ms))
			break
		}
	}
}

// boot draws one boot. With recovers, an arrow leads to it from the boot before.
func (p *picture) boot(b Boot, recovers bool) {
	title := fmt.Sprintf("boot %d · ", b.Number)
	if b.Wall != nil {
		title += b.Wall.Format(time.DateTime) + " UTC · "
	}
	title = strings.TrimRight(fit(title+b.what(), 90), " ")
	p.text(svgLeft, p.y+14, svgText, `font-weight="bold"`, title)
	p.text(svgWidth-svgMargin, p.y+14, svgOutcomes[b.Outcome], `font-weight="bold" text-anchor="end"`, b.Words())
	p.y += 22
	if recovers {
		p.arrow(p.bar+svgHeight-7, p.y+7)
	}
	p.bar = p.y
	if len(b.Segments) > 0 {
		p.segments(b)
		p.y += svgHeight
		p.line(svgQuiet, times(b))
	}
	for _, e := range b.Events {
		p.mark(e.mark(), svgLeft, p.y+svgLine-4)
		p.lines(svgLeft+16, svgText, e.when()+e.Text)
	}
	for _, problem := range b.Problems {
		p.lines(svgLeft, svgBad, fmt.Sprintf("%s %s: %s", problem.Level, problem.Source, problem.Message))
	}
	if b.MoreProblems > 0 {
		p.line(svgBad, fmt.Sprintf("and %d more errors", b.MoreProblems))
	}
	p.line(svgQuiet, b.aside())
	p.y += svgGap
}

// times are the times of a boot's segments.
func times(b Boot) string {
	var all []string
	for _, s := range b.Segments {
		all = append(all, s.label(b.Outcome)+" "+span(s.TimeMS))
	}
	return strings.Join(all, " · ")
}

// segments draws the bar of a boot.
func (p *picture) segments(b Boot) {
	x := float64(svgLeft)
	for _, s := range b.Segments {
		ms, cut := s.drawnMS()
		width := max(svgLeast, float64(ms)*p.scale)
		colours, more := svgStages[max(0, slices.Index(Stages(), s.Stage))], `stroke="#ffffff"`
		if !s.Reached {
			more = `fill-opacity="0.3" ` + dashed
			colours.text = svgText
		}
		p.rect(x, p.y, width, svgHeight, colours.fill, more)
		if cut {
			p.zigzag(x+width*0.75, p.y-2, svgHeight+4)
		}
		for _, label := range []string{s.label(b.Outcome) + " " + span(s.TimeMS), span(s.TimeMS), s.label(b.Outcome)} {
			if room := svgLetter*float64(len([]rune(label))) + 8; room < width && (!cut || room < width*0.7) {
				p.text(int(x)+6, p.y+svgHeight/2+5, colours.text, "", label)
				break
			}
		}
		x += width
	}
	if b.Outcome == Failed {
		p.cross(x+9, float64(p.y+svgHeight/2))
	}
	if b.Golden != nil {
		p.rect(svgLeft-2, p.y-2, x-svgLeft+4, svgHeight+4, "none", golden)
	}
}
