package esp

import "fmt"

// Problem is something on the ESP that could not be used as it stands. Its text
// says what happens instead. It is an error, for errors.Is.
type Problem struct {
	Path string // the file, as the ESP spells it
	Err  error
}

// Error returns the problem as one printable line.
func (p Problem) Error() string { return printable(p.Path) + ": " + printable(p.Err.Error()) }

// Unwrap returns p.Err.
func (p Problem) Unwrap() error { return p.Err }

// skipped is the problem of a file that gives no entry.
func skipped(path string, err error) Problem {
	return Problem{Path: path, Err: fmt.Errorf("%w; the entry is skipped", err)}
}

func errTooLarge(size int64, limit int) error {
	return fmt.Errorf("has %d bytes, at most %d are read", size, limit)
}
