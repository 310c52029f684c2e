package pecoff

import (
	"bytes"
	"errors"
	"fmt"
)

// maxSBAT is the most that an .sbat section may hold, in bytes.
const maxSBAT = 16 << 10

// DefaultSBAT returns the content of the .sbat section that names the program
// as RayOS's generation 1: shim starts an image under Secure Boot only if it
// has such a section and none of its generations is revoked (shim, SBAT.md).
// The version is free text without commas.
func DefaultSBAT(version string) []byte {
	return fmt.Appendf(nil, "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"+
		"rayboot,1,RayOS,rayboot,%s,https://github.com/rayos/rayboot\n", version)
}

// checkSBAT refuses what shim would not read as SBAT metadata: lines of six
// comma-separated fields, the first line that of the format itself.
func checkSBAT(b []byte) error {
	if len(b) > maxSBAT {
		return fmt.Errorf("check SBAT: %d bytes, at most %d are supported", len(b), maxSBAT)
	}
	if !bytes.HasPrefix(b, []byte("sbat,1,")) {
		return errors.New(`check SBAT: does not begin with "sbat,1,"`)
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		if n := bytes.Count(line, []byte(",")); n != 5 {
			return fmt.Errorf("check SBAT: line %d has %d fields, want 6", i+1, n+1)
		}
	}
	return nil
}
