package markers

import (
	"strings"
	"unicode/utf8"
)

// linePrefix starts every marker, and hardly anything else on a console.
const linePrefix = "[RAYOS_"

// Find returns the marker that ends a line captured from a console, where the
// text may carry terminal escapes, a carriage return, and before the marker the
// remains of a menu or of an unfinished line. It cleans the line itself. Without
// a marker, ok is false and err is nil; for a line that has the start of a
// marker and no marker, as a torn one, err says what is wrong with it.
func Find(line string) (m Marker, ok bool, err error) {
	line = strings.TrimRight(Clean(line), " ")
	for {
		start := strings.Index(line, linePrefix)
		if start < 0 {
			return Marker{}, false, err
		}
		line = line[start:]
		m, parseErr := Parse(line)
		if parseErr == nil {
			return m, true, nil
		}
		err, line = parseErr, line[len(linePrefix):]
	}
}

// Clean returns line without terminal escapes and control characters: CSI
// (cursor, colours, erase), OSC and the other string sequences, two-character
// escapes, carriage return, backspace and the like. Tabs become one space. What
// the escapes would do to the screen is not simulated. An unfinished sequence at
// the end is dropped.
func Clean(line string) string {
	var b strings.Builder
	b.Grow(len(line))
	for len(line) > 0 {
		c, size := utf8.DecodeRuneInString(line)
		switch {
		case c == '\x1b':
			size = escapeLength(line)
		case c == '\t':
			b.WriteByte(' ')
		case c < ' ' || c >= 0x7f && c < 0xa0:
			// A control character of ASCII or Latin-1: nothing to show.
		default:
			b.WriteString(line[:size])
		}
		line = line[size:]
	}
	return b.String()
}

// escapeLength returns the length of the escape sequence that s starts with
// (ECMA-48 §5.3 to §5.6): ESC, then by the next byte a control sequence, a
// string up to BEL or ESC \, or intermediate bytes and one final byte.
func escapeLength(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	switch s[1] {
	case '[':
		return skipFinal(s, 2, '@', '~')
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(s); i++ {
			if s[i] == '\a' {
				return i + 1
			}
			if s[i] == '\x1b' {
				return i + escapeEnd(s[i:])
			}
		}
		return len(s)
	}
	return skipFinal(s, 1, '0', '~')
}

// escapeEnd returns the length of the string terminator ESC \ at the start of
// s, or 0 if another sequence starts there and thereby cuts the string off.
func escapeEnd(s string) int {
	if strings.HasPrefix(s, "\x1b\\") {
		return 2
	}
	return 0
}

// skipFinal returns the index after the first byte of s from start on that lies
// between first and last. A byte that no sequence contains ends it before.
func skipFinal(s string, start int, first, last byte) int {
	for i := start; i < len(s); i++ {
		switch {
		case first <= s[i] && s[i] <= last:
			return i + 1
		case s[i] < ' ' || s[i] > '~':
			return i
		}
	}
	return len(s)
}
