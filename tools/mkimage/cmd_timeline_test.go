package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rayos/rayboot/raylog"
)

var errMedium = errors.New("the medium is broken")

// brokenFile cannot be read at one byte.
type brokenFile struct {
	*os.File
	at int64
}

func (b brokenFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset <= b.at && b.at < offset+int64(len(p)) {
		return 0, errMedium
	}
	return b.File.ReadAt(p, offset)
}

// TestTimelineOfABrokenDisk draws what can be read, and says that it is not all.
func TestTimelineOfABrokenDisk(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const size = 16 * raylog.RecordBytes
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	options := raylog.Options{ID: raylog.LogID{1}}
	whole, err := raylog.Open(file, size, options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := whole.Append(raylog.Entry{Level: raylog.Warn, Source: "bootmgr", Boot: raylog.BootID{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := raylog.Open(brokenFile{file, 2 * raylog.RecordBytes}, size, options)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	f := timelineFlags{boots: 9}
	if err := f.draw(&out, "x.img", ring); !errors.Is(err, errMedium) || !strings.Contains(out.String(), "x.img: the 3 boots") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
