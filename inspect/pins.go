package inspect

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

// Pins are the digests that a boot entry promises; see docs/on-disk.md.
type Pins struct {
	Linux   string `json:"linux,omitempty"`   // of its image; empty if it is not pinned
	Initrd  string `json:"initrd,omitempty"`  // of its initrds; empty if they are not
	Problem string `json:"problem,omitempty"` // why the boot manager does not show the entry
}

func readPins(e esp.Entry) Pins {
	pins, err := e.Pins()
	if err != nil {
		return Pins{Problem: err.Error()}
	}
	text := func(d [sha256.Size]byte) string {
		if d == ([sha256.Size]byte{}) {
			return ""
		}
		return golden.Digest(d).String()
	}
	return Pins{Linux: text(pins.Linux), Initrd: text(pins.Initrd)}
}

// word says in one word what is pinned of an entry that may have an initrd.
func (p Pins) word(initrd bool) string {
	switch {
	case p.Problem != "":
		return "bad"
	case p.Linux == "" && p.Initrd == "":
		return "no"
	case p.Linux == "" || initrd && p.Initrd == "":
		return "part"
	}
	return "yes"
}

// pins compares the files of a boot entry with what it pins.
func (v *verifier) pins(volume fs.FS, e esp.Entry) error {
	pins, err := e.Pins()
	if err != nil {
		v.report("esp-pin", "%s: %v; the boot manager does not show the entry: correct the line or remove it", e.Path, err)
		return nil
	}
	return errors.Join(v.pin(volume, e, golden.Digest(pins.Linux), esp.LinuxPinKey, e.Image()),
		v.pin(volume, e, golden.Digest(pins.Initrd), esp.InitrdPinKey, e.Initrd...))
}

// pin compares files, one after the other, with a digest that is pinned. That a
// file is missing is reported elsewhere.
func (v *verifier) pin(volume fs.FS, e esp.Entry, want golden.Digest, key string, names ...string) error {
	if want == (golden.Digest{}) {
		return nil
	}
	if len(names) == 0 {
		v.report("esp-pin", "%s pins an initrd and has none; the boot manager refuses to start it: remove the line %s", e.Path, key)
		return nil
	}
	got, err := v.joinedDigest(volume, names)
	switch {
	case v.ctx.Err() != nil:
		return v.ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		v.report("esp-pin", "%s pins what cannot be read: %v", e.Path, err)
	case got != want:
		v.report("esp-pin", "%s has SHA-256 %.16s..., %s pins %.16s...; the boot manager refuses to start it: put back what it was, or write the new digest into the line %s",
			strings.Join(names, " with "), got, e.Path, want, key)
	}
	return nil
}

// initrdAlign is where the kernel looks for the next archive after one.
const initrdAlign = 4

// joinedDigest digests files as the boot manager joins them: of several, each is
// padded with zeros.
func (v *verifier) joinedDigest(volume fs.FS, names []string) (golden.Digest, error) {
	if len(names) == 1 {
		return v.fileDigest(volume, names[0])
	}
	var all []io.Reader
	for _, name := range names {
		f, err := volume.Open(name)
		if err != nil {
			return golden.Digest{}, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return golden.Digest{}, err
		}
		all = append(all, f, strings.NewReader(strings.Repeat("\x00", int(-info.Size()&(initrdAlign-1)))))
	}
	return v.digest(io.MultiReader(all...))
}

// fileDigest digests a file, once however often it is asked for.
func (v *verifier) fileDigest(volume fs.FS, name string) (golden.Digest, error) {
	key := strings.ToLower(name)
	if sum, ok := v.sums[key]; ok {
		return sum, nil
	}
	f, err := volume.Open(name)
	if err != nil {
		return golden.Digest{}, err
	}
	defer f.Close()
	sum, err := v.digest(f)
	if err != nil {
		return golden.Digest{}, fmt.Errorf("%s: %w", name, err)
	}
	v.sums[key] = sum
	return sum, nil
}
