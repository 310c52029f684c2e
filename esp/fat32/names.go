package fat32

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxNameUnits is the longest name in UTF-16 code units (FAT §7).
const maxNameUnits = 255

// ErrName says that a name cannot be stored, or is there already.
var ErrName = errors.New("unusable file name")

// shortName is an 8.3 name as stored: eight bytes, then three, space-padded.
type shortName [11]byte

func (n shortName) String() string {
	base := strings.TrimRight(string(n[:8]), " ")
	if ext := strings.TrimRight(string(n[8:]), " "); ext != "" {
		return base + "." + ext
	}
	return base
}

// checksum ties the long entries to their short one (FAT §7.2).
func (n shortName) checksum() (sum byte) {
	for _, c := range n {
		sum = sum>>1 | sum<<7
		sum += c
	}
	return sum
}

// checkName says whether a long name can be stored (FAT §7).
func checkName(name string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune(`"*/:<>?\|`, r) }
	switch {
	case name == "" || name == "." || name == "..":
		return fmt.Errorf("%w: %q is not the name of a file", ErrName, name)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %q is not UTF-8", ErrName, name)
	case strings.ContainsFunc(name, bad):
		return fmt.Errorf(`%w: %q has one of " * / : < > ? \ | or a control character`, ErrName, name)
	case strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || strings.HasPrefix(name, " "):
		return fmt.Errorf("%w: %q ends with a dot or a space, or starts with a space", ErrName, name)
	case len(utf16.Encode([]rune(name))) > maxNameUnits:
		return fmt.Errorf("%w: %q is longer than %d UTF-16 units", ErrName, name, maxNameUnits)
	}
	return nil
}

// fold gives the form in which names of a directory are compared: FAT does not
// tell upper from lower case.
func fold(name string) string { return strings.ToUpper(name) }

// shortNames gives out the 8.3 names of one directory, each one once.
type shortNames struct {
	taken map[string]bool // folded long names and given 8.3 names
	tails map[string]int  // last number tried behind a basis
}

// newShortNames prepares for a directory with these long names, none of which
// may become the 8.3 name of another file.
func newShortNames(long []string) *shortNames {
	s := &shortNames{taken: map[string]bool{}, tails: map[string]int{}}
	for _, name := range long {
		s.taken[fold(name)] = true
	}
	return s
}

// assign returns the 8.3 name for a long name, and whether the long name must
// be stored as well. A name that is an 8.3 name but for its case keeps it; any
// other gets a numeric tail (FAT §7.4), because without one two long names could
// become the same file.
func (s *shortNames) assign(long string) (short shortName, needsLong bool) {
	base, ext := basis(long)
	if short = pack(base, ext); short.String() == fold(long) {
		return short, short.String() != long
	}
	for key := base + "." + ext; ; {
		s.tails[key]++
		tail := fmt.Sprintf("~%d", s.tails[key])
		short = pack(base[:min(len(base), 8-len(tail))]+tail, ext)
		if name := short.String(); !s.taken[name] {
			s.taken[name] = true
			return short, true
		}
	}
}

// basis forms the basis name of FAT §7.4: upper case, no spaces, no leading
// dots, foreign characters as '_', cut to 8 and 3 characters.
func basis(long string) (base, ext string) {
	base = strings.TrimLeft(long, ".")
	if dot := strings.LastIndexByte(base, '.'); dot >= 0 {
		base, ext = base[:dot], base[dot+1:]
	}
	base, ext = oem(base), oem(ext)
	if base == "" {
		base = "_"
	}
	return base[:min(len(base), 8)], ext[:min(len(ext), 3)]
}

// oem keeps what an 8.3 name may contain.
func oem(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '.':
			return -1
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || strings.ContainsRune("!#$%&'()-@^_`{}~", r):
			return r
		}
		return '_'
	}, s)
}

func pack(base, ext string) shortName {
	var n shortName
	copy(n[:], "           ")
	copy(n[:8], base)
	copy(n[8:], ext)
	return n
}
