package content

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
)

// ManifestPath is the list of digests of the files on the ESP that nobody
// changes at run time, in the format of sha256sum(1) and relative to the root
// of the ESP: `sha256sum -c EFI/rayos/sha256sums` checks them.
const ManifestPath = esp.ManifestPath

// errDiffers says that a file is not what its digest says.
var errDiffers = errors.New("its content has another digest (SHA-256) than it should; the stick is failing, or was changed")

// verify compares the files with what the stick says about them: its list of digests, the
// files that its entries name, and their pins. What is not right here would be found on the
// disk that was written.
func (s Stick) verify(all []fat32.File) error {
	v := verifier{files: map[string]fat32.File{}, sums: map[string][sha256.Size]byte{}}
	for _, f := range all {
		v.files[strings.ToLower(f.Path)] = f
	}
	text, err := readSmall(s.ESP, ManifestPath)
	if err != nil {
		return fmt.Errorf("read the digests of its files: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		digest, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		want, err := hex.DecodeString(digest)
		if !ok || err != nil || len(want) != sha256.Size {
			return fmt.Errorf("%s has the line %.80q", ManifestPath, line)
		}
		if err := v.compare([sha256.Size]byte(want), name); err != nil {
			return err
		}
	}
	if _, ok := v.files[strings.ToLower(esp.RemovablePathX64)]; !ok {
		return fmt.Errorf("%s: %w", esp.RemovablePathX64, fs.ErrNotExist)
	}
	entries, problems := esp.Discover(s.ESP, esp.X64)
	if len(problems) > 0 {
		return fmt.Errorf("%w; correct it on the stick, or remove it", problems[0])
	}
	for _, e := range entries {
		if err := errors.Join(v.there(e), v.pins(e)); err != nil {
			return fmt.Errorf("boot entry %s: %w", e.ID, err)
		}
	}
	return nil
}

// verifier compares files, of which it digests each once.
type verifier struct {
	files map[string]fat32.File // by path in lower case
	sums  map[string][sha256.Size]byte
}

// there says which file of an entry is missing.
func (v *verifier) there(e esp.Entry) error {
	for _, name := range append([]string{e.Image(), e.DeviceTree}, e.Initrd...) {
		if _, ok := v.files[strings.ToLower(path.Clean(name))]; name != "" && !ok {
			return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
	}
	return nil
}

// pins compares what an entry starts.
func (v *verifier) pins(e esp.Entry) error {
	pins, err := e.Pins()
	if err != nil {
		return err
	}
	if pins.Linux != ([sha256.Size]byte{}) {
		if err := v.compare(pins.Linux, e.Image()); err != nil {
			return err
		}
	}
	if pins.Initrd == ([sha256.Size]byte{}) {
		return nil
	}
	return v.compare(pins.Initrd, e.Initrd...)
}

// compare digests files as one, each padded to a multiple of 4 bytes where there are several.
func (v *verifier) compare(want [sha256.Size]byte, names ...string) error {
	key := strings.ToLower(strings.Join(names, "\x00"))
	got, ok := v.sums[key]
	if !ok {
		var err error
		if got, err = v.sum(names); err != nil {
			return err
		}
		v.sums[key] = got
	}
	if got != want {
		return fmt.Errorf("%s: %w", strings.Join(names, ", "), errDiffers)
	}
	return nil
}

func (v *verifier) sum(names []string) ([sha256.Size]byte, error) {
	var readers []io.Reader
	var open []io.Closer
	defer func() {
		for _, c := range open {
			_ = c.Close() // of files that were only read
		}
	}()
	for _, name := range names {
		f, ok := v.files[strings.ToLower(path.Clean(name))]
		if !ok {
			return [sha256.Size]byte{}, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		in, err := f.Open()
		if err != nil {
			return [sha256.Size]byte{}, err
		}
		open = append(open, in)
		readers = append(readers, in)
		if len(names) > 1 {
			readers = append(readers, strings.NewReader("\x00\x00\x00"[:-f.Size&3]))
		}
	}
	return sum(io.MultiReader(readers...))
}

// sum digests all that r has.
func sum(r io.Reader) (digest [sha256.Size]byte, err error) {
	h := sha256.New()
	if _, err := io.CopyBuffer(h, r, make([]byte, copyBytes)); err != nil {
		return digest, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// maxSmallBytes bounds configuration files.
const maxSmallBytes = 64 << 10

// readSmall reads a file of at most maxSmallBytes.
func readSmall(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSmallBytes+1))
	if err == nil && len(b) > maxSmallBytes {
		err = fmt.Errorf("%s has more than %d bytes", name, maxSmallBytes)
	}
	return b, err
}
