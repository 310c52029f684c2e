// Package record owns the boot-state record of an ESP: what the boot manager
// remembers from one power-on to the next, how it lies on disk, and how it is
// written so that a cut of the power at any moment leaves it readable. What
// follows from it is decided by package bootmenu.
//
// The format is described in docs/on-disk.md.
package record

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

// Sizes in bytes, and limits.
const (
	CopyBytes = 4096          // one copy
	FileBytes = 2 * CopyBytes // the file: copy A, then copy B

	MaxEntries = 24
	MaxEvents  = 64
	MaxKey     = 64 // length of a key in bytes
)

// Record is the content of one copy.
type Record struct {
	Sequence  uint64 `json:"sequence"`  // the higher one is newer; Save raises it
	InstallID string `json:"installID"` // text of install.id, empty on an ESP without one

	Default string `json:"default"` // key of the entry that an operator made the default, or empty
	OneShot string `json:"oneShot"` // key of the entry that an operator asked for once, or empty

	Open    Attempt `json:"open"`    // of kind NoAttempt while no start is under way
	Entries []Entry `json:"entries"` // those with something to remember

	Disablings       int                    `json:"disablings"`       // the global failure count: entries disabled since the last good boot, 0 to 255
	Recovery         markers.RecoveryReason `json:"recovery"`         // why the machine is to be recovered, empty if it is not
	RecoveryAttempts int                    `json:"recoveryAttempts"` // starts of golden snapshots since the last good boot, 0 to 255
	Backoff          int                    `json:"backoff"`          // step of the hardware watchdog's time-out, 0 to 3

	Events    []Event `json:"events"`    // oldest first
	NextEvent uint32  `json:"nextEvent"` // number of the next event
}

// New returns the record of an installation that has never booted.
func New(installID string) Record { return Record{InstallID: installID} }

// Key returns how the record names an entry: its ID, or if that is longer than
// MaxKey bytes, its beginning, "~" and 16 hexadecimal digits of its SHA-256.
func Key(id string) string {
	if len(id) <= MaxKey {
		return id
	}
	const digits = 16
	cut := MaxKey - digits - 1
	for !utf8.RuneStart(id[cut]) {
		cut--
	}
	sum := sha256.Sum256([]byte(id))
	return id[:cut] + "~" + hex.EncodeToString(sum[:digits/2])
}

// AttemptKind says what was started.
type AttemptKind uint8

// The kinds of attempts.
const (
	NoAttempt AttemptKind = iota
	EntryAttempt
	GoldenAttempt
)

var attemptKinds = [...]string{"", "entry", "golden"}

func (k AttemptKind) String() string { return name(attemptKinds[:], uint8(k)) }

// MarshalText implements [encoding.TextMarshaler].
func (k AttemptKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Nonce names the attempts of one power-on: it is random.
type Nonce [8]byte

func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (n Nonce) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// ParseNonce reads the 16 hexadecimal digits that String writes.
func ParseNonce(s string) (n Nonce, err error) {
	if len(s) != hex.EncodedLen(len(n)) {
		return Nonce{}, fmt.Errorf("parse attempt: %d characters, want %d hexadecimal digits", len(s), hex.EncodedLen(len(n)))
	}
	if _, err := hex.Decode(n[:], []byte(s)); err != nil {
		return Nonce{}, fmt.Errorf("parse attempt: %w", err)
	}
	return n, nil
}

// Attempt is a start that has not ended well or in order yet.
type Attempt struct {
	Kind     AttemptKind   `json:"kind"`
	Entry    string        `json:"entry"`    // key, of an EntryAttempt
	Snapshot golden.Digest `json:"snapshot"` // ID, of a GoldenAttempt
	Nonce    Nonce         `json:"nonce"`
	Stage    Stage         `json:"stage"` // how far it has come
	// Cause is why the attempt has failed, where the system that was started has said so
	// and recorded the event; empty while nothing is wrong.
	Cause markers.FailureCause `json:"cause,omitempty"`
}

// Stage is how far a start came: a step of starting it, then the boot stages.
type Stage uint8

// The steps of starting an entry. The boot stages follow; see [BootStage].
const (
	NoStage Stage = iota
	StageRead
	StageVerify
	StageLoad
	StageStart
	firstBootStage
)

var startStages = []markers.StartStage{markers.StageRead, markers.StageVerify, markers.StageLoad, markers.StageStart}

// BootStage returns the stage of a boot stage.
func BootStage(s markers.BootStage) Stage { return firstBootStage + Stage(s) }

// StartStage returns the stage of a step of starting an entry; NoStage for one
// that is not known.
func StartStage(s markers.StartStage) Stage { return Stage(slices.Index(startStages, s) + 1) }

// lastStage is the highest valid stage.
const lastStage = firstBootStage + Stage(markers.Golden)

// String returns the name as in markers: read, start, SHELL_READY; empty for
// NoStage.
func (s Stage) String() string {
	switch {
	case s == NoStage:
		return ""
	case s < firstBootStage:
		return string(startStages[s-1])
	}
	return markers.BootStage(s - firstBootStage).String()
}

// MarshalText implements [encoding.TextMarshaler].
func (s Stage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Content tells one content of an entry from another; zero is not known.
type Content [16]byte

// MarshalText implements [encoding.TextMarshaler].
func (c Content) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

// Entry is what is remembered of a boot entry.
type Entry struct {
	Key      string               `json:"key"`
	Failures int                  `json:"failures"` // since it was last good, 0 to 255
	Disabled bool                 `json:"disabled"` // not started without a person
	Stage    Stage                `json:"stage"`    // of the last failure
	Cause    markers.FailureCause `json:"cause"`    // of the last failure
	Repeats  int                  `json:"repeats"`  // failures in a row at Stage, 0 to 255
	Content  Content              `json:"content"`  // when it last failed
}

// Find returns the part of the record for an entry, nil if there is none. It
// points into the record.
func (r *Record) Find(key string) *Entry {
	if i := slices.IndexFunc(r.Entries, func(e Entry) bool { return e.Key == key }); i >= 0 {
		return &r.Entries[i]
	}
	return nil
}

// Clone returns a record that shares nothing with r.
func (r Record) Clone() Record {
	r.Entries, r.Events = slices.Clone(r.Entries), slices.Clone(r.Events)
	return r
}

// Equal reports whether both say the same; the sequence number says nothing.
func (r Record) Equal(o Record) bool {
	return r.InstallID == o.InstallID && r.Default == o.Default && r.OneShot == o.OneShot && r.Open == o.Open &&
		slices.Equal(r.Entries, o.Entries) && r.Disablings == o.Disablings && r.Recovery == o.Recovery &&
		r.RecoveryAttempts == o.RecoveryAttempts && r.Backoff == o.Backoff &&
		slices.Equal(r.Events, o.Events) && r.NextEvent == o.NextEvent
}

func name(names []string, i uint8) string {
	if int(i) >= len(names) {
		return fmt.Sprintf("unknown (%d)", i)
	}
	return names[i]
}
