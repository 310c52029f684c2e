package layout

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/plan"
)

const example = `
# A small disk for one guest.
[[partition]]
name = "EFI System"
type = "esp"
size = "100MiB"

[[partition]]
name = "RayOS Kernel"
type = "rayos-kernel"
size = "1GiB"

[[partition]]
name = "Guest"
type = "linux"
size = "20GB"
start = "4GiB"

[[partition]]
name = "Else"
type = "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"
size = "rest"
`

func TestRead(t *testing.T) {
	got, err := Read(strings.NewReader(example))
	want := plan.Layout{
		{Name: "EFI System", Type: gpt.TypeESP, SizeBytes: 100 * gpt.MiB},
		{Name: "RayOS Kernel", Type: gpt.TypeRayOSKernel, SizeBytes: gpt.GiB},
		{Name: "Guest", Type: gpt.TypeLinuxData, SizeBytes: 20e9, StartBytes: 4 * gpt.GiB},
		{Name: "Else", Type: gpt.MustParseGUID("933ac7e1-2eb4-4f13-b844-0e14e2aef915")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if parts, err := got.Place(gpt.Geometry{DiskBytes: 64e9, SectorSize: 512}, gpt.MiB); err != nil || len(parts) != 4 {
		t.Errorf("%+v, %v", parts, err)
	}
}

func TestReadRefuses(t *testing.T) {
	one := func(lines string) string {
		return "[[partition]]\nname = \"x\"\n" + lines
	}
	for text, says := range map[string]string{
		"":                                     "it has no [[partition]]",
		"name = ":                              "line 1",
		"title = \"x\"\n" + one(""):            "there is no key title",
		one("colour = \"red\""):                "there is no key partition.colour",
		one("size = \"1MiB\""):                 `partition 1 (x): type "" is none of`,
		one("type = \"esp\""):                  `partition 1 (x): "" is no size`,
		one("type = \"esp\"\nsize = 5"):        "incompatible types",
		one("type = \"e\"\nsize = \"1MiB\""):   `type "e" is none of esp, rayos-kernel`,
		one("type = \"esp\"\nsize = \"1Gib\""): `"1Gib" is no size`,
		one("type = \"esp\"\nsize = \"-1\""):   `"-1" is no size`,
		one("type = \"esp\"\nsize = \"0MiB\""): "0 bytes",
		one("type = \"esp\"\nsize = \"9223372036854775807kB\""):     "is no size",
		one("type = \"esp\"\nsize = \"1MiB\"\nstart = \"0\""):       "start: 0 bytes",
		strings.Repeat(one("type = \"esp\"\nsize = \"1MiB\"\n"), 9): "it has 9 partitions, at most 8",
		strings.Repeat("#", MaxBytes+1):                             "more than 65536 bytes",
	} {
		l, err := Read(strings.NewReader(text))
		if l != nil || !errors.Is(err, ErrLayout) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.80q: %+v, %v; want %q", text, l, err, says)
		}
	}
	if _, err := Read(iotest.ErrReader(errors.New("medium"))); err == nil || errors.Is(err, ErrLayout) {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, "7B": 7, "1kB": 1000, "2KiB": 2048, "3MiB": 3 << 20, "80GB": 80e9, "8388607TiB": 8388607 << 40} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
}

// FuzzDecode feeds layouts, and puts on a disk what they decode to.
func FuzzDecode(f *testing.F) {
	f.Add(example)
	f.Add("[[partition]]\nname='x'\ntype='esp'\nsize='rest'\nstart='9223372036854775807'")
	f.Add("partition = [{name='x', type='esp', size='1MiB'}]")
	f.Add(strings.Repeat("[", 1000))
	g := gpt.Geometry{DiskBytes: gpt.MinDiskBytes, SectorSize: 512}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > MaxBytes {
			return
		}
		l, err := Decode(text)
		if err != nil {
			return
		}
		parts, err := l.Place(g, gpt.MiB)
		if err == nil && g.Check(parts) != nil || l == nil || len(l) > plan.MaxPartitions {
			t.Errorf("%+v is placed as %+v", l, parts)
		}
	})
}
