package markers

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a line that is a marker and nothing else: no newline, no space
// around it, no terminal escape. It is strict, there is one spelling of each
// marker, so Parse(line) followed by [Marker.String] gives line again. Errors
// wrap [ErrNotMarker]. It knows the grammar only; [Check] knows the registry.
func Parse(line string) (Marker, error) {
	if len(line) > MaxLineBytes {
		return Marker{}, fmt.Errorf("parse marker: line of %d bytes, at most %d are allowed: %w", len(line), MaxLineBytes, ErrNotMarker)
	}
	m, err := parse(line)
	if err == nil {
		err = m.Validate()
	}
	if err == nil && m.String() != line {
		err = fmt.Errorf("must be written %s: %w", m, ErrNotMarker)
	}
	if err != nil {
		return Marker{}, fmt.Errorf("parse marker %q: %w", line, err)
	}
	return m, nil
}

// MustParse is like [Parse] but panics on an error: for lines that stand in the
// source of a program or test.
func MustParse(line string) Marker {
	m, err := Parse(line)
	if err != nil {
		panic(err)
	}
	return m
}

// parse takes line apart. It leaves to Validate what the parts may be, and to
// the comparison in Parse whether they are spelled as String spells them.
func parse(line string) (Marker, error) {
	rest, ok := strings.CutPrefix(line, "[")
	id, fields, closed := strings.Cut(rest, "]")
	subsystem, name, named := strings.Cut(id, ":")
	if !ok || !closed || !named {
		return Marker{}, fmt.Errorf("no [SUBSYSTEM:NAME] at its start: %w", ErrNotMarker)
	}
	m := Marker{Subsystem: subsystem, Name: name}
	for separator := " "; fields != ""; separator = ", " {
		if len(m.Fields) == MaxFields {
			return Marker{}, fmt.Errorf("more than %d fields: %w", MaxFields, ErrNotMarker)
		}
		if fields, ok = strings.CutPrefix(fields, separator); !ok {
			return Marker{}, fmt.Errorf("%q expected before %q: %w", separator, fields, ErrNotMarker)
		}
		field, rest, err := parseField(fields)
		if err != nil {
			return Marker{}, err
		}
		m.Fields, fields = append(m.Fields, field), rest
	}
	return m, nil
}

// parseField reads the key=value that s starts with and returns what follows.
func parseField(s string) (field Field, rest string, err error) {
	key, value, ok := strings.Cut(s, "=")
	if !ok {
		return Field{}, "", fmt.Errorf("no key=value in %q: %w", s, ErrNotMarker)
	}
	if strings.HasPrefix(value, `"`) {
		quoted, err := strconv.QuotedPrefix(value)
		if err != nil {
			return Field{}, "", fmt.Errorf("value of %q has no closing quote: %w", key, ErrNotMarker)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return Field{}, "", fmt.Errorf("value of %q is badly quoted: %w", key, ErrNotMarker)
		}
		return Field{key, text}, value[len(quoted):], nil
	}
	end := 0
	for end < len(value) && isBareByte(value[end]) {
		end++
	}
	return Field{key, value[:end]}, value[end:], nil
}
