package markers

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Emitter is a marker with a Go type of its own. Every definition of the
// registry has one.
type Emitter interface {
	Marker() Marker
}

// The programs that emit markers.
const (
	EmittedByManager = "boot manager"
	EmittedByRuntime = "runtime"
)

// Definition describes one marker of the registry.
type Definition struct {
	Subsystem string
	Name      string
	EmittedBy string
	Since     string // version of the first release that emits it
	Meaning   string // one sentence or two
	Alarm     bool   // it tells of something that went wrong
	Fields    []FieldDefinition
	Example   Emitter // as a user would see it
}

// FieldDefinition describes one field. A marker has all of its fields, always
// in this order; a value that is not known is empty.
type FieldDefinition struct {
	Key     string
	Meaning string
	Number  bool     // values are decimal numbers
	Values  []string // the only values that occur; nil if others may
}

// ID returns the subsystem and the name, as between the brackets of the line.
func (d *Definition) ID() string { return d.Subsystem + ":" + d.Name }

// registry holds what [define] was called with. Nothing changes it after the
// package is initialised.
var registry []*Definition

// define adds a marker to the registry. It is called from package variables
// only, one beside each marker type.
func define(d Definition) *Definition {
	registry = append(registry, &d)
	return &d
}

// All returns every marker that the programs of this project emit, in the order
// in which docs/markers.md shows them.
func All() []Definition {
	all := make([]Definition, 0, len(registry))
	for _, d := range registry {
		all = append(all, *d)
	}
	return all
}

// ErrUnknown is in the chain of the errors of [Check] for a marker that is not in
// the registry.
var ErrUnknown = errors.New("unknown marker")

// Alarms reports whether the marker tells of something that went wrong; one that
// nobody knows does not.
func Alarms(m Marker) bool {
	return slices.ContainsFunc(registry, func(d *Definition) bool { return d.Alarm && d.ID() == m.ID() })
}

// Check reports why m is not as the registry says: a marker that nobody emits,
// other fields or another order of them, a value outside the defined ones.
func Check(m Marker) error {
	i := slices.IndexFunc(registry, func(d *Definition) bool { return d.ID() == m.ID() })
	if i < 0 {
		return fmt.Errorf("check marker %s: %w", m.ID(), ErrUnknown)
	}
	return registry[i].check(m)
}

func (d *Definition) check(m Marker) error {
	if len(m.Fields) != len(d.Fields) {
		return fmt.Errorf("check marker %s: has %d fields, defined are %d", d.ID(), len(m.Fields), len(d.Fields))
	}
	for i, want := range d.Fields {
		got := m.Fields[i]
		if got.Key != want.Key {
			return fmt.Errorf("check marker %s: field %d is %q, defined is %q", d.ID(), i+1, got.Key, want.Key)
		}
		if _, err := strconv.ParseUint(got.Value, 10, 64); want.Number && err != nil {
			return fmt.Errorf("check marker %s: %s is %q, defined as a number", d.ID(), want.Key, got.Value)
		}
		if want.Values != nil && !slices.Contains(want.Values, got.Value) {
			return fmt.Errorf("check marker %s: %s is %q, defined are %s", d.ID(), want.Key, got.Value, strings.Join(want.Values, ", "))
		}
	}
	return nil
}

// marker makes the marker of d with these values, in the order of its fields.
// Each marker type calls it with as many values as its definition has fields,
// which a test holds.
func (d *Definition) marker(values ...string) Marker {
	m := Marker{Subsystem: d.Subsystem, Name: d.Name}
	for i, v := range values {
		m.Fields = append(m.Fields, Field{d.Fields[i].Key, clip(v)})
	}
	return m
}

// ellipsis ends a value that was too long.
const ellipsis = "..."

// clip shortens a value so that it takes at most MaxValueBytes on the line, with
// its quotes, and cuts between characters. Thus an emitter cannot make an invalid
// line out of a long file name or error text.
func clip(v string) string {
	cut, length := 0, len(`""`)
	for i := 0; i < len(v); {
		_, size := utf8.DecodeRuneInString(v[i:])
		length += len(strconv.QuoteToASCII(v[i:i+size])) - len(`""`)
		if length > MaxValueBytes {
			return v[:cut] + ellipsis
		}
		i += size
		if length+len(ellipsis) <= MaxValueBytes {
			cut = i
		}
	}
	return v
}
