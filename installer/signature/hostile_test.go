package signature

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/rayos/rayboot/gpt"
)

// failing cannot be read at these bytes.
type failing struct {
	io.ReaderAt
	from, to int64
}

var errMedium = errors.New("input/output error")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off < f.to && off+int64(len(p)) > f.from {
		return 0, errMedium
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestUnreadable(t *testing.T) {
	disk := windowsDisk(t)
	for _, at := range []int64{0, diskBytes - 1} {
		if _, err := Read(failing{bytes.NewReader(disk), at, at + 1}, diskBytes, 512); !errors.Is(err, errMedium) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
	c, err := Read(failing{bytes.NewReader(disk), 3 * gpt.MiB, 4 * gpt.MiB}, diskBytes, 512)
	if err != nil || c.Partitions[2].FileSystem != unreadable {
		t.Errorf("%+v, %v", c, err)
	}
	chain := mbr(make([]byte, diskBytes), 0, entry(0, 5, 6144, 8192))
	c, err = Read(failing{bytes.NewReader(chain), 6144 * 512, 6145 * 512}, diskBytes, 512)
	if err != nil || len(c.Damage) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(make([]byte, 4096))
	f.Add(fatSector()[:4096])
	f.Add(mbr(make([]byte, 1<<20), 0, entry(0x80, 7, 1, 20), entry(0, 5, 63, 2000)))
	f.Add(put(make([]byte, 0x10240), 0x10040, "_BHRfS_M"))
	f.Fuzz(func(t *testing.T, disk []byte) {
		c, err := Read(bytes.NewReader(disk), int64(len(disk)), 512)
		if err == nil && (len(c.Partitions) > MaxPartitions+8 || len(c.Systems) > 8) {
			t.Errorf("%d partitions, %d systems", len(c.Partitions), len(c.Systems))
		}
	})
}
