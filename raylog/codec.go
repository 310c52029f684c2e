package raylog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"time"
	"unicode/utf8"
)

// Sizes in bytes.
const (
	RecordBytes = 4096
	MaxMessage  = 4000
	MaxSource   = 28
)

// Errors of Decode and Encode.
var (
	ErrNoRecord = errors.New("no log record")
	ErrChecksum = errors.New("log record: checksum does not match")
	ErrVersion  = errors.New("log record of a newer version")
	ErrInvalid  = errors.New("invalid log record")
)

const (
	magic                      = "RLOG"
	versionMajor, versionMinor = 1, 0

	flagClears = 1 << 0
	flagCut    = 1 << 1

	maxSequence = 1 << 62         // no log ever reaches it, and any length of a ring can be added
	maxWall     = 253402300799999 // the last millisecond of the year 9999
	maxUptime   = math.MaxInt64 / int64(time.Millisecond)
)

// Where things lie in a record, in bytes. Magic, version, checksum, sequence
// number and log ID keep their places in all versions.
const (
	offMajor    = 4
	offMinor    = 5
	offLevel    = 6
	offFlags    = 7
	offChecksum = 8
	offAhead    = 12
	offLength   = 14
	offSequence = 16
	offLog      = 24
	offBoot     = 32
	offUptime   = 48
	offWall     = 56
	offEpoch    = 64
	offSource   = 68
	offMessage  = 96
)

var le = binary.LittleEndian

// Encode writes the record into b, which has RecordBytes. It allocates nothing
// unless the record is ErrInvalid: its source or message is too long, its level
// or sequence number is none, or a time is out of range.
func Encode(b []byte, r *Record) error {
	if len(b) != RecordBytes {
		return fmt.Errorf("encode log record: into %d bytes, want %d", len(b), RecordBytes)
	}
	if problem := r.problem(); problem != "" {
		return fmt.Errorf("%w: %s", ErrInvalid, problem)
	}
	r.put(b)
	seal(b, r.ahead)
	return nil
}

// problem says what of the record the format does not have; empty if nothing.
func (r *Record) problem() string {
	switch {
	case !r.Level.valid():
		return "it has no level"
	case r.Sequence == 0 || r.Sequence > maxSequence:
		return "its sequence number is out of range"
	case len(r.Source) > MaxSource:
		return "its source is too long"
	case len(r.Message) > MaxMessage:
		return "its message is too long"
	case r.Uptime < 0:
		return "its uptime is negative"
	case !r.Wall.IsZero() && (r.Wall.UnixMilli() <= 0 || r.Wall.UnixMilli() > maxWall):
		return "its wall time is out of range"
	}
	for i := range len(r.Source) {
		if r.Source[i] == 0 {
			return "its source has a NUL"
		}
	}
	return ""
}

// put writes all of the record but what seal adds.
func (r *Record) put(b []byte) {
	copy(b, magic)
	b[offMajor], b[offMinor], b[offLevel], b[offFlags] = versionMajor, versionMinor, byte(r.Level), 0
	if r.Clears {
		b[offFlags] |= flagClears
	}
	if r.Cut {
		b[offFlags] |= flagCut
	}
	le.PutUint16(b[offLength:], uint16(len(r.Message)))
	le.PutUint64(b[offSequence:], r.Sequence)
	copy(b[offLog:offBoot], r.Log[:])
	copy(b[offBoot:offUptime], r.Boot[:])
	le.PutUint64(b[offUptime:], uint64(r.Uptime.Milliseconds()))
	wall := uint64(0)
	if !r.Wall.IsZero() {
		wall = uint64(r.Wall.UnixMilli())
	}
	le.PutUint64(b[offWall:], wall)
	le.PutUint32(b[offEpoch:], r.Epoch)
	clear(b[offSource+copy(b[offSource:offMessage], r.Source) : offMessage])
	clear(b[offMessage+copy(b[offMessage:], r.Message):])
}

// seal completes what put has written.
func seal(b []byte, ahead uint16) {
	le.PutUint16(b[offAhead:], ahead)
	le.PutUint32(b[offChecksum:], checksum(b))
}

// aheadSums are what each bit of ahead changes in the checksum, which is linear.
var aheadSums = func() (sums [16]uint32) {
	b := make([]byte, RecordBytes)
	none := checksum(b)
	for i := range sums {
		le.PutUint16(b[offAhead:], 1<<i)
		sums[i] = checksum(b) ^ none
	}
	return sums
}()

// reseal changes ahead in a record that is sealed.
func reseal(b []byte, now uint16) {
	sum := le.Uint32(b[offChecksum:])
	for changed := ahead(b) ^ now; changed != 0; changed &= changed - 1 {
		sum ^= aheadSums[bits.TrailingZeros16(changed)]
	}
	le.PutUint16(b[offAhead:], now)
	le.PutUint32(b[offChecksum:], sum)
}

