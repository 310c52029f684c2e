package esp

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// Reasons for which a Type #2 entry is refused.
var (
	ErrNotPE  = errors.New("is no EFI image")
	ErrNotUKI = errors.New("is no unified kernel image: it has no .osrel and .linux sections")
)

// ReadType2 reads what a unified kernel image of size bytes says about itself
// (UAPI.5; UAPI BLS §Type #2): the sections .osrel, .uname and .cmdline, each at
// most [MaxConfBytes], before the first .profile section. filePath is its path on
// the ESP. The image is not verified, and only its headers and these sections are
// read.
//
// Title, version and sort key come from the fields of os-release(5) in the order
// of bootctl: PRETTY_NAME, IMAGE_ID, NAME, ID; IMAGE_VERSION, VERSION,
// VERSION_ID, BUILD_ID; IMAGE_ID, ID.
func ReadType2(filePath string, r io.ReaderAt, size int64) (Entry, error) {
	name, err := ParseFileName(path.Base(filePath))
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Kind: Type2, Path: filePath, UKI: filePath}
	e.setFileName(name)
	image, err := readPE(r, size)
	if err != nil {
		return Entry{}, err
	}
	if !image.has(".osrel") || !image.has(".linux") {
		return Entry{}, ErrNotUKI
	}
	osrel, err := image.text(".osrel")
	if err != nil {
		return Entry{}, err
	}
	uname, err := image.text(".uname")
	if err != nil {
		return Entry{}, err
	}
	cmdline, err := image.text(".cmdline")
	if err != nil {
		return Entry{}, err
	}
	e.setOSRelease(parseOSRelease(osrel))
	e.Architecture = image.architecture
	e.KernelRelease = printable(strings.TrimSpace(uname))
	e.Options = strings.Join(strings.FieldsFunc(cmdline, isLineBreak), " ")
	if !utf8.ValidString(e.Options) || strings.ContainsFunc(e.Options, isUnprintable) {
		return Entry{}, fmt.Errorf("command line %s has characters that cannot be shown", quoted(e.Options))
	}
	return e, nil
}

func isLineBreak(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }

func (e *Entry) setOSRelease(values map[string]string) {
	e.Title = printable(firstOf(values, "PRETTY_NAME", "IMAGE_ID", "NAME", "ID"))
	e.Version = printable(firstOf(values, "IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"))
	e.SortKey = printable(firstOf(values, "IMAGE_ID", "ID"))
}
