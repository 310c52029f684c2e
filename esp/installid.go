package esp

import (
	"errors"
	"strings"
)

// ErrInstallID is the error for a malformed install ID.
var ErrInstallID = errors.New("install ID is no GUID such as 0f9d2bd0-6c1f-4e2a-9b63-1f3c5a7e9d01")

// ParseInstallID reads the content of the file [InstallIDPath]: one GUID in text
// form and a line end. It names this installation, so that two disks are told
// apart whose partitions are clones. The result is in lower case.
func ParseInstallID(data []byte) (string, error) {
	id := strings.ToLower(strings.TrimRight(string(data[:min(len(data), 64)]), "\r\n"))
	if len(data) > 64 || !isGUID(id) {
		return "", ErrInstallID
	}
	return id, nil
}

// FormatInstallID writes the content of the file for an install ID.
func FormatInstallID(id string) ([]byte, error) {
	id = strings.ToLower(id)
	if !isGUID(id) {
		return nil, ErrInstallID
	}
	return []byte(id + "\n"), nil
}

// isGUID reports whether s is a GUID in lower case (RFC 9562 §4).
func isGUID(s string) bool {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(s) != len(form) {
		return false
	}
	for i, c := range []byte(s) {
		hex := isDigit(c) || 'a' <= c && c <= 'f'
		if form[i] == '-' && c != '-' || form[i] == 'x' && !hex {
			return false
		}
	}
	return true
}
