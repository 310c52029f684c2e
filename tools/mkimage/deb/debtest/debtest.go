// Package debtest makes Debian packages for tests.
package debtest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ulikunitz/xz"
)

// Ar makes an archive of name, content pairs.
func Ar(members ...string) []byte {
	b := bytes.NewBufferString("!<arch>\n")
	for i := 0; i+1 < len(members); i += 2 {
		fmt.Fprintf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", members[i], 0, 0, 0, "100644", len(members[i+1]))
		b.WriteString(members[i+1])
		if len(members[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// Package packs files with data.tar.xz. The content of a symbolic link is "-> "
// and its target.
func Package(files map[string]string) ([]byte, error) {
	var packed bytes.Buffer
	x, err := xz.NewWriter(&packed)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(x)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			*header, content = tar.Header{Name: name, Mode: 0o777, Linkname: target, Typeflag: tar.TypeSymlink}, ""
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(w.Close(), x.Close()); err != nil {
		return nil, err
	}
	return Ar("debian-binary", "2.0\n", "control.tar.xz", "", "data.tar.xz", packed.String()), nil
}
