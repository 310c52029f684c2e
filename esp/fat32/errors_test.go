package fat32

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// recorder notes whether anything was written, and can fail.
type recorder struct {
	writes    int
	failAfter int
	highest   int64
}

var errDisk = errors.New("disk error")

func (r *recorder) WriteAt(p []byte, off int64) (int, error) {
	r.writes++
	if r.failAfter > 0 && r.writes > r.failAfter {
		return 0, errDisk
	}
	r.highest = max(r.highest, off+int64(len(p)))
	return len(p), nil
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zeroFile(path string, size int64) File {
	return File{Path: path, Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeroes{}, size)), nil
	}}
}

// TestRefusedBeforeWriting holds for everything that can be known in advance.
func TestRefusedBeforeWriting(t *testing.T) {
	good := testOptions(64<<20, 512)
	with := func(f func(*Options)) Options {
		opts := good
		f(&opts)
		return opts
	}
	deep := strings.Repeat("d/", 32) + "file"
	tests := []struct {
		name  string
		opts  Options
		files []File
		want  error
	}{
		{"too large", good, []File{zeroFile("big", 64<<20)}, ErrNoSpace},
		{"4 GiB file", with(func(o *Options) { o.SizeBytes = 8 << 30 }), []File{zeroFile("big", math.MaxUint32+1)}, nil},
		{"bad name", good, []File{Bytes("a:b", nil)}, ErrName},
		{"empty element", good, []File{Bytes("a//b", nil)}, ErrName},
		{"absolute path", good, []File{Bytes("/a", nil)}, ErrName},
		{"same name", good, []File{Bytes("dir/a", nil), Bytes("DIR/A", nil)}, ErrName},
		{"file and directory", good, []File{Bytes("a", nil), Bytes("A/b", nil)}, ErrName},
		{"directory and file", good, []File{Bytes("a/b", nil), Bytes("A", nil)}, ErrName},
		{"too deep", good, []File{Bytes(deep, nil)}, nil},
		{"too small for FAT32", with(func(o *Options) { o.SizeBytes = 32 << 20 }), nil, ErrGeometry},
		{"too small for 4096-byte sectors", with(func(o *Options) { o.SectorSize = 4096 }), nil, ErrGeometry},
		{"too large for FAT32", with(func(o *Options) { o.SizeBytes = 1 << 42 }), nil, ErrGeometry},
		{"sector size", with(func(o *Options) { o.SectorSize = 513 }), nil, ErrGeometry},
		{"label", with(func(o *Options) { o.Label = "lower" }), nil, nil},
		{"no label", with(func(o *Options) { o.Label = "" }), nil, nil},
		{"time", with(func(o *Options) { o.Modified = time.Date(1979, 12, 31, 0, 0, 0, 0, time.UTC) }), nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var w recorder
			_, err := Create(&w, test.opts, test.files)
			if err == nil || (test.want != nil && !errors.Is(err, test.want)) {
				t.Errorf("Create: %v, want %v", err, test.want)
			}
			if w.writes > 0 {
				t.Errorf("%d writes in front of the error", w.writes)
			}
		})
	}
}

// TestFullVolume fills a volume to the last cluster; one byte more is refused,
// and nothing is ever written behind the end.
func TestFullVolume(t *testing.T) {
	opts := testOptions(64<<20, 512)
	var w recorder
	usage, err := Create(&w, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	rest := (usage.Clusters - usage.UsedClusters) * usage.ClusterBytes
	usage, err = Create(&w, opts, []File{zeroFile("fill", rest)})
	if err != nil || usage.UsedClusters != usage.Clusters {
		t.Fatalf("full volume: %+v, %v", usage, err)
	}
	if w.highest > opts.SizeBytes || w.highest < opts.SizeBytes-2*usage.ClusterBytes {
		t.Errorf("written up to byte %d of %d", w.highest, opts.SizeBytes)
	}
	if _, err = Create(&w, opts, []File{zeroFile("fill", rest+1)}); !errors.Is(err, ErrNoSpace) {
		t.Errorf("one byte more: %v, want ErrNoSpace", err)
	}
}

func TestContentSizeMustMatch(t *testing.T) {
	short, long := Bytes("short", []byte("12345")), Bytes("long", []byte("12345"))
	short.Size, long.Size = 6, 4
	failing := File{Path: "failing", Size: 1, Open: func() (io.ReadCloser, error) { return nil, errDisk }}
	for _, f := range []File{short, long, failing} {
		_, err := Create(&recorder{}, testOptions(64<<20, 512), []File{f})
		if err == nil || !strings.Contains(err.Error(), f.Path) {
			t.Errorf("%s: %v, want an error that names it", f.Path, err)
		}
	}
}

// TestWriteErrors fails each write in turn.
func TestWriteErrors(t *testing.T) {
	files := []File{Bytes("dir/file", []byte("content")), Bytes("file", []byte("content"))}
	var all recorder
	if _, err := Create(&all, testOptions(64<<20, 512), files); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < all.writes; n++ {
		w := recorder{failAfter: n}
		if _, err := Create(&w, testOptions(64<<20, 512), files); !errors.Is(err, errDisk) {
			t.Errorf("write %d fails: %v, want the disk's error", n+1, err)
		}
	}
}

// TestOrderDoesNotMatter makes the same bytes of the same files in another order.
func TestOrderDoesNotMatter(t *testing.T) {
	files := smallFiles()
	first := smallVolume(t, 128<<10, files)
	for i, j := 0, len(files)-1; i < j; i, j = i+1, j-1 {
		files[i], files[j] = files[j], files[i]
	}
	if second := smallVolume(t, 128<<10, files); !bytes.Equal(first, second) {
		t.Error("volumes differ")
	}
}
