package markers

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Limits of the grammar. They bound what a reader must buffer; the markers of
// this project stay far below them.
const (
	MaxLineBytes  = 512 // a whole line without its newline
	MaxFields     = 16  // fields of one marker
	MaxValueBytes = 160 // one value before quoting
)

// ErrNotMarker is in the chain of every error of [Parse].
var ErrNotMarker = errors.New("not a marker")

// Field is one key with its value. The value is the plain text, not quoted.
type Field struct {
	Key, Value string
}

// Marker is one marker line taken apart.
type Marker struct {
	Subsystem string // such as RAYOS_BOOTMGR
	Name      string // such as SELECTED, or BOOT:USB
	Fields    []Field
}

// ID returns the subsystem and the name, as between the brackets of the line.
func (m Marker) ID() string { return m.Subsystem + ":" + m.Name }

// Get returns the value of the field key, and whether the marker has it.
func (m Marker) Get(key string) (string, bool) {
	for _, f := range m.Fields {
		if f.Key == key {
			return f.Value, true
		}
	}
	return "", false
}

// Matches reports whether m is what pattern asks for: it has the same ID and at
// least the fields of pattern with the same values.
func (m Marker) Matches(pattern Marker) bool {
	if m.ID() != pattern.ID() {
		return false
	}
	for _, f := range pattern.Fields {
		if value, ok := m.Get(f.Key); !ok || value != f.Value {
			return false
		}
	}
	return true
}

// String returns the marker's line without a newline.
func (m Marker) String() string {
	var b strings.Builder
	b.WriteString("[" + m.ID() + "]")
	for i, f := range m.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(" " + f.Key + "=" + quoteValue(f.Value))
	}
	return b.String()
}

// Validate reports why m has no line of its own: a malformed name or key, a key
// given twice, or one of the limits exceeded. A marker made by one of the types
// of the registry is always valid.
func (m Marker) Validate() error {
	if !isSubsystem(m.Subsystem) {
		return fmt.Errorf("subsystem %q is not RAYOS_ and a word of A-Z, 0-9, _: %w", m.Subsystem, ErrNotMarker)
	}
	for word := range strings.SplitSeq(m.Name, ":") {
		if !isWord(word) {
			return fmt.Errorf("name %q is not made of words of A-Z, 0-9, _: %w", m.Name, ErrNotMarker)
		}
	}
	if len(m.Fields) > MaxFields {
		return fmt.Errorf("%d fields, at most %d are allowed: %w", len(m.Fields), MaxFields, ErrNotMarker)
	}
	for i, f := range m.Fields {
		if err := m.validateField(i, f); err != nil {
			return err
		}
	}
	if n := len(m.String()); n > MaxLineBytes {
		return fmt.Errorf("line of %d bytes, at most %d are allowed: %w", n, MaxLineBytes, ErrNotMarker)
	}
	return nil
}

func (m Marker) validateField(i int, f Field) error {
	if !isKey(f.Key) {
		return fmt.Errorf("key %q is not a word of a-z, 0-9, _: %w", f.Key, ErrNotMarker)
	}
	for _, earlier := range m.Fields[:i] {
		if earlier.Key == f.Key {
			return fmt.Errorf("key %q is given twice: %w", f.Key, ErrNotMarker)
		}
	}
	if len(f.Value) > MaxValueBytes {
		return fmt.Errorf("value of %q has %d bytes, at most %d are allowed: %w", f.Key, len(f.Value), MaxValueBytes, ErrNotMarker)
	}
	return nil
}

func isSubsystem(s string) bool {
	word, ok := strings.CutPrefix(s, "RAYOS_")
	return ok && isWord(word)
}

func isWord(s string) bool { return isIdentifier(s, 'A', 'Z') }

func isKey(s string) bool { return isIdentifier(s, 'a', 'z') }

// isIdentifier reports whether s is a letter between first and last, followed
// by such letters, digits and underscores.
func isIdentifier(s string, first, last byte) bool {
	for i := range len(s) {
		c := s[i]
		letter := first <= c && c <= last
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// quoteValue gives the one spelling of a value: bare if possible.
func quoteValue(v string) string {
	if isBare(v) {
		return v
	}
	return strconv.QuoteToASCII(v)
}

func isBare(v string) bool {
	for i := range len(v) {
		if !isBareByte(v[i]) {
			return false
		}
	}
	return v != ""
}

func isBareByte(c byte) bool {
	return c > ' ' && c < 0x7f && c != ',' && c != '"' && c != '='
}
