package bootmenu

import (
	"slices"
	"unicode"
)

// MaxOptions is how many characters a command line may have in the editor; the
// kernel cuts off what is longer (COMMAND_LINE_SIZE on x86 is 2048).
const MaxOptions = 2047

// editor changes one command line for one boot. It is never changed in place.
type editor struct {
	text   []rune
	cursor int // 0..len(text)
}

func newEditor(text string) *editor {
	runes := []rune(text)
	runes = runes[:min(len(runes), MaxOptions)]
	return &editor{text: runes, cursor: len(runes)}
}

func (e *editor) press(k Key) *editor {
	n := &editor{text: slices.Clone(e.text), cursor: e.cursor}
	switch k.Code {
	case Left:
		n.cursor = max(0, n.cursor-1)
	case Right:
		n.cursor = min(len(n.text), n.cursor+1)
	case Home, Up:
		n.cursor = 0
	case End, Down:
		n.cursor = len(n.text)
	case Backspace:
		if n.cursor > 0 {
			n.cursor--
			n.text = slices.Delete(n.text, n.cursor, n.cursor+1)
		}
	case Delete:
		if n.cursor < len(n.text) {
			n.text = slices.Delete(n.text, n.cursor, n.cursor+1)
		}
	case Character:
		if unicode.IsPrint(k.Rune) && len(n.text) < MaxOptions {
			n.text = slices.Insert(n.text, n.cursor, k.Rune)
			n.cursor++
		}
	}
	return n
}
