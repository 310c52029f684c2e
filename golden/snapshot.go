package golden

import (
	"crypto/ed25519"
	"crypto/sha256"
)

// Where snapshots lie on the ESP, and limits.
const (
	Dir           = "EFI/rayos/golden"
	ManifestBytes = 4096
	MaxSnapshots  = 5
	MaxOptions    = 2048    // bytes of a command line
	MaxPartBytes  = 1 << 30 // of a kernel or an initrd
	maxName       = 64      // bytes of an entry's key
	maxTitle      = 128     // bytes
	noSlot        = -1      // a part that is a file of the store
	maxSlot       = 15      // highest kernel slot
	partSuffix    = ".bin"  // of a part's file
	manifestChars = 32      // hexadecimal digits of a manifest's file name
)

// State says how far a snapshot is trusted.
type State uint8

// The states.
const (
	Candidate State = iota // its boot reached SHELL_READY
	Stable                 // its boot reached GOLDEN
)

// String is the state's name, and the suffix of its manifests.
func (s State) String() string {
	if s == Stable {
		return "stable"
	}
	return "candidate"
}

// MarshalText implements [encoding.TextMarshaler].
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Part is a kernel or an initrd of a snapshot.
type Part struct {
	LengthBytes int64  `json:"lengthBytes"`
	SHA256      Digest `json:"sha256"`
	Slot        int    `json:"slot"`        // -1: a file of the store; else the kernel slot of partition 2
	OffsetBytes int64  `json:"offsetBytes"` // within partition 2, for a slot only
}

// NewPart is a part with this content in a file of the store; without content it
// is the initrd of a snapshot that has none.
func NewPart(content []byte) Part {
	if len(content) == 0 {
		return Part{Slot: noSlot}
	}
	return Part{LengthBytes: int64(len(content)), SHA256: Sum(content), Slot: noSlot}
}

// FileName is the part's name in the store; it says what must be in it.
func (p Part) FileName() string { return p.SHA256.String() + partSuffix }

// Snapshot is a system that was booted well.
type Snapshot struct {
	Sequence  uint64                      `json:"sequence"` // the highest is the newest
	State     State                       `json:"state"`
	Entry     string                      `json:"entry"` // key of the entry that it was taken of
	Title     string                      `json:"title"` // for people
	Kernel    Part                        `json:"kernel"`
	Initrd    Part                        `json:"initrd"` // LengthBytes 0: there is none
	Options   string                      `json:"options"`
	Signature [ed25519.SignatureSize]byte `json:"-"` // zero: not signed
}

// ID identifies the content: what is started, and with which command line.
func (s Snapshot) ID() Digest {
	h := sha256.New()
	h.Write([]byte("RayOS golden snapshot\x00"))
	h.Write(s.Kernel.SHA256[:])
	h.Write(s.Initrd.SHA256[:])
	h.Write([]byte(s.Options))
	return Digest(h.Sum(nil))
}

// Name is the name of the snapshot's manifest in Dir.
func (s Snapshot) Name() string {
	return s.ID().String()[:manifestChars] + "." + s.State.String()
}
