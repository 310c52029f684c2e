package deb

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The common ar(5) format, of which deb(5) uses the simplest part: short
// names, no symbol table.
const (
	arMagic       = "!<arch>\n"
	arHeaderBytes = 60
	arEndMark     = "`\n"
	maxArMembers  = 64
)

// ErrFormat is matched by the errors about what is no package that deb(5) allows.
var ErrFormat = errors.New("not a Debian package")

// arMember is one file of an archive.
type arMember struct {
	name string
	data *io.SectionReader
}

// arMembers lists the members of an archive of sizeBytes. It reads headers
// only; every member lies inside the archive.
func arMembers(r io.ReaderAt, sizeBytes int64) ([]arMember, error) {
	magic := make([]byte, len(arMagic))
	if _, err := r.ReadAt(magic, 0); err != nil || string(magic) != arMagic {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrFormat, arMagic)
	}
	var members []arMember
	header := make([]byte, arHeaderBytes)
	for off := int64(len(arMagic)); off < sizeBytes; {
		if len(members) == maxArMembers {
			return nil, fmt.Errorf("%w: more than %d members", ErrFormat, maxArMembers)
		}
		if _, err := r.ReadAt(header, off); err != nil {
			return nil, fmt.Errorf("%w: header at byte %d: %w", ErrFormat, off, noEOF(err))
		}
		name, length, err := parseArHeader(string(header))
		if err != nil {
			return nil, fmt.Errorf("%w: header at byte %d: %w", ErrFormat, off, err)
		}
		off += arHeaderBytes
		if length > sizeBytes-off {
			return nil, fmt.Errorf("%w: member %q of %d bytes is cut off", ErrFormat, name, length)
		}
		members = append(members, arMember{name, io.NewSectionReader(r, off, length)})
		off += length + length&1 // members begin at even offsets
	}
	return members, nil
}

// parseArHeader reads the name and the size; times, owners and mode do not
// matter here.
func parseArHeader(h string) (name string, length int64, err error) {
	if h[58:] != arEndMark {
		return "", 0, errors.New("no end mark")
	}
	name = strings.TrimSuffix(strings.TrimRight(h[:16], " "), "/")
	if name == "" {
		return "", 0, errors.New("no name")
	}
	length, err = strconv.ParseInt(strings.TrimRight(h[48:58], " "), 10, 64)
	if err != nil || length < 0 {
		return "", 0, fmt.Errorf("size %q", h[48:58])
	}
	return name, length, nil
}

// noEOF turns the end of the file into the error that it is here.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
