package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/rayos/rayboot/efi/pecoff"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
)

// windowsID is the entry ID of Windows Boot Manager, which no entry file names.
const windowsID = "auto-windows"

// maxManifestBytes is as much as is read of a list of digests.
const maxManifestBytes = 64 << 10

// tree checks the files of the ESP.
func (v *verifier) tree(volume *fat32.FS) error {
	v.efiFile("esp-boot-manager", volume, esp.RemovablePathX64)
	if err := v.manifest(volume); err != nil {
		return err
	}
	v.installID(volume)
	conf, problems := esp.ReadLoaderConf(volume)
	entries, more := esp.Discover(volume, esp.X64)
	for _, p := range append(problems, more...) {
		v.report("esp-entry", "%v", p)
	}
	for _, e := range entries {
		v.entry(volume, e)
		if err := v.pins(volume, e); err != nil {
			return err
		}
	}
	if _, err := fs.Stat(volume, esp.WindowsPath); err == nil {
		v.ids[windowsID] = true
	}
	if conf.Default != "" && !v.hasDefault(conf.Default, entries) {
		v.report("esp-default", "%s names the default entry %q, which there is not", esp.LoaderConfPath, conf.Default)
	}
	return nil
}

func (v *verifier) hasDefault(pattern string, entries []esp.Entry) bool {
	for _, e := range entries {
		if esp.MatchID(pattern, e.ID) || esp.MatchID(pattern, e.LoaderID) {
			return true
		}
	}
	for id := range v.ids {
		if esp.MatchID(pattern, id) {
			return true
		}
	}
	return false
}

// entry checks that the files which a boot entry names are there.
func (v *verifier) entry(volume *fat32.FS, e esp.Entry) {
	if v.ids[e.ID] {
		v.report("esp-entry", "%s: a kernel slot has the ID %s as well", e.Path, e.ID)
	}
	v.ids[e.ID] = true
	if name := e.Image(); name != "" {
		v.efiFile("esp-entry", volume, name)
	}
	for _, name := range append(e.Initrd, e.DeviceTree) {
		if name == "" {
			continue
		}
		if _, err := fs.Stat(volume, name); err != nil {
			v.report("esp-entry", "%s: %v", e.Path, err)
		}
	}
}

// efiFile checks that a file of the ESP is an EFI image for this machine.
func (v *verifier) efiFile(code string, volume *fat32.FS, name string) {
	f, err := volume.Open(name)
	if err != nil {
		v.report(code, "%v", err)
		return
	}
	defer f.Close()
	r, ok := f.(io.ReaderAt)
	if !ok {
		v.report(code, "%s is a directory", name)
		return
	}
	st, err := f.Stat()
	if err != nil {
		v.report(code, "%v", err)
		return
	}
	v.efiImage(code, name, io.NewSectionReader(r, 0, st.Size()))
}

func (v *verifier) efiImage(code, what string, r *io.SectionReader) {
	if err := pecoff.CheckApplication(r); err != nil {
		v.report(code, "%s: %v", what, err)
	}
}

// installID checks the install ID where there is one.
func (v *verifier) installID(volume *fat32.FS) {
	b, err := readSmall(volume, esp.InstallIDPath, 1<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		_, err = esp.ParseInstallID(b)
	}
	if err != nil {
		v.report("esp-install-id", "%s: %v", esp.InstallIDPath, err)
	}
}

// manifest compares the files of RayOS with their digests.
func (v *verifier) manifest(volume *fat32.FS) error {
	b, err := readSmall(volume, esp.ManifestPath, maxManifestBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := fs.Stat(volume, esp.ManagerPath); err == nil {
			v.report("esp-manifest", "%v; the digests of RayOS's files are not known", err)
		}
		return nil
	case err != nil:
		v.report("esp-manifest", "%v", err)
		return nil
	}
	for lines := bufio.NewScanner(strings.NewReader(string(b))); lines.Scan(); {
		text, name, ok := strings.Cut(lines.Text(), "  ")
		want, err := golden.ParseDigest(text)
		if !ok || err != nil {
			v.report("esp-manifest", "%s has the line %q", esp.ManifestPath, lines.Text())
			continue
		}
		if err := v.manifestFile(volume, name, want); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) manifestFile(volume *fat32.FS, name string, want golden.Digest) error {
	sum, err := v.fileDigest(volume, name)
	switch {
	case v.ctx.Err() != nil:
		return err
	case err != nil:
		v.report("esp-digest", "%v", err)
	case sum != want:
		v.report("esp-digest", "%s has SHA-256 %x, %s says %x", name, sum, esp.ManifestPath, want)
	}
	return nil
}

// readSmall reads a file of at most limit bytes.
func readSmall(volume fs.FS, name string, limit int64) ([]byte, error) {
	f, err := volume.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return b, err
}