var noChecksum [4]byte

// checksum is the CRC-32 (IEEE 802.3) of a record with its own field zero.
func checksum(b []byte) uint32 {
	sum := crc32.ChecksumIEEE(b[:offChecksum])
	sum = crc32.Update(sum, crc32.IEEETable, noChecksum[:])
	return crc32.Update(sum, crc32.IEEETable, b[offChecksum+len(noChecksum):])
}

// whole tells what keeps b from being a record of this version: ErrNoRecord,
// ErrChecksum or ErrVersion. The checksum is looked at before the version: a
// damaged version number is damage.
func whole(b []byte) error {
	switch {
	case len(b) != RecordBytes || string(b[:len(magic)]) != magic:
		return ErrNoRecord
	case le.Uint32(b[offChecksum:]) != checksum(b):
		return ErrChecksum
	case b[offMajor] > versionMajor:
		return ErrVersion
	}
	return nil
}

func sequence(b []byte) uint64 { return le.Uint64(b[offSequence:]) }
func logID(b []byte) LogID     { return LogID(b[offLog:offBoot]) }
func ahead(b []byte) uint16    { return le.Uint16(b[offAhead:]) }

// Decode reads a record. Its error is, or has in its chain, ErrNoRecord,
// ErrChecksum, ErrVersion or ErrInvalid. Of a record of a newer minor version it
// reads what it knows.
func Decode(b []byte) (Record, error) {
	if err := whole(b); err != nil {
		if errors.Is(err, ErrVersion) {
			err = fmt.Errorf("%w: %d.%d, known is %d.%d", err, b[offMajor], b[offMinor], versionMajor, versionMinor)
		}
		return Record{}, err
	}
	length, uptime, wall := le.Uint16(b[offLength:]), le.Uint64(b[offUptime:]), le.Uint64(b[offWall:])
	known := b[offMajor] == versionMajor && b[offMinor] <= versionMinor
	switch source := bytes.TrimRight(b[offSource:offMessage], "\x00"); {
	case b[offMajor] != versionMajor:
		return Record{}, fmt.Errorf("%w: version %d.%d", ErrInvalid, b[offMajor], b[offMinor])
	case length > MaxMessage:
		return Record{}, fmt.Errorf("%w: a message of %d bytes", ErrInvalid, length)
	case uptime > uint64(maxUptime) || wall > maxWall:
		return Record{}, fmt.Errorf("%w: uptime of %d ms at %d ms", ErrInvalid, uptime, wall)
	case known && b[offFlags]&^(flagClears|flagCut) != 0:
		return Record{}, fmt.Errorf("%w: flags %#x", ErrInvalid, b[offFlags])
	case known && len(bytes.TrimRight(b[offMessage+int(length):], "\x00")) > 0:
		return Record{}, fmt.Errorf("%w: more behind its message", ErrInvalid)
	case bytes.IndexByte(source, 0) >= 0:
		return Record{}, fmt.Errorf("%w: its source has a NUL", ErrInvalid)
	}
	r := get(b)
	if problem := r.problem(); problem != "" {
		return Record{}, fmt.Errorf("%w: %s", ErrInvalid, problem)
	}
	return r, nil
}

// get reads what put has written.
func get(b []byte) Record {
	r := Record{
		Entry: Entry{
			Level:   Level(b[offLevel]),
			Uptime:  time.Duration(le.Uint64(b[offUptime:])) * time.Millisecond,
			Source:  string(bytes.TrimRight(b[offSource:offMessage], "\x00")),
			Message: string(b[offMessage : offMessage+int(le.Uint16(b[offLength:]))]),
			Boot:    BootID(b[offBoot:offUptime]),
		},
		Sequence: sequence(b),
		Epoch:    le.Uint32(b[offEpoch:]),
		Log:      logID(b),
		Clears:   b[offFlags]&flagClears != 0,
		Cut:      b[offFlags]&flagCut != 0,
		ahead:    ahead(b),
	}
	if wall := le.Uint64(b[offWall:]); wall > 0 {
		r.Wall = time.UnixMilli(int64(wall)).UTC()
	}
	return r
}

// fit makes an entry one that the format has, whatever it holds: nothing that
// somebody says may be refused. It allocates nothing.
func (r *Record) fit() {
	r.Source, _ = cut(r.Source, MaxSource)
	for i := range len(r.Source) {
		if r.Source[i] == 0 {
			r.Source = r.Source[:i]
			break
		}
	}
	r.Message, r.Cut = cut(r.Message, MaxMessage)
	r.Uptime = max(r.Uptime, 0)
	if ms := r.Wall.UnixMilli(); ms <= 0 || ms > maxWall {
		r.Wall = time.Time{}
	}
}

// cut returns the first bytes of s, at most limit, and no half of a character.
func cut(s string, limit int) (string, bool) {
	if len(s) <= limit {
		return s, false
	}
	end := limit
	for end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}
