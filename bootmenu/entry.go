// Package bootmenu owns the boot policy and the menu: which entry is started
// and why, what a key does, what the screen shows. It is pure: facts come in as
// events, what is to be done goes out as effects, and Step between them has no
// clock, no input and no output. It does not know firmware or disks.
package bootmenu

import "github.com/rayos/rayboot/markers"

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
	Recovery bool   // what the r key starts

	problem string // why it could not be started since power-on
}

// automatic reports whether the policy may start e without a person.
func (e *Entry) automatic() bool {
	return !e.Bad && e.problem == "" && e.Kind != markers.KindSetup
}
