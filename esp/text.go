package esp

import (
	"bytes"
	"errors"
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxConfBytes is the largest loader.conf or Type #1 entry that is read.
const MaxConfBytes = 64 << 10

// maxTextRunes bounds text for the screen: a title, a version, a key.
const maxTextRunes = 256

// ellipsis ends a text that was too long.
const ellipsis = "..."

// ErrNotText is in the chain of the error for a configuration file that holds
// binary data.
var ErrNotText = errors.New("holds binary data, no text")

// printable returns s fit for a screen: what is no printable character of valid
// UTF-8, above all terminal escapes and bidirectional overrides, becomes a
// question mark, a tab a space, and a long text is cut.
func printable(s string) string {
	text := make([]rune, 0, min(len(s), maxTextRunes+1))
	for _, r := range s {
		switch {
		case r == '\t':
			r = ' '
		case isUnprintable(r):
			r = '?'
		}
		if text = append(text, r); len(text) > maxTextRunes {
			return string(text[:maxTextRunes-len(ellipsis)]) + ellipsis
		}
	}
	return string(text)
}

// quoted returns the start of s, printable and in double quotes, for an error
// text.
func quoted(s string) string {
	const maxRunes = 60
	n := 0
	for i := range s {
		if n++; n > maxRunes {
			return strconv.Quote(s[:i] + ellipsis)
		}
	}
	return strconv.Quote(s)
}

// isUnprintable is true for control and format characters, unassigned ones,
// spaces other than U+0020, and for the mark of invalid UTF-8.
func isUnprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// keyValue is a line of a configuration file: the first word and the rest.
type keyValue struct {
	line       int // from 1
	key, value string
}

// lines gives the lines of a configuration file (UAPI BLS §Type #1 Boot Loader
// Entry Files; loader.conf(5)) that are neither empty nor a comment. Lines end
// with LF or CR LF. The value is empty if there is only a key.
func lines(data []byte) iter.Seq[keyValue] {
	text := string(bytes.TrimPrefix(data, []byte("\ufeff")))
	return func(yield func(keyValue) bool) {
		n := 0
		for line := range strings.SplitSeq(text, "\n") {
			n++
			line = strings.Trim(line, " \t\r")
			if line == "" || line[0] == '#' {
				continue
			}
			kv := keyValue{line: n, key: line}
			if end := strings.IndexAny(line, " \t"); end >= 0 {
				kv.key, kv.value = line[:end], strings.TrimLeft(line[end:], " \t")
			}
			if !yield(kv) {
				return
			}
		}
	}
}

// checkText reports why data is no configuration file at all.
func checkText(data []byte) error {
	if bytes.IndexByte(data, 0) >= 0 {
		return ErrNotText
	}
	if len(data) > MaxConfBytes {
		return errTooLarge(int64(len(data)), MaxConfBytes)
	}
	return nil
}
