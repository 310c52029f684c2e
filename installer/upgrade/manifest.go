package upgrade

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/rayos/rayboot/esp"
)

// The list of digests must hold at every moment: lines of what will change go first and
// come back last.

// digestLine is a line of the list: a digest, two spaces, a name.
func digestLine(v fs.FS, name string) (string, error) {
	part, err := readPart(v, name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%v  %s", part.SHA256, name), nil
}

func nameIn(line string) string {
	_, name, _ := strings.Cut(line, "  ")
	return name
}

// listed reads the list, without the lines for which drop says so.
func listed(v fs.FS, drop func(name string) bool) ([]string, error) {
	text, err := readIfThere(v, esp.ManifestPath, maxTextBytes)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if _, name, ok := strings.Cut(line, "  "); ok && !drop(name) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// writeList writes the list. One that is not there is only made when it is to hold something.
func writeList(v Volume, lines []string) error {
	if len(lines) == 0 {
		if _, err := fs.Stat(v, esp.ManifestPath); err != nil {
			return nil
		}
	}
	text := ""
	for _, line := range lines {
		text += line + "\n"
	}
	return put(v, esp.ManifestPath, []byte(text))
}

// ownEntries are the entries that an upgrade deals with.
func ownEntries(entries []esp.Entry, ids ...string) (own []esp.Entry) {
	for _, id := range ids {
		if e, ok := find(entries, id); ok && e.Kind == esp.Type1 {
			own = append(own, e)
		}
	}
	return own
}

// shrinkManifest leaves in the list what stays as it is.
func (p Plan) shrinkManifest(v Volume) error {
	entries, _ := esp.Discover(v, esp.X64)
	stay := starts(ownEntries(entries, OldID, safeID))
	lines, err := listed(v, func(name string) bool {
		if isManager(name) {
			return p.Manager
		}
		return isSystem(name) && p.System && !stay[strings.ToLower(name)]
	})
	if err != nil {
		return err
	}
	return writeList(v, lines)
}

// writeManifest lists the boot managers and what the entries of RayOS start.
func (p Plan) writeManifest(v Volume) error {
	lines, err := listed(v, func(name string) bool { return isManager(name) && p.removable || isSystem(name) })
	if err != nil {
		return err
	}
	names := []string{esp.ManagerPath}
	if p.removable {
		names = append(names, esp.RemovablePathX64)
	}
	entries, _ := esp.Discover(v, esp.X64)
	for _, e := range append(ownEntries(entries, EntryID, OldID, safeID), installers(entries)...) {
		for _, name := range append([]string{e.Linux}, e.Initrd...) {
			if isSystem(name) && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		line, err := digestLine(v, name)
		if err != nil {
			return err
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(nameIn(a), nameIn(b)) })
	return writeList(v, lines)
}

func isManager(name string) bool {
	return strings.EqualFold(name, esp.ManagerPath) || strings.EqualFold(name, esp.RemovablePathX64)
}

// isSystem reports whether a file is a kernel or an initrd of RayOS.
func isSystem(name string) bool {
	lower := strings.ToLower(name)
	dir := strings.ToLower(esp.RayOSDir) + "/"
	return strings.HasPrefix(lower, dir+"vmlinuz-") || strings.HasPrefix(lower, dir+"initrd-")
}
