package inspect

import (
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/diskstate"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

// log checks that the persistent log can be read, and that its newest record is the one that
// the boot manager will find: it looks at a few records only, this at all. A log to which
// no boot has written is empty, whatever lies in its place.
func (v *verifier) log(disk *diskstate.Disk) error {
	part, ok := firstOfType(v.table, gpt.TypeRayOSKernel)
	if !ok {
		return nil
	}
	if files, err := disk.ESP(); err != nil {
		return nil // told with the rest of the ESP
	} else if _, err := readInstallID(files); err != nil {
		return nil // which log it is hangs on the install ID
	}
	ring, err := disk.Log()
	if err != nil {
		v.report("log-unreadable", "%v; the machine boots without a log", err)
		return v.ctx.Err()
	}
	if err := ring.ReadOnly(); err != nil {
		v.warn("log-newer", "%v; use a boot manager of that version", err)
	}
	stats := ring.Stats()
	switch {
	case v.ctx.Err() != nil:
		return v.ctx.Err()
	case stats.Problem != nil:
		v.report("log-unreadable", "%v; the disk is failing", stats.Problem)
		return nil
	case stats.Damaged > 0:
		v.warn("log-damaged", "%s of %d in the log cannot be read and will be passed over; new ones take their place in time", plural(stats.Damaged, "record"), stats.Records+stats.Damaged)
	}
	newest, err := v.newestRecord(io.NewSectionReader(v.r, part.StartBytes+slots.LogOffset, slots.LogBytes), ring.ID())
	if err == nil && newest > ring.Written() {
		v.report("log-head", "the newest record of the log is number %d, the boot manager finds %d: a part of the log was overwritten, and what lies behind that will be",
			newest, ring.Written())
	}
	return err
}

// newestRecord is the highest sequence number of a record of the log in its place.
func (v *verifier) newestRecord(area *io.SectionReader, id raylog.LogID) (newest uint64, err error) {
	if id == (raylog.LogID{}) {
		return 0, nil // nothing was ever written
	}
	capacity := uint64(area.Size() / raylog.RecordBytes)
	b := make([]byte, raylog.MaxGroup*raylog.RecordBytes)
	for at := int64(0); at < area.Size(); at += int64(len(b)) {
		if err := v.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := area.ReadAt(b[:min(int64(len(b)), area.Size()-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read the log: %w", err)
		}
		for i := 0; i+raylog.RecordBytes <= n; i += raylog.RecordBytes {
			place := uint64(at+int64(i)) / raylog.RecordBytes
			rec, err := raylog.Decode(b[i : i+raylog.RecordBytes])
			if err == nil && rec.Log == id && rec.Sequence > newest && (rec.Sequence-1)%capacity == place {
				newest = rec.Sequence
			}
		}
	}
	return newest, nil
}
