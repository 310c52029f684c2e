package content

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
)

// AnswersPath is the file on a stick's ESP that makes it install without asking.
const AnswersPath = esp.RayOSDir + "/install.toml"

// LayoutsDir is the directory on a stick's ESP with layouts, NAME.toml, that the installer's
// dialog offers.
const LayoutsDir = esp.RayOSDir + "/layouts"

// OriginPath is the file on an installed disk's ESP with the install ID of the stick that it
// was installed from.
const OriginPath = esp.RayOSDir + "/origin.id"

// Bounds of what is looked at on a stick. A corrupt FAT can look like an endless tree.
const (
	maxFiles = 4096
	maxDepth = 16
)

// ErrStick says that the disk that the machine was booted from cannot be installed from.
var ErrStick = errors.New("the boot disk cannot be installed from")

// Stick is the disk that a machine was booted from.
type Stick struct {
	ESP     fs.FS
	Kernels io.ReaderAt       // its RayOS Kernel partition, nil if it has none
	Disk    io.ReaderAt       // all of it, nil where its guests are of no interest
	Table   gpt.Table         // of Disk
	Key     ed25519.PublicKey // that golden snapshots must be signed with, nil if none is asked for
}

// Read gathers what an installation takes from the stick: everything on its ESP but what
// belongs to the stick itself, and its kernel slots. What the stick says of its files by
// digest is compared: a stick that is failing is noticed before anything is written. The
// files are read again when they are written.
//
// The stick's install ID and boot state stay behind, its random seed, its entry for the
// installer, and its golden snapshots: a new installation has no history. Where a key for
// snapshots is set, those that are signed with it come along, as no machine can sign one.
//
// [Stick.Guests] has what else may come along.
func (s Stick) Read(installID gpt.GUID) (Disk, error) {
	d, err := s.read(installID)
	if err != nil {
		return Disk{}, fmt.Errorf("%w: %w", ErrStick, err)
	}
	return d, nil
}

func (s Stick) read(installID gpt.GUID) (d Disk, err error) {
	all, err := s.list()
	if err != nil {
		return Disk{}, err
	}
	if err := s.verify(all); err != nil {
		return Disk{}, err
	}
	if d.Slots, err = s.slots(); err != nil {
		return Disk{}, err
	}
	keep := s.goldenFiles()
	installers, others := s.entries()
	if len(others) == 0 && d.Slots == nil {
		return Disk{}, errors.New("it has no boot entry besides the installer's")
	}
	if d.Files, err = Identity(installID); err != nil {
		return Disk{}, err
	}
	if text, err := readSmall(s.ESP, esp.InstallIDPath); err == nil {
		d.Files = append(d.Files, fat32.Bytes(OriginPath, text))
	}
	for _, f := range all {
		switch name := strings.ToLower(f.Path); {
		case within(name, golden.Dir) && !keep[name], slices.ContainsFunc(own, func(o string) bool { return within(name, o) }):
		case slices.ContainsFunc(installers, func(e esp.Entry) bool { return strings.EqualFold(e.Path, name) }):
		case strings.EqualFold(f.Path, esp.LoaderConfPath):
			if f, err = s.loaderConf(installers, others); err != nil {
				return Disk{}, err
			}
			d.Files = append(d.Files, f)
		default:
			f.Path = fresh(f.Path)
			d.Files = append(d.Files, f)
		}
	}
	return d, nil
}

// own is what belongs to a stick itself, in any case of letters.
var own = []string{esp.InstallIDPath, esp.BootStatePath, AnswersPath, LayoutsDir, OriginPath, "loader/random-seed", "System Volume Information"}

// within reports whether a path in lower case is another one, or lies below it.
func within(name, dir string) bool {
	dir = strings.ToLower(dir)
	return name == dir || strings.HasPrefix(name, dir+"/")
}

// fresh gives an entry with a boot counter all its tries back.
func fresh(name string) string {
	f, err := esp.ParseFileName(path.Base(name))
	if err != nil || !f.Counted {
		return name
	}
	again := f.Blessed()
	again.Counted, again.TriesLeft = true, max(f.TriesLeft+f.TriesDone, 1)
	return path.Join(path.Dir(name), again.String())
}

