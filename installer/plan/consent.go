package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rayos/rayboot/gpt"
)

// ErrRefused says that the disk must not be written. [RefusedError] has the reasons.
var ErrRefused = errors.New("the disk is not written")

// Consent is what the user has agreed to, beside confirming the disk.
type Consent struct {
	Internal   bool // the disk may be a part of the machine
	Unknown    bool // it need not be known what the disk hangs on
	Erase      bool // what lies on the disk may go
	KeepGuests bool // reinstall RayOS and leave all other partitions; needs no Erase
}

// everything is all that a user can agree to.
var everything = Consent{Internal: true, Unknown: true, Erase: true}

// Refusal is one reason not to write a disk. Code is stable and meant for programs.
type Refusal struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Consent is the option by which the user can allow it; "" where nothing can.
	Consent string `json:"consent,omitempty"`
}

// Codes of refusals.
const (
	RefusedRunning    = "running"
	RefusedInUse      = "in-use"
	RefusedReadOnly   = "read-only"
	RefusedNoMedium   = "no-medium"
	RefusedUnreadable = "unreadable"
	RefusedInternal   = "internal"
	RefusedUnknown    = "unknown-transport"
	RefusedData       = "has-data"
	RefusedForeign    = "not-rayos"
)

// Options by which the user consents.
const (
	OptionInternal = "--internal"
	OptionUnknown  = "--unknown-transport"
	OptionErase    = "--erase"
)

// RefusedError has all reasons not to write a disk.
type RefusedError struct {
	Disk    string
	Reasons []Refusal
}

func (e *RefusedError) Error() string {
	var texts []string
	for _, r := range e.Reasons {
		texts = append(texts, r.Text)
	}
	return fmt.Sprintf("%s is not written: %s", e.Disk, strings.Join(texts, "; "))
}

// Unwrap makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// Refusals lists all reasons not to write the disk, given what the user has agreed to and
// where the partitions of RayOS are to lie. What nobody can allow comes first.
func (d Disk) Refusals(c Consent, after []gpt.Partition) []Refusal {
	var list []Refusal
	never := func(when bool, code, text string) {
		if when {
			list = append(list, Refusal{Code: code, Text: text})
		}
	}
	unless := func(consent, when bool, code, option, text string) {
		if when && !consent {
			list = append(list, Refusal{Code: code, Consent: option, Text: text + "; add " + option + " if it is meant"})
		}
	}
	never(d.Running, RefusedRunning, "this system runs from it")
	never(len(d.Uses) > 0, RefusedInUse, "it is in use: "+joinUses(d.Uses)+"; end that first")
	never(d.ReadOnly, RefusedReadOnly, "it is read-only; a stick or a card may have a switch")
	never(d.SizeBytes <= 0, RefusedNoMedium, "there is no medium in it")
	never(d.Problem != "", RefusedUnreadable, "what lies on it cannot be read: "+d.Problem)
	if c.KeepGuests {
		problem := foreign(d.Content, after)
		never(problem != "", RefusedForeign, "its guests cannot be kept: "+problem)
	}
	unless(c.Internal, d.Transport.internal(), RefusedInternal, OptionInternal, "it is a part of this machine ("+string(d.Transport)+")")
	unless(c.Unknown, !d.Transport.internal() && !d.Transport.external(), RefusedUnknown, OptionUnknown, "it is not known what it hangs on")
	unless(c.Erase || c.KeepGuests, !d.Content.Empty(), RefusedData, OptionErase, "it holds data: "+d.Holds())
	return list
}

// joinUses names at most four uses.
func joinUses(uses []Use) string {
	const most = 4
	var words []string
	for i, u := range uses {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(uses)-most))
			break
		}
		words = append(words, u.String())
	}
	return strings.Join(words, ", ")
}

// Refuse puts the reasons into an error, nil where there are none.
func (d Disk) Refuse(c Consent, after []gpt.Partition) error {
	if reasons := d.Refusals(c, after); len(reasons) > 0 {
		return &RefusedError{Disk: d.Name, Reasons: reasons}
	}
	return nil
}
