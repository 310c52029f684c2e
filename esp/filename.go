package esp

import (
	"fmt"
	"strconv"
	"strings"
)

// The suffixes of entry files, compared without regard to case.
const (
	suffixType1 = ".conf"
	suffixType2 = ".efi"
)

// FileName is the file name of an entry, taken apart (UAPI BLS §Boot counting):
// base, an optional counter "+LEFT" or "+LEFT-DONE", suffix.
type FileName struct {
	Base   string // without counter and suffix, as spelled
	Suffix string // .conf or .efi, as spelled

	Counted   bool // the name has a counter
	TriesLeft int
	TriesDone int // 0 if the name does not say

	leftDigits, doneDigits int // digits as spelled, to be kept
}

// maxTries bounds a counter, as in systemd, which reads it as an int.
const maxTries = 1<<31 - 1

// maxDigits bounds the digits of a counter, so that writing it back cannot make
// an endless name.
const maxDigits = 10

// ParseFileName takes the file name of an entry apart. It fails if the suffix is
// neither .conf nor .efi or nothing stands before it. A "+" that starts no
// well-formed counter right before the suffix belongs to the base.
func ParseFileName(name string) (FileName, error) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || !strings.EqualFold(name[dot:], suffixType1) && !strings.EqualFold(name[dot:], suffixType2) {
		return FileName{}, fmt.Errorf("file name %s ends neither with %s nor with %s", quoted(name), suffixType1, suffixType2)
	}
	f := FileName{Base: name[:dot], Suffix: name[dot:]}
	if plus := strings.LastIndexByte(f.Base, '+'); plus >= 0 && f.parseCounter(f.Base[plus+1:]) {
		f.Base = f.Base[:plus]
	}
	if f.Base == "" {
		return FileName{}, fmt.Errorf("file name %s has nothing before its suffix", quoted(name))
	}
	return f, nil
}

// parseCounter reads LEFT or LEFT-DONE. If s is neither, f stays as it is.
func (f *FileName) parseCounter(s string) bool {
	leftText, doneText, hasDone := strings.Cut(s, "-")
	left, ok := parseTries(leftText)
	if !ok {
		return false
	}
	done := 0
	if hasDone {
		if done, ok = parseTries(doneText); !ok {
			return false
		}
	}
	f.Counted, f.TriesLeft, f.TriesDone = true, left, done
	f.leftDigits, f.doneDigits = len(leftText), len(doneText)
	return true
}

func parseTries(s string) (int, bool) {
	if s == "" || len(s) > maxDigits {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return int(n), err == nil && n <= maxTries
}

// String returns the file name. For a parsed name it is the name that was parsed.
func (f FileName) String() string {
	if !f.Counted {
		return f.Base + f.Suffix
	}
	name := fmt.Sprintf("%s+%0*d", f.Base, f.leftDigits, f.TriesLeft)
	if f.TriesDone > 0 || f.doneDigits > 0 {
		name += fmt.Sprintf("-%0*d", f.doneDigits, f.TriesDone)
	}
	return name + f.Suffix
}

// LoaderID returns the entry ID of the Boot Loader Interface's variables
// (LoaderEntries, LoaderEntryOneShot ...) and of bootctl: base and suffix, in
// lower case.
func (f FileName) LoaderID() string { return strings.ToLower(f.Base + f.Suffix) }

// Bad reports whether the entry has used up its tries without success.
func (f FileName) Bad() bool { return f.Counted && f.TriesLeft == 0 }

// NextTry returns the name that the file gets before the entry is started: one
// try less left, one more done, with as many digits as before. ok is false if the
// entry is not counted or has no try left.
func (f FileName) NextTry() (next FileName, ok bool) {
	if !f.Counted || f.TriesLeft == 0 {
		return f, false
	}
	f.TriesLeft--
	f.TriesDone = min(f.TriesDone+1, maxTries)
	return f, true
}

// Blessed returns the name that the file gets once a boot of the entry was good:
// without a counter.
func (f FileName) Blessed() FileName { return FileName{Base: f.Base, Suffix: f.Suffix} }
