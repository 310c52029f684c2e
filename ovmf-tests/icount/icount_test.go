package icount

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// file is what the plugin writes.
func file(size int, numbers ...uint64) []byte {
	data := make([]byte, 0, size)
	for _, n := range numbers {
		data = binary.NativeEndian.AppendUint64(data, n)
	}
	return data[:size]
}

func TestMarks(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want []uint64 // nil: an error
	}{
		{"none yet", file(64, 7, 0), []uint64{}},
		{"two", file(64, 900, 2, 100, 250), []uint64{100, 250}},
		{"all that there is room for", file(32, 900, 2, 100, 250), []uint64{100, 250}},
		{"more", file(32, 900, 3, 100, 250), nil},
		{"far more", file(32, 900, 1<<63, 100, 250), nil},
		{"no file yet", nil, nil},
		{"half a header", file(8, 1), nil},
	} {
		got, err := marks(c.data)
		if (err != nil) != (c.want == nil) || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

func TestNow(t *testing.T) {
	c := Counter{file: filepath.Join(t.TempDir(), "count")}
	if _, err := c.Now(); err == nil {
		t.Error("there is a count without a file")
	}
	for _, data := range [][]byte{nil, file(8, 1)} {
		if err := os.WriteFile(c.file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Now(); err == nil {
			t.Errorf("a file of %d bytes has the count %d", len(data), n)
		}
	}
	if err := os.WriteFile(c.file, file(64, 1234, 1, 99), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Now(); n != 1234 || err != nil {
		t.Errorf("the count is %d, %v", n, err)
	}
}

func FuzzMarks(f *testing.F) {
	f.Add(file(64, 900, 2, 100, 250))
	f.Add(file(16, 900, 1<<63))
	f.Fuzz(func(t *testing.T, data []byte) {
		if all, err := marks(data); err == nil && len(all)*numberSize > len(data) {
			t.Errorf("%d marks in %d bytes", len(all), len(data))
		}
	})
}
