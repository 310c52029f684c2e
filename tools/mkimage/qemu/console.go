package qemu

// PlainText turns what a firmware or kernel console sends over a serial line into plain text, whatever the chunks in
// which it arrives. It drops carriage returns, control characters and escape sequences (ECMA-48 §5.4), and ends the
// line where the sequence moves the cursor: a menu that is drawn row by row becomes one line per row.
//
// The zero value is ready for use.
type PlainText struct {
	state    escapeState
	lineOpen bool // the current line has text
}

type escapeState int

const (
	inText escapeState = iota
	afterEscape
	inControlSequence
)

const escape = 0x1b

// Append appends the text of the next chunk to text and returns the longer slice.
func (p *PlainText) Append(text, chunk []byte) []byte {
	for _, c := range chunk {
		switch p.state {
		case afterEscape:
			p.state = inText
			if c == '[' {
				p.state = inControlSequence
			}
		case inControlSequence:
			switch {
			case c == escape: // a new sequence begins before the old one has ended
				p.state = afterEscape
			case c >= '@' && c <= '~': // the final byte of a control sequence
				p.state = inText
				if movesCursor(c) && p.lineOpen {
					text = p.newline(text)
				}
			}
		default:
			text = p.appendPlain(text, c)
		}
	}
	return text
}

func (p *PlainText) appendPlain(text []byte, c byte) []byte {
	switch {
	case c == escape:
		p.state = afterEscape
	case c == '\n':
		return p.newline(text)
	case c == '\t' || c >= ' ' && c != 0x7f:
		p.lineOpen = true
		return append(text, c)
	}
	return text
}

func (p *PlainText) newline(text []byte) []byte {
	p.lineOpen = false
	return append(text, '\n')
}

// movesCursor tells whether a control sequence with this final byte goes to another line: cursor up, down, next line,
// preceding line, position, and erasing the screen.
func movesCursor(final byte) bool {
	switch final {
	case 'A', 'B', 'E', 'F', 'H', 'J', 'f':
		return true
	}
	return false
}
