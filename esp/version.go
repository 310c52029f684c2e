package esp

import "cmp"

// CompareVersions orders version strings by UAPI.10 Version Format Specification
// §Version comparison. It returns a negative number if a is older than b, a
// positive one if a is newer, 0 if neither. It is defined for any strings.
func CompareVersions(a, b string) int {
	for {
		a, b = skipSeparators(a), skipSeparators(b)
		if order, decided := comparePrefix(&a, &b, '~'); decided {
			return order
		}
		if a == "" || b == "" {
			return cmp.Compare(len(a), len(b))
		}
		for _, mark := range []byte("-^.") {
			if order, decided := comparePrefix(&a, &b, mark); decided {
				return order
			}
		}
		if order := compareSegment(&a, &b); order != 0 {
			return order
		}
	}
}

// comparePrefix takes mark from the front of both strings. If only one has it,
// that one is older, and the comparison is decided.
func comparePrefix(a, b *string, mark byte) (order int, decided bool) {
	aHas, bHas := hasPrefix(*a, mark), hasPrefix(*b, mark)
	switch {
	case aHas && !bHas:
		return -1, true
	case bHas && !aHas:
		return 1, true
	case aHas:
		*a, *b = (*a)[1:], (*b)[1:]
	}
	return 0, false
}

func hasPrefix(s string, c byte) bool { return s != "" && s[0] == c }

// compareSegment compares and takes the digits, or else the letters, that both
// strings start with. Digits are newer than no digits.
func compareSegment(a, b *string) int {
	if startsWith(*a, isDigit) || startsWith(*b, isDigit) {
		x, y := take(a, isDigit), take(b, isDigit)
		if order := cmp.Compare(min(len(x), 1), min(len(y), 1)); order != 0 {
			return order
		}
		x, y = trimZeros(x), trimZeros(y)
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
	}
	return cmp.Compare(take(a, isLetter), take(b, isLetter))
}

func startsWith(s string, class func(byte) bool) bool { return s != "" && class(s[0]) }

// take removes the leading characters of class from s and returns them.
func take(s *string, class func(byte) bool) string {
	n := 0
	for n < len(*s) && class((*s)[n]) {
		n++
	}
	taken := (*s)[:n]
	*s = (*s)[n:]
	return taken
}

func trimZeros(s string) string {
	for hasPrefix(s, '0') {
		s = s[1:]
	}
	return s
}

// skipSeparators drops the leading characters that have no meaning in a version.
func skipSeparators(s string) string {
	for s != "" && !isDigit(s[0]) && !isLetter(s[0]) && s[0] != '~' && s[0] != '-' && s[0] != '^' && s[0] != '.' {
		s = s[1:]
	}
	return s
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
