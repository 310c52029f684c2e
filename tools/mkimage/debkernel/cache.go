package debkernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
	"github.com/rayos/rayboot/tools/mkimage/treecache"
)

// A cache entry is a directory
//
//	CACHE/kernel/KEY/vmlinuz
//	CACHE/kernel/KEY/modules/...      module files and modules.builtin
//
// which package treecache keeps.
const (
	imageFile   = "vmlinuz"
	modulesDir  = "modules"
	builtinFile = "modules.builtin"
)

// cacheKey names an entry by what decides its content: the package and the
// set of wanted modules.
func cacheKey(debSHA256 string, groups []kmod.Group) string {
	h := sha256.New()
	fmt.Fprintln(h, "rayimg kernel cache 1", debSHA256)
	for _, g := range groups {
		fmt.Fprintln(h, g.Name, g.Modules)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// cached returns the kernel from its cache entry, which fill makes first where
// there is none or where it is damaged. fill gets an empty directory and
// returns the kernel's release.
func cached(opts Options, source, debSHA256 string, fill func(entry string) (string, error)) (*Kernel, error) {
	root, err := treecache.Dir(opts.CacheDir)
	if err != nil {
		return nil, err
	}
	kind := treecache.Kind{Name: "kernel", Dir: filepath.Join(root, "kernel"), Warn: opts.Warn, Missing: imageFile}
	entry, m, err := kind.Get(cacheKey(debSHA256, opts.Modules), func(dir string) (treecache.Manifest, error) {
		release, err := fill(dir)
		return treecache.Manifest{Release: release, Source: source}, err
	})
	if err != nil {
		return nil, err
	}
	return &Kernel{
		Release: m.Release, Source: m.Source,
		ImagePath: filepath.Join(entry, imageFile), ModulesDir: filepath.Join(entry, modulesDir),
	}, nil
}

// removeOthers deletes the files below dir whose relative paths are not kept,
// and the directories which become empty by that.
func removeOthers(dir string, keep map[string]bool) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			dirs = append(dirs, file)
			return nil
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil || keep[rel] {
			return err
		}
		return os.Remove(file)
	})
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(dirs[1:]) { // children first; dir itself stays
		if err := os.Remove(d); err != nil && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return nil
}