// list lists the files of the ESP.
func (s Stick) list() (files []fat32.File, err error) {
	err = fs.WalkDir(s.ESP, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(files) >= maxFiles || strings.Count(name, "/") >= maxDepth:
			return fmt.Errorf("its ESP has more than %d files, or directories that are nested more than %d times", maxFiles, maxDepth)
		case d.IsDir():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files = append(files, fat32.File{Path: name, Size: info.Size(), Open: func() (io.ReadCloser, error) { return s.ESP.Open(name) }})
		return nil
	})
	return files, err
}

// entries returns the entries that start an installer, and the others.
func (s Stick) entries() (installers, others []esp.Entry) {
	all, _ := esp.Discover(s.ESP, esp.X64)
	for _, e := range all {
		if e.Role() == esp.RoleInstaller {
			installers = append(installers, e)
		} else {
			others = append(others, e)
		}
	}
	return installers, others
}

// loaderConf is that of the stick with another default where that is the installer.
func (s Stick) loaderConf(installers, others []esp.Entry) (fat32.File, error) {
	text, err := readSmall(s.ESP, esp.LoaderConfPath)
	if err != nil {
		return fat32.File{}, err
	}
	conf, _ := esp.ParseLoaderConf(text)
	isDefault := func(e esp.Entry) bool {
		return esp.MatchID(conf.Default, e.ID) || esp.MatchID(conf.Default, e.LoaderID)
	}
	if slices.ContainsFunc(installers, isDefault) && !slices.ContainsFunc(others, isDefault) {
		conf.Default = ""
		if len(others) > 0 {
			esp.Sort(others)
			conf.Default = others[0].ID
		}
	}
	text, err = esp.FormatLoaderConf(conf)
	return fat32.Bytes(esp.LoaderConfPath, text), err
}

// goldenFiles are the paths, in lower case, of the snapshots that come along.
func (s Stick) goldenFiles() map[string]bool {
	keep := map[string]bool{}
	if s.Key == nil {
		return keep
	}
	snapshots, _ := golden.List(s.ESP)
	for _, snapshot := range snapshots {
		if snapshot.State != golden.Stable || snapshot.CheckSignature(s.Key) != nil {
			continue
		}
		for _, name := range []string{snapshot.Name(), snapshot.Kernel.FileName(), snapshot.Initrd.FileName()} {
			keep[strings.ToLower(path.Join(golden.Dir, name))] = true
		}
	}
	return keep
}

// slots are the kernel slots of the stick, compared with their digests.
func (s Stick) slots() (*Slots, error) {
	if s.Kernels == nil {
		return nil, nil
	}
	table, err := slots.Read(s.Kernels)
	if errors.Is(err, slots.ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read its kernel slots: %w", err)
	}
	from := &Slots{Table: table, Open: func(image slots.Image) io.Reader {
		return io.NewSectionReader(s.Kernels, image.OffsetBytes, image.LengthBytes)
	}}
	for _, slot := range table.Slots {
		for _, image := range []slots.Image{slot.Kernel, slot.Initrd} {
			if image.LengthBytes == 0 {
				continue
			}
			sum, err := sum(from.Open(image))
			if err == nil && sum != image.SHA256 {
				err = errDiffers
			}
			if err != nil {
				return nil, fmt.Errorf("kernel slot %d: %w", slot.Index, err)
			}
		}
	}
	return from, nil
}

// The first and the last second that FAT can store.
var (
	firstTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	lastTime  = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
)

// Storable returns the nearest time that FAT can store: a clock may never have been set.
func Storable(t time.Time) time.Time {
	switch year := t.Year(); {
	case year < firstTime.Year():
		return firstTime
	case year > lastTime.Year():
		return lastTime
	}
	return t
}

// Guests are the file systems of the stick's guests. That of QEMU is compared with its
// digest.
func (s Stick) Guests() ([]Area, error) {
	if s.Disk == nil {
		return nil, nil
	}
	areas, err := Areas(s.Disk, s.Table)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStick, err)
	}
	return areas, nil
}
