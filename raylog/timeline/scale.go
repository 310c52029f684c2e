package timeline

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rayos/rayboot/markers"
)

// longestMS is as long as a segment is drawn: one that took longer is drawn like
// this, so that a menu that waited for an hour leaves room for all else.
const longestMS = 60_000

// drawnMS is the time as which a segment is drawn, and whether it is less than it
// took.
func (s Segment) drawnMS() (ms int64, cut bool) {
	return min(max(s.TimeMS, 0), longestMS), s.TimeMS > longestMS
}

// scaleMS is the time that takes the whole width of a picture: that of the longest
// of the boots.
func scaleMS(boots []Boot) int64 {
	longest := int64(1)
	for _, b := range boots {
		sum := int64(0)
		for _, s := range b.Segments {
			ms, _ := s.drawnMS()
			sum += ms
		}
		longest = max(longest, sum)
	}
	return longest
}

// label names a segment. What was not reached is not called so.
func (s Segment) label(o Outcome) string {
	switch {
	case s.Reached || s.Stage == Stages()[0]:
		return s.Stage
	case o == Open:
		return s.Stage + "…"
	}
	return "no " + s.Stage
}

// recovers reports whether b is the golden snapshot with which the machine recovers
// from the failure of the boot before it.
func (b *Boot) recovers(before *Boot) bool {
	return b.Golden != nil && b.Golden.Reason != string(markers.ReasonUser) && before.Outcome == Failed
}

// mark is what sort of event it is.
type mark int

const (
	failing    mark = iota // something went wrong
	recovering             // something was done about it
	telling                // it is good to know
)

func (e *Event) mark() mark {
	switch e.Kind {
	case RecoveryBegins, GoldenStarted:
		return recovering
	case WentDown:
		return telling
	}
	return failing
}

// printable replaces what could do something to a terminal, a whole run of it by
// one character, and line ends.
func printable(s string) string {
	last := ' '
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			r = ' '
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			r = utf8.RuneError
			if last == r {
				return -1
			}
		}
		last = r
		return r
	}, s)
}

// fit cuts a text to width columns, or fills it with spaces.
func fit(s string, width int) string {
	r := []rune(printable(s))
	if len(r) > width {
		return string(r[:max(width-1, 0)]) + "…"
	}
	return string(r) + strings.Repeat(" ", width-len(r))
}

// wrap breaks a text into lines of at most width columns, between words where that
// is possible.
func wrap(text string, width int) (lines []string) {
	var line []rune
	for word := range strings.FieldsSeq(printable(text)) {
		letters := []rune(word)
		if len(line) > 0 && len(line)+1+len(letters) > width {
			lines, line = append(lines, string(line)), nil
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		for ; len(line)+len(letters) > width; line = nil {
			room := width - len(line)
			lines = append(lines, string(line)+string(letters[:room]))
			letters = letters[room:]
		}
		line = append(line, letters...)
	}
	if len(line) > 0 {
		lines = append(lines, string(line))
	}
	return lines
}
