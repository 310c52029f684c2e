package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/rayos/rayboot/markers"
)

// Errors of Decode.
var (
	ErrNoRecord = errors.New("no boot-state record")
	ErrVersion  = errors.New("boot-state record of a newer version")
	ErrChecksum = errors.New("boot-state record: checksum does not match")
	ErrInvalid  = errors.New("invalid boot-state record")
)

const (
	magic        = "RAYOSBST"
	major, minor = 1, 1
)

// Where things lie in a copy, in bytes.
const (
	offVersion   = 8
	offChecksum  = 12
	offSequence  = 16
	offInstallID = 24
	offCounts    = 60
	offOpen      = 80
	offDefault   = 192
	offOneShot   = 256
	offEntries   = 320
	offEvents    = 2432
	offEnd       = 3968

	installIDBytes = 36
	entryBytes     = 88
	eventBytes     = 24
)

// layout walks the fields of a copy, to write them or to read them: one
// description serves both. The first problem ends the walk.
type layout struct {
	b       []byte
	reading bool
	err     error
}

func (l *layout) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
}

// number is an unsigned 8-bit field with the values 0 to limit.
func (l *layout) number(at int, v *int, limit int, what string) {
	if l.reading {
		*v = int(l.b[at])
	}
	if *v < 0 || *v > limit {
		l.fail("%s is %d, at most %d is possible", what, *v, limit)
		return
	}
	l.b[at] = byte(*v)
}

// text is a string of at most size bytes, padded with zeros.
func (l *layout) text(at, size int, v *string, what string) {
	field := l.b[at : at+size]
	if l.reading {
		data := bytes.TrimRight(field, "\x00")
		*v = string(data)
	}
	if len(*v) > size || !utf8.ValidString(*v) || bytes.ContainsFunc([]byte(*v), func(r rune) bool { return !unicode.IsPrint(r) }) {
		l.fail("%s is not printable text of at most %d bytes", what, size)
		return
	}
	clear(field)
	copy(field, *v)
}

// zero is a reserved range.
func (l *layout) zero(from, to int) {
	if l.reading && bytes.ContainsFunc(l.b[from:to], func(r rune) bool { return r != 0 }) {
		l.fail("bytes %d to %d are reserved and not zero", from, to)
	}
}

// choice is a field that numbers the values of a list from 1; 0 is the empty
// value.
func choice[T ~string](l *layout, at int, v *T, values []T, what string) {
	index := slices.Index(values, *v) + 1
	if l.reading {
		index = int(l.b[at])
		if index > len(values) {
			l.fail("%s %d is not known", what, index)
			return
		}
		*v = ""
		if index > 0 {
			*v = values[index-1]
		}
	} else if index == 0 && *v != "" {
		l.fail("%s %q is not known", what, *v)
		return
	}
	l.b[at] = byte(index)
}

// enum is a field of a numbered type.
func enum[T ~uint8](l *layout, at int, v *T, last T, what string) {
	n := int(*v)
	l.number(at, &n, int(last), what)
	*v = T(n)
}

// record walks a whole copy.
func (l *layout) record(r *Record) {
	le := binary.LittleEndian
	if l.reading {
		r.Sequence, r.NextEvent = le.Uint64(l.b[offSequence:]), le.Uint32(l.b[offCounts:])
	}
	le.PutUint64(l.b[offSequence:], r.Sequence)
	le.PutUint32(l.b[offCounts:], r.NextEvent)
	l.text(offInstallID, installIDBytes, &r.InstallID, "install ID")
	l.number(offCounts+4, &r.Disablings, 255, "count of disabled entries")
	choice(l, offCounts+5, &r.Recovery, markers.RecoveryReasons(), "recovery reason")
	l.number(offCounts+6, &r.RecoveryAttempts, 255, "count of recovery attempts")
	l.number(offCounts+7, &r.Backoff, 3, "watchdog step")
	entries, events := len(r.Entries), len(r.Events)
	l.number(offCounts+8, &entries, MaxEntries, "count of entries")
	l.number(offCounts+9, &events, MaxEvents, "count of events")
	l.zero(offCounts+10, offOpen)
	l.open(&r.Open)
	l.text(offDefault, MaxKey, &r.Default, "default")
	l.text(offOneShot, MaxKey, &r.OneShot, "one-shot")
	if l.err != nil {
		return
	}
	if l.reading && entries > 0 {
		r.Entries = make([]Entry, entries)
	}
	if l.reading && events > 0 {
		r.Events = make([]Event, events)
	}
	for i := range r.Entries {
		l.entry(offEntries+i*entryBytes, &r.Entries[i])
	}
	for i := range r.Events {
		l.event(offEvents+i*eventBytes, &r.Events[i])
	}
	l.zero(offEntries+entries*entryBytes, offEvents)
	l.zero(offEvents+events*eventBytes, offEnd)
	l.zero(offEnd, CopyBytes)
}

