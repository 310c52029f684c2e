// Package treecache keeps folders of files that are dear to make: downloads,
// unpacked. An entry is a folder with the files and a manifest of their digests,
// made under another name and renamed, so that it is complete or absent. One that
// was damaged since is noticed whenever it is used, and made again.
package treecache

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
)

// manifestFile is written last; it has the SHA-256 of all the others.
const manifestFile = "manifest.json"

// maxManifestBytes bounds the manifest; 60 modules take 7 KiB.
const maxManifestBytes = 4 << 20

// Manifest describes an entry.
type Manifest struct {
	Release string            `json:"release"`           // of what it holds
	Source  string            `json:"source"`            // where it comes from, for people
	Origins map[string]string `json:"origins,omitempty"` // the packages that it was made of, and their digests
	SHA256  map[string]string `json:"sha256"`            // slash path -> digest, lower-case hexadecimal
}

// Dir is the folder of the user's for all caches, if dir names no other.
func Dir(dir string) (string, error) {
	if dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w; set XDG_CACHE_HOME, or HOME", err)
	}
	return filepath.Join(dir, "rayimg"), nil
}

// Kind is one kind of entries: those in a folder of the cache.
type Kind struct {
	Name    string            // for people, such as kernel
	Dir     string            // where the entries lie
	Warn    func(text string) // is told what the user should know although the work goes on; may be nil
	Missing string            // a file that an entry is useless without
}

// Get returns the folder of the entry and its manifest. fill makes it first where
// there is none or where it is damaged: it gets an empty folder, and returns
// what the manifest is to say besides the digests.
func (k Kind) Get(key string, fill func(dir string) (Manifest, error)) (string, Manifest, error) {
	entry := filepath.Join(k.Dir, key)
	m, err := k.open(entry)
	switch {
	case err == nil:
		return entry, m, nil
	case errors.Is(err, errDamaged):
		if k.Warn != nil {
			k.Warn(fmt.Sprintf("%v; it is made again", err))
		}
		if err := os.RemoveAll(entry); err != nil {
			return "", m, fmt.Errorf("remove damaged %s cache entry: %w", k.Name, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return "", m, fmt.Errorf("open %s cache: %w; use another place by XDG_CACHE_HOME", k.Name, err)
	}
	if err := k.create(entry, fill); err != nil {
		return "", m, err
	}
	m, err = k.open(entry)
	return entry, m, err
}

// create makes the entry. Another process that makes the same one at the same
// time is no trouble: the first rename wins and both are alike.
func (k Kind) create(entry string, fill func(string) (Manifest, error)) error {
	if err := os.MkdirAll(k.Dir, 0o755); err != nil {
		return fmt.Errorf("make %s cache: %w; use another place by XDG_CACHE_HOME", k.Name, err)
	}
	tmp, err := os.MkdirTemp(k.Dir, "new-")
	if err != nil {
		return fmt.Errorf("make %s cache entry: %w; use another place by XDG_CACHE_HOME", k.Name, err)
	}
	defer os.RemoveAll(tmp)
	m, err := fill(tmp)
	if err != nil {
		return err
	}
	if err := writeManifest(tmp, m); err != nil {
		return fmt.Errorf("write %s cache entry: %w", k.Name, err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("write %s cache entry: %w", k.Name, err)
	}
	if err := os.Rename(tmp, entry); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write %s cache entry: %w", k.Name, err)
	}
	return nil
}

func writeManifest(dir string, m Manifest) (err error) {
	if m.SHA256, err = digests(dir); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, manifestFile), bytes.NewReader(append(text, '\n')), 0o644)
}

// errDamaged is reported for a cache entry that is there and not as it was made.
var errDamaged = errors.New("damaged")

// open checks an entry, every byte of it. The error is fs.ErrNotExist where there
// is no entry, and errDamaged where it is unusable.
func (k Kind) open(entry string) (m Manifest, err error) {
	if _, err := os.Stat(entry); err != nil {
		return m, err
	}
	damaged := func(why any) (Manifest, error) {
		return m, fmt.Errorf("%s cache entry %s is %w: %v", k.Name, entry, errDamaged, why)
	}
	text, err := readManifest(filepath.Join(entry, manifestFile))
	if err != nil {
		return damaged(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return damaged(err)
	}
	found, err := digests(entry)
	if err != nil {
		return damaged(err)
	}
	for name, want := range m.SHA256 {
		if found[name] != want {
			return damaged(name + " is missing or changed")
		}
	}
	if len(found) != len(m.SHA256) || m.SHA256[k.Missing] == "" {
		return damaged("its files are not those of its manifest")
	}
	return m, nil
}

func readManifest(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifestBytes+1))
	if err == nil && len(text) > maxManifestBytes {
		err = fmt.Errorf("the manifest has more than %d bytes", maxManifestBytes)
	}
	return text, err
}

// digests hashes all files below dir but the manifest.
func digests(dir string) (map[string]string, error) {
	all := map[string]string{}
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
		all[filepath.ToSlash(rel)], err = Digest(file)
		return err
	})
	return all, err
}

// Digest is the SHA-256 of a file, in lower-case hexadecimal.
func Digest(file string) (string, error) {
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

// WriteFile creates a file and its directories. The file must not exist.
func WriteFile(name string, r io.Reader, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}
