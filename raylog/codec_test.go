package raylog

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// full is a record in which every field is full.
func full() Record {
	return Record{
		Entry: Entry{
			Level: Fatal, Uptime: time.Duration(maxUptime) * time.Millisecond, Wall: time.UnixMilli(maxWall).UTC(),
			Source: strings.Repeat("s", MaxSource), Message: strings.Repeat("m", MaxMessage), Boot: BootID{1, 2, 15: 3},
		},
		Sequence: maxSequence, Epoch: 1<<32 - 1, Log: LogID{4, 7: 5}, Clears: true, Cut: true, ahead: 1<<16 - 1,
	}
}

func small() Record {
	return Record{Entry: Entry{Level: Trace}, Sequence: 1}
}

func encode(t testing.TB, r Record) []byte {
	t.Helper()
	b := bytes.Repeat([]byte{0xff}, RecordBytes)
	if err := Encode(b, &r); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	plain := Record{Entry: Entry{Level: Info, Uptime: time.Second, Source: "kernel", Message: "a\x00\xffb\n"}, Sequence: 7}
	for _, r := range []Record{small(), plain, full()} {
		if got, err := Decode(encode(t, r)); err != nil || got != r {
			t.Errorf("%v\n%+v\nwant\n%+v", err, got, r)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, spoil := range map[string]func(r *Record){
		"message":  func(r *Record) { r.Message += "m" },
		"source":   func(r *Record) { r.Source += "s" },
		"NUL":      func(r *Record) { r.Source = "a\x00b" },
		"no level": func(r *Record) { r.Level = 0 },
		"level":    func(r *Record) { r.Level = Fatal + 1 },
		"sequence": func(r *Record) { r.Sequence++ },
		"none":     func(r *Record) { r.Sequence = 0 },
		"uptime":   func(r *Record) { r.Uptime = -1 },
		"wall":     func(r *Record) { r.Wall = r.Wall.Add(time.Millisecond) },
		"1969":     func(r *Record) { r.Wall = time.UnixMilli(-1) },
	} {
		r := full()
		spoil(&r)
		if err := Encode(make([]byte, RecordBytes), &r); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := full()
	if err := Encode(make([]byte, RecordBytes+1), &r); err == nil {
		t.Error("a buffer of the wrong size")
	}
}

// TestEveryBitCounts: no flipped bit may pass.
func TestEveryBitCounts(t *testing.T) {
	for _, r := range []Record{small(), full()} {
		b := encode(t, r)
		for i := range 8 * RecordBytes {
			b[i/8] ^= 1 << (i % 8)
			if _, err := Decode(b); err == nil {
				t.Fatalf("bit %d of byte %d flipped: accepted", i%8, i/8)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	changed := func(change func(b []byte)) []byte {
		b := encode(t, full())
		change(b)
		seal(b, 0)
		return b
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrNoRecord},
		{"zeros", make([]byte, RecordBytes), ErrNoRecord},
		{"short", encode(t, full())[:RecordBytes-1], ErrNoRecord},
		{"torn", append(encode(t, full())[:512], encode(t, small())[512:]...), ErrChecksum},
		{"newer major", changed(func(b []byte) { b[offMajor]++ }), ErrVersion},
		{"major 0", changed(func(b []byte) { b[offMajor] = 0 }), ErrInvalid},
		{"newer minor", changed(func(b []byte) { b[offMinor]++; b[offFlags] |= 0x80; le.PutUint16(b[offLength:], 1) }), nil},
		{"no level", changed(func(b []byte) { b[offLevel] = 0 }), ErrInvalid},
		{"level", changed(func(b []byte) { b[offLevel] = byte(Fatal) + 1 }), ErrInvalid},
		{"flags", changed(func(b []byte) { b[offFlags] = 4 }), ErrInvalid},
		{"length", changed(func(b []byte) { le.PutUint16(b[offLength:], MaxMessage+1) }), ErrInvalid},
		{"padding", changed(func(b []byte) { le.PutUint16(b[offLength:], MaxMessage-1) }), ErrInvalid},
		{"NUL", changed(func(b []byte) { b[offSource+1] = 0 }), ErrInvalid},
		{"sequence", changed(func(b []byte) { le.PutUint64(b[offSequence:], 0) }), ErrInvalid},
		{"uptime", changed(func(b []byte) { le.PutUint64(b[offUptime:], uint64(maxUptime)+1) }), ErrInvalid},
		{"wall", changed(func(b []byte) { le.PutUint64(b[offWall:], maxWall+1) }), ErrInvalid},
	} {
		if _, err := Decode(c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestReseal(t *testing.T) {
	b := encode(t, full())
	for _, n := range []uint16{0, 1, 0x8000, 0x7fff, 255, 256, 0xffff} {
		if reseal(b, n); ahead(b) != n || whole(b) != nil {
			t.Errorf("ahead %d: %d, %v", n, ahead(b), whole(b))
		}
	}
}

// TestFit: whatever is said, the format has something for it.
func TestFit(t *testing.T) {
	for _, e := range []Entry{
		{Source: strings.Repeat("ä", 100), Message: "x" + strings.Repeat("€", 4000), Uptime: -time.Hour, Wall: time.UnixMilli(-5)},
		{Source: "a\x00b", Message: strings.Repeat("\x80", 5000), Wall: time.UnixMilli(maxWall + 1)},
		{Source: "\x00", Message: strings.Repeat("m", MaxMessage)},
	} {
		e.Level = Info
		r := Record{Entry: e, Sequence: 1}
		r.fit()
		got, err := Decode(encode(t, r))
		if err != nil || !strings.HasPrefix(e.Source, got.Source) || !strings.HasPrefix(e.Message, got.Message) || got.Cut != (got.Message != e.Message) {
			t.Errorf("%.20q: %v, %+v", e.Message, err, got)
		}
		if len(got.Message) < MaxMessage-utf8.UTFMax || utf8.ValidString(e.Message) && !utf8.ValidString(got.Message) || !utf8.ValidString(got.Source) {
			t.Errorf("of %.20q %d bytes are left: ...%q", e.Message, len(got.Message), got.Message[len(got.Message)-4:])
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Levels() {
		l, err := ParseLevel(strings.ToLower(name))
		if err != nil || l.String() != name {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
	for _, name := range []string{"", "loud", "Level(0)"} {
		if l, err := ParseLevel(name); err == nil {
			t.Errorf("%q is %v", name, l)
		}
	}
	if s := (Fatal + 1).String(); s != "Level(7)" {
		t.Error(s)
	}
	id := BootID{0, 1, 15: 0xfe}
	for _, s := range []string{id.String(), "00010000-0000-0000-0000-0000000000FE"} {
		if got, err := ParseBootID(s); err != nil || got != id {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "12", strings.Repeat("z", 32), id.String() + "0"} {
		if _, err := ParseBootID(s); err == nil {
			t.Errorf("%q is accepted", s)
		}
	}
	if a, b := InstallLogID("a"), InstallLogID("b"); a == b || a == (LogID{}) || a != InstallLogID("a") {
		t.Errorf("log IDs %v and %v", a, b)
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range []Record{small(), full()} {
		f.Add(encode(f, r))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == RecordBytes {
			copy(data, magic)
			seal(data, ahead(data))
		}
		r, err := Decode(data)
		if err != nil || data[offMinor] != versionMinor {
			return
		}
		if again := encode(t, r); !bytes.Equal(again, data) {
			t.Fatal("what was read is not written back")
		}
	})
}
