package esp

import "strings"

// Kind says which form a boot entry has.
type Kind int

// The kinds of entries (UAPI BLS).
const (
	Type1 Kind = iota + 1 // a .conf file
	Type2                 // a unified kernel image
)

// Architecture is the name of a machine architecture as in an entry's
// architecture key; names are compared without regard to case (UEFI 2.10
// §3.5.1.1 gives them).
type Architecture string

// The architectures of the boot manager.
const (
	X64  Architecture = "x64"
	AA64 Architecture = "aa64"
)

// Entry is a boot entry of the ESP.
//
// Title, Version, MachineID, SortKey, Architecture, KernelRelease and the values
// of Private are printable, a character that was not is a question mark. Options
// and the paths are printable because an entry in which they are not is refused:
// they mean what they say or nothing.
type Entry struct {
	// ID names the entry to people, in markers, on command lines: LoaderID without
	// its suffix, unless another entry has that name.
	ID string
	// LoaderID is the entry ID in the variables of the Boot Loader Interface, for
	// bootctl and the like: the file name without its counter, in lower case.
	LoaderID string
	Kind     Kind
	Path     string   // the entry's own file; set by Discover and ReadType2
	File     FileName // its name taken apart, with its boot counter

	Title     string // may be empty; see Titles
	Version   string
	MachineID string
	SortKey   string

	// Exactly one of Linux, EFI and UKI is set, or none in a Type #1 entry that
	// has Private keys to say what it boots. For a Type #2 entry UKI is Path.
	Linux string // kernel image
	EFI   string // EFI application
	UKI   string // unified kernel image

	Initrd        []string     // in order
	Options       string       // command line; of a Type #2 entry, the one it carries
	DeviceTree    string       // path of a devicetree
	Architecture  Architecture // empty if not said
	KernelRelease string       // of a Type #2 entry, as uname -r tells it

	Private []Private // the x-rayos- keys of a Type #1 entry, in order
}

// Private is a key of a Type #1 entry that only RayOS knows, such as
// "x-rayos-slot 0". Other boot loaders ignore the line.
type Private struct {
	Key   string // begins with x-rayos-
	Value string
}

// PrivatePrefix starts the keys that only RayOS knows.
const PrivatePrefix = "x-rayos-"

// PrivateValue returns the value of the last line with a private key.
func (e Entry) PrivateValue(key string) (value string, ok bool) {
	for _, p := range e.Private {
		if p.Key == key {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

// Image returns the path of the file that is started, or "" if private keys say
// what that is.
func (e Entry) Image() string { return e.Linux + e.EFI + e.UKI }

// setFileName sets what follows from the name of the entry's file.
func (e *Entry) setFileName(f FileName) {
	e.File = f
	e.LoaderID = f.LoaderID()
	e.ID = e.LoaderID[:len(e.LoaderID)-len(f.Suffix)]
}

// Titles returns a title for each entry, all different as far as the entries
// are: the title, or the ID if there is none; where titles are equal, version,
// then machine ID, then ID are added in parentheses, as bootctl does it.
func Titles(entries []Entry) []string {
	titles := make([]string, len(entries))
	for i, e := range entries {
		if titles[i] = e.Title; e.Title == "" {
			titles[i] = e.ID
		}
	}
	for _, detail := range []func(Entry) string{
		func(e Entry) string { return e.Version },
		func(e Entry) string { return e.MachineID },
		func(e Entry) string { return e.ID },
	} {
		count := make(map[string]int)
		for _, t := range titles {
			count[t]++
		}
		for i, e := range entries {
			if d := detail(e); count[titles[i]] > 1 && d != "" {
				titles[i] = strings.Join([]string{titles[i], " (", d, ")"}, "")
			}
		}
	}
	return titles
}
