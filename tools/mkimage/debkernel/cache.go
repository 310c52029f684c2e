package debkernel

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/rayos/rayboot/tools/mkimage/kmod"
)

// A cache entry is a directory
//
//	CACHE/kernel/KEY/vmlinuz
//	CACHE/kernel/KEY/modules/...      module files and modules.builtin
//	CACHE/kernel/KEY/manifest.json    written last; SHA-256 of all the others
//
// made under another name and renamed, so that it is complete or absent.
const (
	imageFile    = "vmlinuz"
	modulesDir   = "modules"
	builtinFile  = "modules.builtin"
	manifestFile = "manifest.json"
)

// maxManifestBytes bounds the manifest; 60 modules take 7 KiB.
const maxManifestBytes = 4 << 20

// manifest describes a cache entry.
type manifest struct {
	Release string            `json:"release"`
	Source  string            `json:"source"`
	SHA256  map[string]string `json:"sha256"` // slash path -> digest, lower-case hexadecimal
}

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
	root, err := opts.cacheDir()
	if err != nil {
		return nil, err
	}
	root = filepath.Join(root, "kernel")
	entry := filepath.Join(root, cacheKey(debSHA256, opts.Modules))
	k, err := open(entry)
	switch {
	case err == nil:
		return k, nil
	case errors.Is(err, errDamaged):
		opts.warn("%v; it is made again", err)
		if err := os.RemoveAll(entry); err != nil {
			return nil, fmt.Errorf("remove damaged kernel cache entry: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open kernel cache: %w; use another place by XDG_CACHE_HOME", err)
	}
	if err := create(root, entry, source, fill); err != nil {
		return nil, err
	}
	return open(entry)
}

// create makes the entry. Another process that makes the same one at the same
// time is no trouble: the first rename wins and both are alike.
func create(root, entry, source string, fill func(string) (string, error)) error {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("make kernel cache: %w; use another place by XDG_CACHE_HOME", err)
	}
	tmp, err := os.MkdirTemp(root, "new-")
	if err != nil {
		return fmt.Errorf("make kernel cache entry: %w; use another place by XDG_CACHE_HOME", err)
	}
	defer os.RemoveAll(tmp)
	release, err := fill(tmp)
	if err != nil {
		return err
	}
	if err := writeManifest(tmp, release, source); err != nil {
		return fmt.Errorf("write kernel cache entry: %w", err)
	}
	if err := os.Rename(tmp, entry); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write kernel cache entry: %w", err)
	}
	return nil
}

func writeManifest(dir, release, source string) error {
	digests, err := treeDigests(dir)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(manifest{Release: release, Source: source, SHA256: digests}, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestFile), bytes.NewReader(append(text, '\n')))
}

// errDamaged is reported for a cache entry that is there and not as it was made.
var errDamaged = errors.New("damaged")

// open checks an entry, every byte of it, and returns its kernel. The error is
// fs.ErrNotExist where there is no entry, and errDamaged where it is unusable.
func open(entry string) (*Kernel, error) {
	if _, err := os.Stat(entry); err != nil {
		return nil, err
	}
	damaged := func(why any) error { return fmt.Errorf("kernel cache entry %s is %w: %v", entry, errDamaged, why) }
	text, err := kmod.ReadFile(os.DirFS(entry), manifestFile, maxManifestBytes)
	if err != nil {
		return nil, damaged(err)
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, damaged(err)
	}
	digests, err := treeDigests(entry)
	if err != nil {
		return nil, damaged(err)
	}
	for name, want := range m.SHA256 {
		if digests[name] != want {
			return nil, damaged(name + " is missing or changed")
		}
	}
	if len(digests) != len(m.SHA256) || m.SHA256[imageFile] == "" {
		return nil, damaged("its files are not those of its manifest")
	}
	return &Kernel{
		Release: m.Release, Source: m.Source,
		ImagePath: filepath.Join(entry, imageFile), ModulesDir: filepath.Join(entry, modulesDir),
	}, nil
}

// treeDigests hashes all files below dir but the manifest.
func treeDigests(dir string) (map[string]string, error) {
	digests := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if rel == manifestFile {
			return nil
		}
		digests[filepath.ToSlash(rel)], err = fileDigest(file)
		return err
	})
	return digests, err
}

func fileDigest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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
