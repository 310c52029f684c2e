// Command gendocs writes the pages of docs/ that are generated from code.
//
//	go run ./tools/gendocs
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rayos/rayboot/markers"
)

func main() { os.Exit(run(os.Stderr)) }

// pages are the generated pages, by their path in the repository.
var pages = map[string]func() string{
	"docs/markers.md": markersPage,
}

// run writes all pages of the module around the working directory.
func run(stderr io.Writer) int {
	root, err := moduleRoot()
	if err != nil {
		fmt.Fprintf(stderr, "gendocs: %v\n", err)
		return 1
	}
	for name, page := range pages {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), []byte(page()), 0o644); err != nil {
			fmt.Fprintf(stderr, "gendocs: %v\n", err)
			return 1
		}
	}
	return 0
}

// moduleRoot returns the nearest directory upwards that has a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find go.mod: none in the working directory or above; run it inside the repository")
		}
		dir = parent
	}
}

// markersPage is the reference of all markers.
func markersPage() string {
	var b strings.Builder
	b.WriteString(markersIntro)
	subsystem := ""
	for _, d := range markers.All() {
		if d.Subsystem != subsystem {
			subsystem = d.Subsystem
			fmt.Fprintf(&b, "\n## %s\n", subsystem)
		}
		writeMarker(&b, d)
	}
	return b.String()
}

// writeMarker writes the section of one marker.
func writeMarker(b *strings.Builder, d markers.Definition) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n", d.ID(), d.Meaning)
	fmt.Fprintf(b, "Emitted by the %s since %s.%s\n\n```\n%s\n```\n\n", d.EmittedBy, d.Since, alarm(d), d.Example.Marker())
	if len(d.Fields) == 0 {
		b.WriteString("It has no fields.\n")
		return
	}
	b.WriteString("| field | meaning | values |\n|---|---|---|\n")
	for _, f := range d.Fields {
		values := "text"
		switch {
		case f.Number:
			values = "decimal number"
		case f.Values != nil:
			values = "`" + strings.Join(f.Values, "`, `") + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Key, f.Meaning, values)
	}
}

// alarm says of a marker that something went wrong.
func alarm(d markers.Definition) string {
	if d.Alarm {
		return " It is a warning: something went wrong."
	}
	return ""
}

const markersIntro = `<!-- Generated from package markers by: go run ./tools/gendocs. Do not edit. -->

# Marker reference

A marker is a line on the screen and the serial line by which the boot manager and the runtime say what just happened, in a form
that a script can rely on:

` + "```" + `
[RAYOS_BOOTMGR:SELECTED] entry=rayos, reason=default
` + "```" + `

It is printable ASCII. All fields of a marker are always there, in the order shown below, separated by a comma and a space. A value
that is empty or has spaces, commas, double quotes, equals signs or anything but printable ASCII is in double quotes, with the
escapes of a Go string: ` + "`reason=\"EFI/old/vmlinuz: file does not exist\"`" + `. Usual lines are shorter than 80 columns. No
marker carries a clock or a random value unless a field is named for it, so two boots of the same machine give the same lines.

On a console, terminal escapes and other text may stand before a marker on its line: search for ` + "`[RAYOS_`" + `, or in Go use
` + "`markers.Find`" + ` for one line and ` + "`markers.Matcher`" + ` to wait for several in order. The grammar is in the documentation
of package [markers](../markers/doc.go).
`
