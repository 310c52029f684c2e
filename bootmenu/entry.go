// Package bootmenu owns the boot policy and the menu: which entry is started
// and why, what a key does, what the screen shows. It is pure: facts come in as
// events, what is to be done goes out as effects, and Step between them has no
// clock, no input and no output. It does not know firmware or disks.
package bootmenu

import (
	"fmt"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// MaxEntries is how many boot entries a menu holds. Discovery reports what is
// over it; nothing is dropped silently.
const MaxEntries = 16

// Entry is one line of the menu: what policy and screen need to know of a boot
// entry. How it is loaded is the manager's business.
type Entry struct {
	ID       string // names the entry to people and in markers
	LoaderID string // names it in the Boot Loader Interface
	Title    string // for people
	Version  string // for people, may be empty
	Kind     markers.EntryKind
	Source   string // where it was found, for people
	Options  string // command line; editable unless the image carries its own
	Editable bool   // the command line can be changed for one boot
	Bad      bool   // boot counting says it has no tries left: only a person may start it
	Recovery bool   // what the r key starts where there is no golden snapshot

	Counted bool           // its system blesses good boots: a start that ends otherwise is a failure
	Tries   bool           // its file name counts its tries, and somebody else blesses it
	Content record.Content // identity of what it starts, zero if not known

	problem string // why it could not be started since power-on
}

// Snapshot is a golden snapshot that looks usable. Whether it is as it was made
// is seen when it is started.
type Snapshot struct {
	ID    golden.Digest
	Title string // for people
}

// GoldenID is the entry ID of the golden snapshots. They are one line of the
// menu, beyond MaxEntries.
const GoldenID = "golden"

// goldenEntry is the menu's line for the golden snapshots.
func goldenEntry(all []Snapshot) Entry {
	title := "Golden snapshot"
	if all[0].Title != "" {
		title += " of " + all[0].Title
	}
	return Entry{ID: GoldenID, LoaderID: GoldenID, Title: title, Kind: markers.KindGolden, Source: goldenSource(all)}
}

func goldenSource(all []Snapshot) string {
	if len(all) == 1 {
		return "the last good boot"
	}
	return fmt.Sprintf("the last good boot; %d are kept", len(all))
}

// startsAlone reports whether e by itself may be started without a person; the
// boot-state record may say otherwise.
func (e *Entry) startsAlone() bool {
	return !e.Bad && e.problem == "" && e.Kind != markers.KindSetup && e.Kind != markers.KindGolden
}
