// Package layout reads the layout of a disk from a TOML file (TOML 1.0):
//
//	[[partition]]
//	name = "EFI System"   # what the table calls it, at most 36 letters
//	type = "esp"          # esp, rayos-kernel, rayos-system, linux, windows, swap, or a GUID
//	size = "400MiB"       # or GiB, GB, ...; "rest" for the last one takes what is left
//	start = "1MiB"        # only if it is not to follow the one before
//
// Partitions are numbered and lie on the disk in the order of the file. Whether the layout
// is a good one and fits a disk is told by package plan.
package layout

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/plan"
)

// MaxBytes bounds the file.
const MaxBytes = 64 << 10

// ErrLayout marks whatever is wrong with a layout file.
var ErrLayout = errors.New("unusable layout file")

// rest is the size of a partition that takes what is left.
const rest = "rest"

// types are the partition types that have a name here.
var types = map[string]gpt.GUID{
	"esp":          gpt.TypeESP,
	"rayos-kernel": gpt.TypeRayOSKernel,
	"rayos-system": gpt.TypeRayOSSystem,
	"linux":        gpt.TypeLinuxData,
	"windows":      gpt.TypeMicrosoftBasic,
	"swap":         gpt.MustParseGUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"),
}

// file is the form of the TOML file.
type file struct {
	Partition Partitions `toml:"partition"`
}

// Partitions is the form of a layout within a TOML file, under the key partition.
type Partitions []partition

type partition struct {
	Name, Type, Size, Start string
}

// Read reads a layout of at most MaxBytes.
func Read(r io.Reader) (plan.Layout, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrLayout, MaxBytes)
	}
	l, err := Decode(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLayout, err)
	}
	return l, nil
}

// Decode decodes a layout. The result is never nil without an error.
func Decode(text string) (plan.Layout, error) {
	var f file
	meta, err := toml.Decode(text, &f)
	if err != nil {
		return nil, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("there is no key %s", unknown[0])
	}
	if len(f.Partition) == 0 {
		return nil, errors.New("it has no [[partition]]")
	}
	return f.Partition.Layout()
}

// Layout is what the partitions ask for; nil for none, which is the standard layout.
func (p Partitions) Layout() (plan.Layout, error) {
	if n := len(p); n > plan.MaxPartitions {
		return nil, fmt.Errorf("it has %d partitions, at most %d are possible", n, plan.MaxPartitions)
	}
	var l plan.Layout
	for i, p := range p {
		w, err := p.wish()
		if err != nil {
			return nil, fmt.Errorf("partition %d (%s): %w", i+1, p.Name, err)
		}
		l = append(l, w)
	}
	return l, nil
}

func (p partition) wish() (w plan.Wish, err error) {
	w.Name = p.Name
	if w.Type, err = typeOf(p.Type); err != nil {
		return w, err
	}
	if p.Size != rest {
		if w.SizeBytes, err = sizeOf(p.Size); err != nil {
			return w, err
		}
	}
	if p.Start != "" {
		if w.StartBytes, err = sizeOf(p.Start); err != nil {
			return w, fmt.Errorf("start: %w", err)
		}
	}
	return w, nil
}

// typeOf reads a type's name or GUID.
func typeOf(text string) (gpt.GUID, error) {
	if t, ok := types[text]; ok {
		return t, nil
	}
	t, err := gpt.ParseGUID(text)
	if err != nil {
		return t, fmt.Errorf("type %q is none of esp, rayos-kernel, rayos-system, linux, windows, swap, and no GUID", text)
	}
	return t, nil
}

func sizeOf(text string) (int64, error) {
	n, err := ParseSize(text)
	if err == nil && n == 0 {
		return 0, errors.New("0 bytes")
	}
	return n, err
}

// Units are the suffixes of sizes, longest first.
var Units = []struct {
	Suffix string
	Bytes  int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// ParseSize reads a size such as 80GB (10^9), 100GiB (2^30) or 80000000000.
func ParseSize(text string) (int64, error) {
	for _, u := range Units {
		number, ok := strings.CutSuffix(text, u.Suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.Bytes {
			break
		}
		return n * u.Bytes, nil
	}
	return 0, fmt.Errorf("%q is no size; write for example 80GB, 100GiB or 80000000000", text)
}
