// Package markers is the one vocabulary of marker lines: the short,
// machine-readable lines by which the boot manager and the runtime say on the
// screen and the serial line what just happened.
//
//	[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default
//
// The package owns the grammar ([Parse], [Marker.String]), the registry of the
// markers that are emitted today ([All], [Check]) with one Go type each, and an
// in-order [Matcher] for whoever reads a console. It does not own transport:
// an emitter writes [Marker.String] and a newline in a single write, a reader
// hands captured lines to [Find].
//
// # Grammar
//
// A marker is one line of printable ASCII, at most [MaxLineBytes] long:
//
//	marker    = "[" subsystem ":" name "]" [ " " field { ", " field } ]
//	subsystem = "RAYOS_" word
//	name      = word { ":" word }
//	word      = A-Z { A-Z | 0-9 | "_" }
//	field     = key "=" value
//	key       = a-z { a-z | 0-9 | "_" }
//	value     = bare | quoted
//	bare      = one or more printable ASCII characters other than space, comma,
//	            double quote and equals sign
//	quoted    = a double-quoted string with Go's escapes, ASCII only
//
// There is exactly one spelling of each marker: a value is quoted only if it
// cannot be bare, so Parse(m.String()) gives m back and a line that parses is
// what String would have written.
//
// # Rules for emitters
//
// A marker carries no clock and no random value, unless in a field that is
// named for it. Usual values keep the line under 80 columns, where firmware
// consoles wrap. A new marker is one definition and one struct beside the
// existing ones (see bootmgr.go), and then `go run ./tools/gendocs`.
package markers
