package esp

import (
	"errors"
	"path"
	"strings"
)

var errBadPattern = errors.New("has an unclosed [ or an empty range")

// MatchID reports whether a glob pattern for the default entry, as in loader.conf
// or in LoaderEntryDefault, matches an entry ID; without regard to case. The
// pattern knows *, ?, [abc], [a-z], [!a-z], and \ before a literal character. A
// malformed pattern matches nothing.
func MatchID(pattern, id string) bool {
	ok, err := path.Match(stdPattern(pattern), strings.ToLower(id))
	return ok && err == nil
}

func checkPattern(pattern string) error {
	if _, err := path.Match(stdPattern(pattern), ""); err != nil {
		return errBadPattern
	}
	return nil
}

// stdPattern turns pattern into one of package path, where ^ and not ! negates a
// set. No ID has a slash, the one character that package path treats differently.
func stdPattern(pattern string) string {
	p := []byte(strings.ToLower(pattern))
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\':
			i++
		case p[i] == '[' && i+1 < len(p) && p[i+1] == '!':
			p[i+1] = '^'
		}
	}
	return string(p)
}
