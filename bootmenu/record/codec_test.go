package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
)

const installID = "11111111-2222-3333-4444-555555555555"

// full is a record in which every field and every list is full.
func full() Record {
	r := Record{
		Sequence: 1 << 60, InstallID: installID, Default: strings.Repeat("d", MaxKey), OneShot: "once",
		Open: Attempt{
			Kind: GoldenAttempt, Entry: strings.Repeat("e", MaxKey), Snapshot: golden.Sum([]byte("s")),
			Nonce: Nonce{1, 2, 3}, Stage: BootStage(markers.Golden),
		},
		Disablings: 255, Recovery: markers.RecoverOperator, RecoveryAttempts: 255, Backoff: 3,
	}
	for i := range MaxEntries {
		r.Entries = append(r.Entries, Entry{
			Key: fmt.Sprint("entry-", i), Failures: 255, Disabled: true, Stage: StageVerify,
			Cause: markers.CauseStuck, Repeats: 255, Content: Content{byte(i), 1},
		})
	}
	for i := range MaxEvents + 5 {
		r.AddEvent(Event{Kind: CountersReset, Subject: strings.Repeat("ä", i), Stage: StageLoad, Cause: markers.CauseWatchdog, Reason: markers.RecoverNoEntry})
	}
	return r
}

func TestRoundTrip(t *testing.T) {
	for _, r := range []Record{{}, New(installID), full()} {
		b, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b[:])
		if err != nil || !got.Equal(r) || got.Sequence != r.Sequence {
			t.Errorf("%v\n%+v\nwant\n%+v", err, got, r)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tooMany := full()
	tooMany.Entries = append(tooMany.Entries, Entry{Key: "more"})
	for name, r := range map[string]Record{
		"entries":    tooMany,
		"key":        {Default: strings.Repeat("k", MaxKey+1)},
		"unprinting": {OneShot: "a\x00b"},
		"count":      {Disablings: 256},
		"negative":   {RecoveryAttempts: -1},
		"no key":     {Entries: []Entry{{}}},
		"reason":     {Recovery: "boredom"},
		"install ID": {InstallID: installID + "0"},
		"no attempt": {Open: Attempt{Entry: "a"}},
	} {
		if _, err := Encode(r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// seal makes the checksum right.
func seal(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[offChecksum:], checksum(b))
	return b
}

// TestEveryBitCounts: no flipped bit may pass.
func TestEveryBitCounts(t *testing.T) {
	b, err := Encode(full())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 * CopyBytes {
		b[i/8] ^= 1 << (i % 8)
		if _, err := Decode(b[:]); err == nil {
			t.Fatalf("bit %d of byte %d flipped: accepted", i%8, i/8)
		}
		b[i/8] ^= 1 << (i % 8)
	}
}

func TestDecodeErrors(t *testing.T) {
	encode := func(change func(b []byte)) []byte {
		b, err := Encode(full())
		if err != nil {
			t.Fatal(err)
		}
		change(b[:])
		return seal(b[:])
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrNoRecord},
		{"zeros", make([]byte, CopyBytes), ErrNoRecord},
		{"short", encode(func([]byte) {})[:CopyBytes-1], ErrNoRecord},
		{"newer major", encode(func(b []byte) { b[offVersion] = major + 1 }), ErrVersion},
		{"newer minor", encode(func(b []byte) { b[offVersion+2] = minor + 1 }), ErrVersion},
		{"major 0", encode(func(b []byte) { b[offVersion] = 0 }), ErrInvalid},
		{"entry count", encode(func(b []byte) { b[offCounts+8] = MaxEntries + 1 }), ErrInvalid},
		{"event count", encode(func(b []byte) { b[offCounts+9] = 255 }), ErrInvalid},
		{"reserved", encode(func(b []byte) { b[offEnd] = 1 }), ErrInvalid},
		{"kind of attempt", encode(func(b []byte) { b[offOpen] = 3 }), ErrInvalid},
		{"kind of event", encode(func(b []byte) { b[offEvents+4] = 0 }), ErrInvalid},
		{"zero within text", encode(func(b []byte) { b[offDefault+3] = 0 }), ErrInvalid},
	} {
		if _, err := Decode(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	long := strings.Repeat("ä", 60)
	if Key("rayos") != "rayos" || len(Key(long)) > MaxKey || Key(long) == Key(long+"x") || Key(long)[:46] != long[:46] {
		t.Errorf("%s %s", Key("rayos"), Key(long))
	}
	if _, err := Encode(Record{Default: Key(long)}); err != nil {
		t.Error(err)
	}
}

func TestNonce(t *testing.T) {
	n := Nonce{0, 1, 0xfe}
	if got, err := ParseNonce(n.String()); err != nil || got != n {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []string{"", "12", "zz11223344556677", "00112233445566778"} {
		if _, err := ParseNonce(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range []Record{{}, New(installID), full()} {
		b, err := Encode(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == CopyBytes {
			seal(data)
		}
		r, err := Decode(data)
		if err != nil {
			return
		}
		b, err := Encode(r)
		if err != nil || !bytes.Equal(b[:], data) {
			t.Fatalf("%v: what was read is not written back", err)
		}
	})
}
