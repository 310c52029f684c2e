package bootoption_test

import (
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/gpt"
)

var (
	id    = gpt.MustParseGUID("6e2a7e6c-51c7-4c3a-9c6d-0f3f5c1f0a01")
	old   = gpt.MustParseGUID("11111111-2222-4333-8444-555555555555")
	other = gpt.MustParseGUID("99999999-2222-4333-8444-555555555555")
)

func option(partition gpt.GUID) bootoption.Option {
	return bootoption.Option{
		Active: true, Title: "RayOS", Path: `\EFI\rayos\rayboot.efi`,
		Partition: bootoption.Partition{Number: 1, StartLBA: 2048, SizeLBA: 819200, ID: partition},
	}
}

// encoded is the option in the bytes of the specification, taken apart by hand.
const encoded = "01000000" + "6000" + // active; bytes of the path
	"5200610079004f0053000000" + // RayOS
	"0401" + "2a00" + "01000000" + "0008000000000000" + "00800c0000000000" + "6c7e2a6ec7513a4c9c6d0f3f5c1f0a01" + "02" + "02" +
	"0404" + "3200" + "5c004500460049005c007200610079006f0073005c0072006100790062006f006f0074002e006500660069000000" +
	"7fff0400"

func TestEncode(t *testing.T) {
	got, err := option(id).Encode()
	if err != nil || hex.EncodeToString(got) != encoded {
		t.Errorf("%x, %v; want %s", got, err, encoded)
	}
	back, err := bootoption.Decode(got)
	if err != nil || !reflect.DeepEqual(back, option(id)) {
		t.Errorf("%+v, %v", back, err)
	}
	for _, bad := range []bootoption.Option{{Title: "a", Path: ""}, {Title: "a\x00", Path: "b"}, {Path: "a\x00b"}, {Path: strings.Repeat("x", 20_000)}} {
		if _, err := bad.Encode(); err == nil {
			t.Errorf("%.40q is encoded", bad.Path)
		}
	}
}

func TestDecode(t *testing.T) {
	good, err := hex.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(good) {
		if o, err := bootoption.Decode(good[:n]); err == nil && n < len(good) || err != nil && (!errors.Is(err, bootoption.ErrFormat) || !reflect.DeepEqual(o, bootoption.Option{})) {
			t.Errorf("%d bytes: %+v, %v", n, o, err)
		}
	}
	with := append(slices.Clone(good), "data"...)
	if o, err := bootoption.Decode(with); err != nil || string(o.Data) != "data" {
		t.Errorf("%+v, %v", o, err)
	}
	// A path that begins with a controller names no partition by itself.
	mbr := slices.Clone(good)
	mbr[18+4+36] = 1
	if o, err := bootoption.Decode(mbr); err != nil || o.Partition != (bootoption.Partition{}) || o.Path == "" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestRegister(t *testing.T) {
	shell := bootoption.Option{Title: "UEFI Shell", Path: `\shell.efi`}
	stranger := option(id)
	stranger.Path = `\EFI\debian\shimx64.efi`
	for name, c := range map[string]struct {
		options     map[uint16]bootoption.Option
		used, order []uint16
		want        bootoption.Change
	}{
		"none":         {nil, nil, nil, bootoption.Change{Number: 0, Order: []uint16{0}}},
		"others":       {map[uint16]bootoption.Option{0: shell, 2: option(other), 3: stranger}, []uint16{0, 2, 3}, []uint16{3, 0, 2}, bootoption.Change{Number: 1, Order: []uint16{1, 3, 0, 2}}},
		"unreadable":   {map[uint16]bootoption.Option{}, []uint16{0, 1, 2}, []uint16{7}, bootoption.Change{Number: 3, Order: []uint16{3, 7}}},
		"the same":     {map[uint16]bootoption.Option{4: option(id)}, []uint16{4}, []uint16{0, 4}, bootoption.Change{Number: 4, Order: []uint16{4, 0}}},
		"former":       {map[uint16]bootoption.Option{0: shell, 5: option(old)}, []uint16{0, 5}, []uint16{0}, bootoption.Change{Number: 5, Order: []uint16{5, 0}}},
		"several ours": {map[uint16]bootoption.Option{1: option(old), 5: option(id)}, []uint16{1, 5}, []uint16{5, 1, 9}, bootoption.Change{Number: 1, Order: []uint16{1, 9}, Remove: []uint16{5}}},
	} {
		got, err := bootoption.Register(option(id), c.options, c.used, c.order, []gpt.GUID{old, {}})
		if len(got.Remove) == 0 {
			got.Remove = nil
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
	var all []uint16
	for n := range 1 << 16 {
		all = append(all, uint16(n))
	}
	slices.Reverse(all)
	if _, err := bootoption.Register(option(id), nil, all, nil, nil); !errors.Is(err, bootoption.ErrFull) {
		t.Error(err)
	}
	if got := bootoption.Name(10); got != "Boot000A" {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := hex.DecodeString(encoded)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := bootoption.Decode(b)
		if err != nil {
			if !errors.Is(err, bootoption.ErrFormat) {
				t.Error(err)
			}
			return
		}
		again, err := o.Encode()
		if err != nil {
			return // one that is not of this package's kind
		}
		if back, err := bootoption.Decode(again); err != nil || back.Path != o.Path || back.Partition != o.Partition {
			t.Errorf("%+v became %+v, %v", o, back, err)
		}
	})
}
