package content

import (
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/guest/ext4"
	"github.com/rayos/rayboot/guest/system"
	"github.com/rayos/rayboot/installer/write"
)

// Area is what a partition of guests holds: a file system that lies in a file or on another
// disk, of which some parts are in use.
type Area struct {
	Type        gpt.GUID // of the partition
	Name        string   // for people
	SizeBytes   int64    // that the partition has to have at least
	Source      io.ReaderAt
	UsedExtents []write.Extent // of Source, and likewise of the partition
}

// UsedBytes is how much is written.
func (a Area) UsedBytes() (n int64) {
	for _, e := range a.UsedExtents {
		n += e.LengthBytes
	}
	return n
}

// SystemArea is a squashfs with the QEMU of guests, which its description follows. It is
// compared with its digest.
func SystemArea(source io.ReaderAt, sizeBytes int64) (Area, error) {
	s, err := system.Read(source, sizeBytes)
	if err == nil {
		err = s.Verify(source)
	}
	if err != nil {
		return Area{}, err
	}
	return Area{
		Type: gpt.TypeRayOSSystem, Name: "QEMU of guests", SizeBytes: s.Bytes(), Source: source,
		UsedExtents: []write.Extent{{LengthBytes: s.Bytes()}},
	}, nil
}

// LinuxArea is the disk of a Linux guest, an ext4.
func LinuxArea(source io.ReaderAt, sizeBytes int64) (Area, error) {
	f, err := ext4.Open(source, sizeBytes)
	if err != nil {
		return Area{}, err
	}
	used, err := f.Used()
	if err != nil {
		return Area{}, err
	}
	a := Area{Type: gpt.TypeLinuxData, Name: "Linux guest", SizeBytes: f.SizeBytes, Source: source}
	for _, e := range used {
		a.UsedExtents = append(a.UsedExtents, write.Extent(e))
	}
	return a, nil
}

// Areas are those of a disk. What is damaged is an error; a partition that is empty, or
// holds something else, has none.
func Areas(r io.ReaderAt, table gpt.Table) (list []Area, err error) {
	for _, kind := range []struct {
		of   gpt.GUID
		read func(io.ReaderAt, int64) (Area, error)
	}{{gpt.TypeRayOSSystem, SystemArea}, {gpt.TypeLinuxData, LinuxArea}} {
		p := (&Disk{Partitions: table.Partitions}).find(kind.of)
		if p.Number == 0 {
			continue
		}
		a, err := kind.read(io.NewSectionReader(r, p.StartBytes, p.SizeBytes), p.SizeBytes)
		switch {
		case errors.Is(err, system.ErrNone) || errors.Is(err, ext4.ErrNone):
			continue
		case err != nil:
			return nil, fmt.Errorf("partition %d (%s): %w", p.Number, p.Name, err)
		}
		list = append(list, a)
	}
	return list, nil
}

// TakeAreas takes areas along for which the disk has a partition that is not kept. It returns
// the names of those that stay behind.
func (d *Disk) TakeAreas(areas []Area, keeps func(number int) bool) (left []string, err error) {
	for _, a := range areas {
		p := d.find(a.Type)
		if p.Number == 0 || keeps(p.Number) {
			left = append(left, a.Name)
			continue
		}
		if err := a.Check(p); err != nil {
			return nil, err
		}
		d.Areas = append(d.Areas, a)
	}
	return left, nil
}

// Check says whether a partition takes the area.
func (a Area) Check(p gpt.Partition) error {
	if p.SizeBytes < a.SizeBytes {
		return fmt.Errorf("%s: its file system has %d bytes, partition %d (%s) %d; make that larger", a.Name, a.SizeBytes, p.Number, p.Name, p.SizeBytes)
	}
	return nil
}

// write copies what is in use.
func (a Area) write(w io.WriterAt) error {
	buf := make([]byte, copyBytes)
	for _, e := range a.UsedExtents {
		for at := e.OffsetBytes; at < e.EndBytes(); {
			chunk := buf[:min(int64(len(buf)), e.EndBytes()-at)]
			if _, err := a.Source.ReadAt(chunk, at); err != nil {
				return fmt.Errorf("read %s: %w", a.Name, err)
			}
			if _, err := w.WriteAt(chunk, at); err != nil {
				return err
			}
			at += int64(len(chunk))
		}
	}
	return nil
}
