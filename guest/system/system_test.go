package system_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/rayos/rayboot/guest/system"
)

// partition is one with something that looks like a squashfs of 5000 bytes.
func partition(t testing.TB) []byte {
	t.Helper()
	b := make([]byte, 64<<10)
	copy(b, "hsqs")
	binary.LittleEndian.PutUint16(b[28:], 4)
	binary.LittleEndian.PutUint64(b[40:], 5000)
	copy(b[4990:], "the end")
	a, err := system.Describe(bytes.NewReader(b), "1:10.0.2+ds-2")
	if err != nil {
		t.Fatal(err)
	}
	block, err := system.Encode(a)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[8192:], block)
	return b
}

func TestRead(t *testing.T) {
	b := partition(t)
	a, err := system.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil || a.LengthBytes != 8192 || a.Bytes() != 12288 || a.QEMU != "1:10.0.2+ds-2" {
		t.Fatalf("%+v, %v", a, err)
	}
	if err := a.Verify(bytes.NewReader(b)); err != nil {
		t.Error(err)
	}
	b[4990] = 'T'
	if err := a.Verify(bytes.NewReader(b)); !errors.Is(err, system.ErrDamaged) {
		t.Errorf("a byte that has changed: %v", err)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(b []byte)
		err    error
		says   string
	}{
		"nothing":         {func(b []byte) { clear(b) }, system.ErrNone, ""},
		"squashfs 3":      {func(b []byte) { b[28] = 3 }, system.ErrNone, ""},
		"no description":  {func(b []byte) { clear(b[8192:]) }, system.ErrDamaged, "it is not one"},
		"a bit":           {func(b []byte) { b[8192+60] ^= 1 }, system.ErrDamaged, "checksum"},
		"a new version":   {func(b []byte) { b[8192+8] = 2 }, system.ErrDamaged, "version 2"},
		"another length":  {func(b []byte) { binary.LittleEndian.PutUint64(b[40:], 4000) }, system.ErrDamaged, "it is not one"},
		"too long":        {func(b []byte) { binary.LittleEndian.PutUint64(b[40:], 62<<10) }, system.ErrDamaged, "the partition 65536"},
		"an absurd one":   {func(b []byte) { b[47] = 0xff }, system.ErrDamaged, "bytes"},
		"moved elsewhere": {func(b []byte) { copy(b[12288:], b[8192:12288]); b[41] = 0x2f }, system.ErrDamaged, "the description says 8192"},
	} {
		b := partition(t)
		c.change(b)
		if _, err := system.Read(bytes.NewReader(b), int64(len(b))); !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v and %q", name, err, c.err, c.says)
		}
	}
	if _, err := system.Read(bytes.NewReader(nil), 0); !errors.Is(err, system.ErrNone) {
		t.Errorf("an empty partition: %v", err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, a := range []system.Area{{}, {LengthBytes: 4097}, {LengthBytes: 4096, QEMU: "a\x00b"}, {LengthBytes: 4096, QEMU: strings.Repeat("x", 129)}} {
		if _, err := system.Encode(a); err == nil {
			t.Errorf("%+v is taken", a)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(partition(f)[8192:12288])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := system.Decode(b)
		if err != nil {
			return
		}
		again, err := system.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := system.Decode(again); err != nil || !reflect.DeepEqual(same, a) {
			t.Errorf("%+v becomes %+v, %v", a, same, err)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(partition(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := system.Read(bytes.NewReader(b), int64(len(b)))
		if err == nil && a.Bytes() > int64(len(b)) {
			t.Errorf("%+v of %d bytes", a, len(b))
		}
	})
}
