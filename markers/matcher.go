package markers

import (
	"errors"
	"fmt"
	"strings"
)

// Matcher checks that markers arrive on a console in a given order. Lines
// without a marker, and other markers in between, are passed over.
//
// What is waited for is a pattern, see [Marker.Matches]: [RAYOS_BOOT_MARKER:GOLDEN]
// stands for that marker whatever its fields are.
type Matcher struct {
	want   []Marker
	forbid []Marker
	next   int      // index in want
	seen   []string // the last markers, and lines that began like one
	err    error    // the forbidden marker that came
}

// seenLimit is how many of the last markers a report of a failure shows.
const seenLimit = 8

// ErrMissing is in the chain of [Matcher.Err] while markers are missing.
var ErrMissing = errors.New("marker did not arrive")

// ErrForbidden is in the chain of [Matcher.Err] after a marker that must not come.
var ErrForbidden = errors.New("marker must not come")

// NewMatcher returns a Matcher that waits for want, in this order.
func NewMatcher(want ...Marker) *Matcher { return &Matcher{want: want} }

// Forbid makes the arrival of any of these markers a failure, and returns m.
func (m *Matcher) Forbid(markers ...Marker) *Matcher {
	m.forbid = append(m.forbid, markers...)
	return m
}

// Feed takes the next line of the console, as captured; see [Find]. It returns an
// error once a forbidden marker has come; after that nothing more is matched. A
// line that begins like a marker and is none, perhaps because the kernel wrote
// into it, is passed over, but [Matcher.Err] shows it.
func (m *Matcher) Feed(line string) error {
	if m.err != nil {
		return m.err
	}
	got, ok, err := Find(line)
	if err != nil {
		m.remember(err.Error())
	}
	if !ok {
		return nil
	}
	m.remember(got.String())
	for _, f := range m.forbid {
		if got.Matches(f) {
			m.err = fmt.Errorf("%s: %w", got, ErrForbidden)
			return m.err
		}
	}
	if m.next < len(m.want) && got.Matches(m.want[m.next]) {
		m.next++
	}
	return nil
}

func (m *Matcher) remember(line string) {
	if m.seen = append(m.seen, line); len(m.seen) > seenLimit {
		m.seen = m.seen[1:]
	}
}

// Done reports whether all markers have arrived and no forbidden one has.
func (m *Matcher) Done() bool { return m.err == nil && m.next == len(m.want) }

// Err returns nil if Done, otherwise which marker came and must not, or which one
// is waited for, with the last markers that did arrive.
func (m *Matcher) Err() error {
	switch {
	case m.err != nil:
		return fmt.Errorf("%w; %s", m.err, m.history())
	case m.next < len(m.want):
		return fmt.Errorf("%s: %w (%d of %d did); %s", m.want[m.next], ErrMissing, m.next, len(m.want), m.history())
	}
	return nil
}

func (m *Matcher) history() string {
	if len(m.seen) == 0 {
		return "no marker was seen"
	}
	var b strings.Builder
	b.WriteString("last markers seen:")
	for _, s := range m.seen {
		b.WriteString("\n\t" + s)
	}
	return b.String()
}
