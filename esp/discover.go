package esp

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// MaxEntryFiles is how many files of each entry directory are read, first by
// name. A problem tells of the others.
const MaxEntryFiles = 256

// Reasons for which a file of the ESP gives no entry.
var (
	ErrDuplicate    = errors.New("the entry ID is taken")
	ErrArchitecture = errors.New("is for another architecture")
	ErrTooMany      = errors.New("too many entry files")
)

// Discover reads all entries of an ESP, in the order of [Sort]: the Type #1
// entries in [EntriesDir] and the Type #2 entries in [UKIDir], both found without
// regard to case. Files whose name begins with "." or "auto-" or has another
// suffix are passed over, as the specification wants it. Every other file is an
// entry or a problem: damaged, for an architecture other than arch, or with the
// entry ID of another file.
//
// Of the files with one entry ID, such as foo.conf beside foo+3.conf, the one
// without a counter is taken, which was blessed; then the one with most tries
// left.
//
// Whether the images exist that an entry names is not checked. Files of Type #2
// must implement [io.ReaderAt] or [io.Seeker].
func Discover(fsys fs.FS, arch Architecture) ([]Entry, []Problem) {
	d := discovery{fsys: fsys, arch: arch}
	d.scan(EntriesDir, suffixType1, d.loadType1)
	d.scan(UKIDir, suffixType2, d.loadType2)
	d.dropDuplicates()
	Sort(d.entries)
	d.makeIDsUnique()
	return d.entries, d.problems
}

// ReadLoaderConf reads loader.conf from the root of an ESP; see
// [ParseLoaderConf]. If there is none, it says nothing, which is no problem.
func ReadLoaderConf(fsys fs.FS) (LoaderConf, []Problem) {
	var data []byte
	file, err := Resolve(fsys, LoaderConfPath)
	if err == nil {
		data, err = readFile(fsys, file)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return LoaderConf{}, nil
	case err != nil:
		return LoaderConf{}, []Problem{{LoaderConfPath, fmt.Errorf("%w; it is ignored", err)}}
	}
	return ParseLoaderConf(data)
}

// discovery is the work of one call of Discover.
type discovery struct {
	fsys     fs.FS
	arch     Architecture
	entries  []Entry
	problems []Problem
}

// scan loads the files with a suffix from a directory, which need not exist.
func (d *discovery) scan(dir, suffix string, load func(file string) (Entry, error)) {
	var files []fs.DirEntry
	found, err := Resolve(d.fsys, dir)
	if err == nil {
		files, err = fs.ReadDir(d.fsys, found)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			d.problems = append(d.problems, Problem{dir, fmt.Errorf("%w; its entries are missing", err)})
		}
		return
	}
	files = slices.DeleteFunc(files, func(f fs.DirEntry) bool { return f.IsDir() || !isEntryFile(f.Name(), suffix) })
	slices.SortFunc(files, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	if n := len(files) - MaxEntryFiles; n > 0 {
		d.problems = append(d.problems, Problem{found, fmt.Errorf("%w, at most %d are read; the last %d are skipped", ErrTooMany, MaxEntryFiles, n)})
		files = files[:MaxEntryFiles]
	}
	for _, f := range files {
		d.add(path.Join(found, f.Name()), load)
	}
}

// isEntryFile reports whether a file is meant as an entry (UAPI BLS §Type #1).
func isEntryFile(name, suffix string) bool {
	lower := strings.ToLower(name)
	return strings.HasSuffix(lower, suffix) && !strings.HasPrefix(lower, ".") && !strings.HasPrefix(lower, "auto-")
}

// add loads one entry file.
func (d *discovery) add(file string, load func(file string) (Entry, error)) {
	e, err := load(file)
	if err == nil && e.Architecture != "" && !strings.EqualFold(string(e.Architecture), string(d.arch)) {
		err = fmt.Errorf("%w: %s, this machine is %s", ErrArchitecture, e.Architecture, d.arch)
	}
	if err == nil && strings.ContainsFunc(e.File.Base, isUnprintable) {
		err = errors.New("its name has characters that cannot be shown")
	}
	if err != nil {
		d.problems = append(d.problems, skipped(file, err))
		return
	}
	d.entries = append(d.entries, e)
}

func (d *discovery) loadType1(file string) (Entry, error) {
	data, err := readFile(d.fsys, file)
	if err != nil {
		return Entry{}, err
	}
	e, err := ParseType1(path.Base(file), data)
	e.Path = file
	return e, err
}

func (d *discovery) loadType2(file string) (Entry, error) {
	f, err := d.fsys.Open(file)
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Entry{}, err
	}
	r, err := readerAt(f)
	if err != nil {
		return Entry{}, err
	}
	return ReadType2(file, r, info.Size())
}

// dropDuplicates keeps of several files with one entry ID the best.
func (d *discovery) dropDuplicates() {
	slices.SortFunc(d.entries, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.LoaderID, b.LoaderID), compareCounters(a.File, b.File), strings.Compare(a.Path, b.Path))
	})
	kept := d.entries[:0]
	for _, e := range d.entries {
		if n := len(kept); n > 0 && kept[n-1].LoaderID == e.LoaderID {
			d.problems = append(d.problems, skipped(e.Path, fmt.Errorf("%w by %s", ErrDuplicate, kept[n-1].Path)))
			continue
		}
		kept = append(kept, e)
	}
	d.entries = kept
}

// compareCounters orders file names of one entry: without a counter, then more
// tries left, then fewer done.
func compareCounters(a, b FileName) int {
	return cmp.Or(
		compareBools(a.Counted, b.Counted),
		cmp.Compare(b.TriesLeft, a.TriesLeft),
		cmp.Compare(a.TriesDone, b.TriesDone),
	)
}

// makeIDsUnique gives the second of foo.conf and foo.efi its full name as ID.
func (d *discovery) makeIDsUnique() {
	taken := make(map[string]string) // ID to path
	kept := d.entries[:0]
	for _, e := range d.entries {
		if taken[e.ID] != "" {
			e.ID = e.LoaderID
		}
		if other := taken[e.ID]; other != "" {
			d.problems = append(d.problems, skipped(e.Path, fmt.Errorf("%w by %s", ErrDuplicate, other)))
			continue
		}
		taken[e.ID] = e.Path
		kept = append(kept, e)
	}
	d.entries = kept
}
