package raylog

import "testing"

// noFlush is a disk that nobody flushes.
type noFlush struct{ *disk }

func (noFlush) Sync() error { return nil }

func startWithoutFlush(d *disk) (machine, error) { return startOn(noFlush{d}, d.slots()) }

// startUnsettled returns one that writes at once after a reset, whatever is in the
// disk's cache.
func startUnsettled(d *disk) (machine, error) {
	log, err := startRing(d)
	if err != nil {
		return nil, err
	}
	log.(ringMachine).settled = true
	return log, nil
}

// unannounced writes groups of any size at once, and nothing tells.
type unannounced struct{ ringMachine }

// forgetful makes records say that nothing lies behind them.
type forgetful struct{ *disk }

func (f forgetful) WriteAt(p []byte, off int64) (int, error) {
	for i := 0; i < len(p); i += RecordBytes {
		seal(p[i:i+RecordBytes], 0)
	}
	return f.disk.WriteAt(p, off)
}

func startUnannounced(d *disk) (machine, error) {
	if _, err := startRing(d); err != nil {
		return nil, err
	}
	m, err := startOn(forgetful{d}, d.slots())
	return unannounced{m}, err
}

func (u unannounced) Append(e Entry) error {
	u.reach = u.head + MaxGroup
	return u.ringMachine.Append(e)
}

func (u unannounced) Flush() error {
	u.reach = u.head + MaxGroup
	return u.ringMachine.Flush()
}

// headered is a log that says in its first place which record is the newest.
type headered struct {
	disk          *disk
	head, written uint64
	epoch         uint32
}

func startHeadered(d *disk) (machine, error) {
	h := &headered{disk: d}
	b := make([]byte, RecordBytes)
	if _, err := d.ReadAt(b, 0); err != nil {
		return nil, err
	}
	if r, err := Decode(b); err == nil {
		h.head, h.epoch = r.Sequence-1, r.Epoch
	}
	h.written = h.head
	return h, nil
}

func (h *headered) place(seq uint64) int64 {
	return int64(1+(seq-1)%uint64(h.disk.slots())) * RecordBytes
}

func (h *headered) Newest() uint64  { return h.head }
func (h *headered) Written() uint64 { return h.written }

func (h *headered) Append(e Entry) error {
	h.head++
	r := Record{Entry: e, Sequence: h.head, Epoch: h.epoch}
	b := make([]byte, RecordBytes)
	if err := Encode(b, &r); err != nil {
		return err
	}
	if _, err := h.disk.WriteAt(b, h.place(h.head)); err != nil {
		return err
	}
	if e.Level >= DurableLevel {
		return h.Flush()
	}
	return nil
}

func (h *headered) Clear(e Entry) error {
	h.epoch++
	e.Level = Fatal
	return h.Append(e)
}

func (h *headered) Flush() error {
	header := Record{Entry: Entry{Level: Info}, Sequence: h.head + 1, Epoch: h.epoch}
	b := make([]byte, RecordBytes)
	if err := Encode(b, &header); err != nil {
		return err
	}
	if _, err := h.disk.WriteAt(b, 0); err != nil {
		return err
	}
	h.written = h.head
	return h.disk.Sync()
}

func (h *headered) records() (list []Record) {
	b := make([]byte, RecordBytes)
	for seq := uint64(1); seq <= h.head; seq++ {
		if _, err := h.disk.ReadAt(b, h.place(seq)); err != nil {
			return list
		}
		if r, err := Decode(b); err == nil && r.Sequence == seq {
			list = append(list, r)
		}
	}
	return list
}

// TestNaiveWritersLoseRecords shows that the sweep sees what it is there for.
func TestNaiveWritersLoseRecords(t *testing.T) {
	for name, c := range map[string]struct {
		start starter
		reset bool
	}{
		"with a header":           {startHeadered, false},
		"without flush":           {startWithoutFlush, false},
		"unannounced":             {startUnannounced, false},
		"unsettled after a reset": {startUnsettled, true},
	} {
		if problem := sweep(t, c.start, 2, c.reset); problem == "" {
			t.Errorf("%s: the sweep sees nothing", name)
		} else {
			t.Logf("%s: %s", name, problem)
		}
	}
}
