package raylog

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Level is how important a record is. The zero Level is none.
type Level uint8

// The levels.
const (
	Trace Level = iota + 1
	Debug
	Info
	Warn
	Error
	Fatal
)

const (
	// DefaultLevel is the least level that is kept unless something else is said.
	DefaultLevel = Debug
	// DurableLevel is the least level at which a record is on the medium when
	// [Ring.Append] returns.
	DurableLevel = Warn
)

var levels = []string{"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// Levels returns the names of the levels, the least important first.
func Levels() []string { return slices.Clone(levels[Trace:]) }

// String returns the name, such as INFO.
func (l Level) String() string {
	if !l.valid() {
		return fmt.Sprintf("Level(%d)", uint8(l))
	}
	return levels[l]
}

func (l Level) valid() bool { return l >= Trace && l <= Fatal }

// ParseLevel reads the name of a level, in upper or lower case.
func ParseLevel(s string) (Level, error) {
	if i := slices.Index(levels, strings.ToUpper(s)); i > 0 {
		return Level(i), nil
	}
	return 0, fmt.Errorf("parse level: %q is none of %s", s, strings.ToLower(strings.Join(levels[Trace:], " ")))
}

// MarshalText implements [encoding.TextMarshaler].
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}

// BootID names one boot of a machine: it is random.
type BootID [16]byte

func (b BootID) String() string { return hex.EncodeToString(b[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (b BootID) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// ParseBootID reads 32 hexadecimal digits, with or without the hyphens of a UUID.
func ParseBootID(s string) (b BootID, err error) {
	digits := strings.ReplaceAll(s, "-", "")
	if len(digits) != hex.EncodedLen(len(b)) {
		return BootID{}, fmt.Errorf("parse boot ID: %q has not %d hexadecimal digits", s, hex.EncodedLen(len(b)))
	}
	if _, err := hex.Decode(b[:], []byte(digits)); err != nil {
		return BootID{}, fmt.Errorf("parse boot ID: %w", err)
	}
	return b, nil
}

// LogID tells the records of a log from those of an older one that lay in the
// same place.
type LogID [8]byte

func (l LogID) String() string { return hex.EncodeToString(l[:]) }

// InstallLogID returns the ID of the log of an installation, which its install ID
// names.
func InstallLogID(installID string) LogID {
	sum := sha256.Sum256([]byte(installID))
	return LogID(sum[:len(LogID{})])
}

// Entry is what somebody wants to have in the log.
type Entry struct {
	Level   Level
	Uptime  time.Duration // since the start of the machine; milliseconds are kept
	Wall    time.Time     // milliseconds are kept; the zero Time where it is not known
	Source  string        // who says it, at most MaxSource bytes
	Message string        // any bytes, at most MaxMessage
	Boot    BootID        // the boot that it is about
}

// Record is an entry in the log.
type Record struct {
	Entry
	Sequence uint64 // counts up from 1
	Epoch    uint32 // how often the log was cleared before
	Log      LogID
	Clears   bool // the log was cleared here; the record is the first of its epoch
	Cut      bool // the message was longer

	ahead uint16 // see Ring.write
}
