package plan

import (
	"errors"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
)

var disk80 = gpt.Geometry{DiskBytes: gpt.MinDiskBytes, SectorSize: 512}

func esp(size int64) Wish {
	return Wish{Name: "EFI System", Type: gpt.TypeESP, SizeBytes: size}
}

func data(name string, start, size int64) Wish {
	return Wish{Name: name, Type: gpt.TypeLinuxData, StartBytes: start, SizeBytes: size}
}

func TestStandardLayout(t *testing.T) {
	for _, sector := range []int{512, 4096} {
		g := gpt.Geometry{DiskBytes: gpt.MinDiskBytes, SectorSize: sector}
		parts, err := Layout(nil).Place(g, 3*gpt.MiB)
		if err != nil || len(parts) != 5 || parts[0].StartBytes != 2048*512 {
			t.Errorf("%+v, %v", parts, err)
		}
	}
	small := disk80
	small.DiskBytes -= 512
	if _, err := Layout(nil).Place(small, gpt.MiB); !errors.Is(err, ErrTooSmall) || !strings.Contains(err.Error(), "79999999488 bytes") {
		t.Errorf("%v", err)
	}
}

func TestPlace(t *testing.T) {
	parts, err := Layout{esp(100 * gpt.MiB), data("odd", 0, 20_000_000), data("far", 300*gpt.MiB, gpt.MiB), data("rest", 0, 0)}.Place(disk80, 2*gpt.MiB)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ start, size int64 }{{2, 100}, {102, 20}, {300, 1}, {302, 76293 - 302}} {
		if p := parts[i]; p.Number != i+1 || p.StartBytes != want.start*gpt.MiB || p.SizeBytes != want.size*gpt.MiB {
			t.Errorf("partition %+v, want %+v", p, want)
		}
	}
}

func TestLayoutsThatAreRefused(t *testing.T) {
	kernel := Wish{Name: "K", Type: gpt.TypeRayOSKernel, SizeBytes: 384 * gpt.MiB}
	twice := kernel
	twice.Name = "L"
	small := kernel
	small.SizeBytes -= gpt.MiB
	var nine Layout
	for range 9 {
		nine = append(nine, data(strings.Repeat("x", len(nine)+1), 0, gpt.MiB))
	}
	for _, c := range []struct {
		layout Layout
		is     error
		says   string
	}{
		{Layout{}, ErrLayout, "0 partitions; 1 to 8"},
		{nine, ErrLayout, "9 partitions; 1 to 8"},
		{Layout{data("A", 0, gpt.MiB)}, ErrLayout, "0 EFI System Partitions"},
		{Layout{esp(gpt.GiB), {Name: "two", Type: gpt.TypeESP, SizeBytes: gpt.GiB}}, ErrLayout, "2 EFI System Partitions"},
		{Layout{esp(gpt.GiB), kernel, twice}, ErrLayout, "same RayOS type"},
		{Layout{esp(gpt.GiB), small}, ErrLayout, "partition 2 (K) has 383 MiB; a kernel slot and the log need 384 MiB"},
		{Layout{esp(gpt.GiB), data("", 0, gpt.MiB)}, ErrLayout, "partition 2 has no name"},
		{Layout{esp(gpt.GiB), data("a\nb", 0, gpt.MiB)}, ErrLayout, "partition 2 has no name that can be printed"},
		{Layout{esp(gpt.GiB), data("efi system", 0, gpt.MiB)}, ErrLayout, "two partitions have the name efi system"},
		{Layout{esp(gpt.GiB), {Name: "x", SizeBytes: gpt.MiB}}, ErrLayout, "partition 2 (x) has no type"},
		{Layout{esp(gpt.GiB), data(strings.Repeat("n", 37), 0, gpt.MiB)}, gpt.ErrEntry, "36 UTF-16 units"},
		{Layout{esp(0), data("x", 0, gpt.MiB)}, ErrLayout, "partition 1 (EFI System) has no size"},
		{Layout{esp(gpt.GiB), data("x", 0, gpt.MiB-1)}, ErrLayout, "partition 2 (x) has 1048575 bytes; the least is 1 MiB"},
		{Layout{esp(gpt.GiB), data("x", -1, gpt.MiB)}, ErrLayout, "partition 2 (x)"},
		{Layout{esp(gpt.GiB), data("x", 0, -1)}, ErrLayout, "partition 2 (x)"},
		{
			Layout{esp(gpt.GiB), data("x", gpt.GiB, gpt.MiB)},
			gpt.ErrOverlap,
			"partition 1 (EFI System) reaches to byte 1074790400, partition 2 (x) starts at 1073741824",
		},
		{Layout{{Name: "EFI System", Type: gpt.TypeESP, StartBytes: 512, SizeBytes: gpt.GiB}}, gpt.ErrOverlap, "the partition table reaches to byte 17408, partition 1 (EFI System) starts at 512"},
		{Layout{esp(gpt.GiB), data("x", 2*gpt.GiB+512, gpt.MiB)}, gpt.ErrAlignment, "partition 2 (x) starts at byte 2147484160, which is no multiple of 1048576"},
		{
			Layout{esp(gpt.GiB), data("x", 0, 80*gpt.GiB)},
			gpt.ErrOutOfBounds,
			"partition 2 (x), behind partition 1 (EFI System), starts at byte 1074790400 and has 85899345920 bytes; partitions may reach to byte 79999983104",
		},
		{Layout{esp(gpt.GiB), data("x", 0, math.MaxInt64)}, gpt.ErrOutOfBounds, "partition 2 (x), behind partition 1"},
		{Layout{esp(gpt.GiB), data("x", math.MaxInt64/gpt.MiB*gpt.MiB, gpt.MiB)}, gpt.ErrOutOfBounds, "partition 2 (x), behind partition 1"},
		{Layout{esp(76292 * gpt.MiB), data("x", 0, 0)}, gpt.ErrOutOfBounds, "partition 2 (x), behind partition 1"},
	} {
		parts, err := c.layout.Place(disk80, gpt.MiB)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %+v, %v; want %q", c.layout, parts, err, c.says)
		}
	}
}