func (l *layout) open(a *Attempt) {
	enum(l, offOpen, &a.Kind, GoldenAttempt, "kind of the open attempt")
	enum(l, offOpen+1, &a.Stage, lastStage, "stage of the open attempt")
	choice(l, offOpen+2, &a.Cause, markers.FailureCauses(), "cause of the open attempt's failure")
	l.zero(offOpen+3, offOpen+8)
	nonce, snapshot := l.b[offOpen+8:offOpen+16], l.b[offOpen+16:offOpen+48]
	if l.reading {
		copy(a.Nonce[:], nonce)
		copy(a.Snapshot[:], snapshot)
	}
	copy(nonce, a.Nonce[:])
	copy(snapshot, a.Snapshot[:])
	l.text(offOpen+48, MaxKey, &a.Entry, "entry of the open attempt")
	if a.Kind == NoAttempt && *a != (Attempt{}) {
		l.fail("an attempt that is not open has an entry, a stage or a nonce")
	}
}

func (l *layout) entry(at int, e *Entry) {
	l.text(at, MaxKey, &e.Key, "key of an entry")
	l.number(at+64, &e.Failures, 255, "count of failures")
	disabled := 0
	if e.Disabled {
		disabled = 1
	}
	l.number(at+65, &disabled, 1, "disabled")
	e.Disabled = disabled == 1
	enum(l, at+66, &e.Stage, lastStage, "stage of a failure")
	choice(l, at+67, &e.Cause, markers.FailureCauses(), "cause")
	l.number(at+68, &e.Repeats, 255, "count of repeats")
	l.zero(at+69, at+72)
	if l.reading {
		copy(e.Content[:], l.b[at+72:at+entryBytes])
	}
	copy(l.b[at+72:at+entryBytes], e.Content[:])
	if e.Key == "" {
		l.fail("an entry without a key")
	}
}

func (l *layout) event(at int, e *Event) {
	if l.reading {
		e.Number = binary.LittleEndian.Uint32(l.b[at:])
	}
	binary.LittleEndian.PutUint32(l.b[at:], e.Number)
	enum(l, at+4, &e.Kind, ServiceFailed, "kind of an event")
	enum(l, at+5, &e.Stage, lastStage, "stage of an event")
	choice(l, at+6, &e.Cause, markers.FailureCauses(), "cause of an event")
	choice(l, at+7, &e.Reason, markers.RecoveryReasons(), "reason of an event")
	l.text(at+8, maxSubject, &e.Subject, "subject of an event")
	if e.Kind == 0 {
		l.fail("an event without a kind")
	}
}

// Encode returns the record as one copy on disk. A record that has too much, or
// what the format cannot say, is ErrInvalid.
func Encode(r Record) ([CopyBytes]byte, error) {
	var b [CopyBytes]byte
	if len(r.Entries) > MaxEntries || len(r.Events) > MaxEvents {
		return b, fmt.Errorf("%w: %d entries and %d events, at most %d and %d are possible",
			ErrInvalid, len(r.Entries), len(r.Events), MaxEntries, MaxEvents)
	}
	copy(b[:], magic)
	binary.LittleEndian.PutUint16(b[offVersion:], major)
	binary.LittleEndian.PutUint16(b[offVersion+2:], minor)
	r = r.Clone() // the walk points into it
	l := layout{b: b[:]}
	l.record(&r)
	if l.err != nil {
		return b, l.err
	}
	binary.LittleEndian.PutUint32(b[offChecksum:], checksum(b[:]))
	return b, nil
}

// checksum is the CRC-32 (IEEE 802.3) of a copy with its own field zero.
func checksum(b []byte) uint32 {
	sum := crc32.ChecksumIEEE(b[:offChecksum])
	sum = crc32.Update(sum, crc32.IEEETable, make([]byte, 4))
	return crc32.Update(sum, crc32.IEEETable, b[offChecksum+4:])
}

// Decode reads one copy. Its error is, or has in its chain, ErrNoRecord,
// ErrVersion, ErrChecksum or ErrInvalid. The checksum is looked at before the
// version: a damaged version number is damage.
func Decode(data []byte) (Record, error) {
	if len(data) != CopyBytes || string(data[:len(magic)]) != magic {
		return Record{}, ErrNoRecord
	}
	if checksum(data) != binary.LittleEndian.Uint32(data[offChecksum:]) {
		return Record{}, ErrChecksum
	}
	gotMajor, gotMinor := binary.LittleEndian.Uint16(data[offVersion:]), binary.LittleEndian.Uint16(data[offVersion+2:])
	if gotMajor > major || gotMajor == major && gotMinor > minor {
		return Record{}, fmt.Errorf("%w: %d.%d, known is %d.%d", ErrVersion, gotMajor, gotMinor, major, minor)
	}
	if gotMajor < major {
		return Record{}, fmt.Errorf("%w: version %d.%d", ErrInvalid, gotMajor, gotMinor)
	}
	var r Record
	l := layout{b: slices.Clone(data), reading: true}
	l.record(&r)
	if l.err != nil {
		return Record{}, l.err
	}
	return r, nil
}
