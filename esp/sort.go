package esp

import (
	"cmp"
	"slices"
	"strings"
)

// Sort brings entries into the order of the menu (UAPI BLS §Sorting): entries
// that have used up their tries last; entries with a sort key before those
// without; among those with one by sort key, machine ID, and version, newest
// first; then by ID, newest first. Equal IDs, if any, are ordered as
// systemd-boot does: more tries left first, then fewer done.
func Sort(entries []Entry) { slices.SortStableFunc(entries, compareEntries) }

func compareEntries(a, b Entry) int {
	order := cmp.Or(
		compareBools(a.File.Bad(), b.File.Bad()),
		compareBools(a.SortKey == "", b.SortKey == ""),
	)
	if order == 0 && a.SortKey != "" {
		order = cmp.Or(
			strings.Compare(a.SortKey, b.SortKey),
			strings.Compare(a.MachineID, b.MachineID),
			CompareVersions(b.Version, a.Version),
		)
	}
	return cmp.Or(
		order,
		CompareVersions(b.LoaderID, a.LoaderID),
		strings.Compare(a.LoaderID, b.LoaderID),
		compareCounters(a.File, b.File),
		strings.Compare(a.Path, b.Path),
	)
}

// compareBools orders false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
