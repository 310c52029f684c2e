// Package answers reads the file by which a stick installs without asking (TOML 1.0), and
// finds the disk that it means:
//
//	disk = "4C530001230101117382"  # serial number of the disk, or "only": the one that may be written
//	erase = true                   # what lies on it may go
//	internal = true                # it may be a part of the machine
//	unknown-transport = false      # it need not be known what it hangs on
//	keep-guests = false            # reinstall RayOS and keep all other partitions
//	then = "poweroff"              # or "reboot", or "shell"
//
// [[partition]] tables, as in a layout file, make other partitions than the standard ones.
// What is not said is false; disk and then must be said.
package answers

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/rayos/rayboot/installer/layout"
	"github.com/rayos/rayboot/installer/plan"
)

// MaxBytes bounds the file.
const MaxBytes = 64 << 10

// Errors of this package.
var (
	ErrAnswers   = errors.New("unusable file of answers")
	ErrNoDisk    = errors.New("no disk fits the file of answers")
	ErrAmbiguous = errors.New("several disks fit the file of answers; nothing was written")
)

// Only is the disk that is the only one that may be written.
const Only = "only"

// What happens after the installation.
const (
	PowerOff = "poweroff"
	Reboot   = "reboot"
	Shell    = "shell"
)

// Answers are what a person would have said.
type Answers struct {
	Disk    string // serial number, or Only
	Consent plan.Consent
	Then    string      // PowerOff, Reboot or Shell
	Layout  plan.Layout // nil: the standard layout
}

// file is the form of the TOML file.
type file struct {
	Disk       string            `toml:"disk"`
	Erase      bool              `toml:"erase"`
	Internal   bool              `toml:"internal"`
	Unknown    bool              `toml:"unknown-transport"`
	KeepGuests bool              `toml:"keep-guests"`
	Then       string            `toml:"then"`
	Partition  layout.Partitions `toml:"partition"`
}

// Read reads a file of at most MaxBytes. A key that is not known is an error: with one letter
// wrong, what was to be kept might be erased.
func Read(r io.Reader) (Answers, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Answers{}, fmt.Errorf("read file of answers: %w", err)
	}
	if len(text) > MaxBytes {
		return Answers{}, fmt.Errorf("%w: it has more than %d bytes", ErrAnswers, MaxBytes)
	}
	a, err := decode(string(text))
	if err != nil {
		return Answers{}, fmt.Errorf("%w: %w", ErrAnswers, err)
	}
	return a, nil
}

func decode(text string) (Answers, error) {
	var f file
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return Answers{}, err
	}
	unknown := meta.Undecoded()
	switch {
	case len(unknown) > 0:
		return Answers{}, fmt.Errorf("there is no key %s", unknown[0])
	case strings.TrimSpace(f.Disk) == "":
		return Answers{}, fmt.Errorf("it has no disk; give its serial number, or %q", Only)
	case !slices.Contains([]string{PowerOff, Reboot, Shell}, f.Then):
		return Answers{}, fmt.Errorf("then is %q; choose %s, %s or %s", f.Then, PowerOff, Reboot, Shell)
	case f.Erase && f.KeepGuests:
		return Answers{}, errors.New("keep-guests keeps what erase allows to go; choose one of them")
	}
	a := Answers{
		Disk: strings.TrimSpace(f.Disk), Then: f.Then,
		Consent: plan.Consent{Internal: f.Internal, Unknown: f.Unknown, Erase: f.Erase, KeepGuests: f.KeepGuests},
	}
	a.Layout, err = f.Partition.Layout()
	return a, err
}

// Choose finds the one disk that is meant. Disks that are never written, such as the one that
// the machine was booted from, do not count for [Only]; a disk with data counts, so that the
// answer does not depend on what lies on the disks by chance. more says that there are disks
// that are not listed, so that no disk is known to be the only one.
func (a Answers) Choose(disks []plan.Disk, more bool) (plan.Disk, error) {
	var fit []plan.Disk
	for _, d := range disks {
		if a.fits(d) {
			fit = append(fit, d)
		}
	}
	switch {
	case len(fit) == 0:
		return plan.Disk{}, fmt.Errorf("%w: disk = %q", ErrNoDisk, a.Disk)
	case len(fit) > 1 || more && a.Disk == Only:
		var names []string
		for _, d := range fit {
			names = append(names, d.Name)
		}
		return plan.Disk{}, fmt.Errorf("%w: disk = %q: %s; give a serial number that only one has", ErrAmbiguous, a.Disk, strings.Join(names, ", "))
	}
	return fit[0], nil
}

// fits says whether a disk is meant.
func (a Answers) fits(d plan.Disk) bool {
	if a.Disk != Only {
		return d.Serial == a.Disk
	}
	consent := a.Consent
	consent.Erase, consent.KeepGuests = true, false
	return len(d.Refusals(consent, nil)) == 0
}