func TestAlignment(t *testing.T) {
	for _, c := range []struct {
		optimal  int64
		physical int
		want     int64
		ok       bool
	}{
		{0, 512, gpt.MiB, true},
		{512, 512, gpt.MiB, true},
		{64 << 10, 4096, gpt.MiB, true},
		{3 << 19, 512, 3 * gpt.MiB, true}, // a RAID of three
		{4 * gpt.MiB, 512, 4 * gpt.MiB, true},
		{64 * gpt.MiB, 512, 64 * gpt.MiB, true},
		{128 * gpt.MiB, 512, gpt.MiB, false},
		{65535 * 512, 512, gpt.MiB, false}, // what USB bridges tell
		{65535 * 512, 4096, gpt.MiB, false},
		{1000, 512, gpt.MiB, false},
		{-512, 512, gpt.MiB, false},
		{1 << 62, 512, gpt.MiB, false},
		{4096, 0, gpt.MiB, true},
	} {
		if got, ok := Alignment(c.optimal, c.physical); got != c.want || ok != c.ok {
			t.Errorf("optimal %d, physical %d: %d %v, want %d %v", c.optimal, c.physical, got, ok, c.want, c.ok)
		}
	}
}

// TestPlacedLayoutsHold makes random layouts. Those that get a place keep all rules, and
// enough of them do.
func TestPlacedLayoutsHold(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	placed := 0
	for range 20_000 {
		g := gpt.Geometry{DiskBytes: (40 + random.Int63n(4000)) * gpt.MiB, SectorSize: 512 << (3 * random.Intn(2))}
		align := int64(gpt.MiB) << random.Intn(4)
		layout := Layout{esp(1 + random.Int63n(500*gpt.MiB))}
		for i := range random.Intn(8) {
			w := data(string(rune('a'+i)), 0, random.Int63n(gpt.GiB))
			if random.Intn(5) == 0 {
				w.StartBytes = random.Int63n(4000) * gpt.MiB
			}
			layout = append(layout, w)
		}
		parts, err := layout.Place(g, align)
		if err != nil {
			continue
		}
		placed++
		end := g.FirstUsable()
		for i, p := range parts {
			w := layout[i]
			if p.StartBytes < end || p.StartBytes%align != 0 || p.SizeBytes%gpt.MiB != 0 || p.SizeBytes < w.SizeBytes ||
				w.SizeBytes > 0 && p.SizeBytes >= w.SizeBytes+gpt.MiB || w.StartBytes != 0 && p.StartBytes != w.StartBytes || p.Name != w.Name || p.Number != i+1 {
				t.Fatalf("partition %+v of %+v, alignment %d", p, w, align)
			}
			end = p.EndBytes()
		}
		if end > g.EndUsable() {
			t.Fatalf("%+v reach behind %d", parts, g.EndUsable())
		}
	}
	if placed < 2000 {
		t.Errorf("only %d layouts have a place", placed)
	}
}
