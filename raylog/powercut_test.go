package raylog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// cutSlots is the number of places of the ring in the sweep: more than are read in
// whole.
const cutSlots = 64

// machine is what writes a log: a Ring, or one that shows that the sweep sees what
// it is there for.
type machine interface {
	Append(e Entry) error
	Clear(e Entry) error
	Flush() error
	Newest() uint64  // of what was appended
	Written() uint64 // up to which all is on the medium, as it says
	records() []Record
}

// starter opens the log on a disk after the machine was switched on.
type starter func(d *disk) (machine, error)

type ringMachine struct{ *Ring }

func (m ringMachine) records() []Record {
	list, _ := all(m.Ring, Query{All: true})
	return list
}

func startOn(area Area, slots int) (ringMachine, error) {
	r, err := Open(area, int64(slots)*RecordBytes, Options{ID: testLog, Level: Trace, Buffer: make([]byte, slots*RecordBytes)})
	return ringMachine{r}, err
}

// startRing is the real one. What it finds without reading all must be what it
// finds when it reads all.
func startRing(d *disk) (machine, error) {
	m, err := startOn(d, d.slots())
	if err != nil {
		return nil, err
	}
	s := &search{ring: m.Ring, window: make([]byte, windowRecords*RecordBytes)}
	s.whole()
	if s.best != m.Newest() {
		return nil, fmt.Errorf("the newest is %d, and %d is there", m.Newest(), s.best)
	}
	return m, nil
}

// step is something that the machine does: it appends records, flushes, clears.
type step struct {
	records int
	level   Level
}

const flush, clearLog = 0, -1

// script is what happens while the power is on.
var script = []step{
	{1, Warn},
	{3, Info},
	{1, Error},
	{20, Info},
	{flush, 0},
	{2, Warn},
	{5, Debug},
	{clearLog, Info},
	{70, Info}, // more than the buffer holds
	{1, Warn},
	{33, Info}, // not all is flushed in the end
}

// model is what must be in the log.
type model struct {
	must map[uint64]string // by sequence number: what is on the medium
	may  map[uint64]string // what was appended besides
	top  uint64            // the highest sequence number that was ever given
	life int               // how often the machine was switched on
}

func newModel() *model { return &model{must: map[uint64]string{}, may: map[uint64]string{}} }

func (m *model) clone() *model {
	c := newModel()
	c.top, c.life = m.top, m.life
	maps.Copy(c.must, m.must)
	maps.Copy(c.may, m.may)
	return c
}

// play runs the script until the power is cut.
func (m *model) play(script []step, log machine, d *disk) error {
	m.life++
	before := log.Newest()
	for _, s := range script {
		for n := range max(1, s.records) {
			seq := log.Newest() + 1
			e := Entry{Level: s.level, Message: fmt.Sprintf("record %d of life %d, step %d", seq, m.life, n)}
			e.Source = fmt.Sprint("life", m.life)
			var err error
			switch {
			case s.records == flush:
				err = log.Flush()
			case s.records == clearLog:
				m.may[seq], m.top = e.Message, max(m.top, seq)
				err = log.Clear(e)
			default:
				m.may[seq], m.top = e.Message, max(m.top, seq)
				err = log.Append(e)
			}
			if d.dead {
				return nil // whatever it says
			}
			if err != nil {
				return err
			}
			if s.level >= DurableLevel {
				m.acknowledge(log.Newest())
			} else if log.Written() > before {
				m.acknowledge(log.Written())
			}
		}
	}
	return nil
}

// acknowledge takes over that the records up to one are on the medium.
func (m *model) acknowledge(written uint64) {
	for seq, text := range m.may {
		if seq <= written {
			m.must[seq] = text
			delete(m.may, seq)
		}
	}
}

// check compares the log with the model after the machine was switched on, and
// makes the model what is there. What was not acknowledged may still be lost if the
// disk has something in its cache. It returns what is wrong, empty if nothing is.
func (m *model) check(log machine, d *disk) string {
	read, last := map[uint64]string{}, uint64(0)
	for _, rec := range log.records() {
		if rec.Sequence <= last {
			return fmt.Sprintf("record %d comes after %d", rec.Sequence, last)
		}
		last = rec.Sequence
		read[last] = rec.Message
		if rec.Message != m.must[last] && rec.Message != m.may[last] {
			return fmt.Sprintf("record %d says %q, that was never its text", last, rec.Message)
		}
	}
	for seq, text := range m.must {
		if seq+uint64(d.slots()) > m.top && read[seq] != text {
			return fmt.Sprintf("record %d of at most %d is lost: %s", seq, m.top, text)
		}
	}
	m.may = map[uint64]string{}
	if len(d.order) > 0 {
		maps.Copy(m.may, read)
		maps.DeleteFunc(m.may, func(seq uint64, _ string) bool { return m.must[seq] != "" })
		return ""
	}
	m.must, m.top = read, last
	return ""
}

// patterns are which of the sectors in the cache survive a cut.
func patterns(seed uint64, random int) []func(n, of int) bool {
	list := []func(n, of int) bool{
		func(int, int) bool { return false },
		func(int, int) bool { return true },
		func(n, of int) bool { return n < of/2 },
		func(n, of int) bool { return n >= of/2 },
		func(n, of int) bool { return n >= of-8 }, // the last record
		func(n, of int) bool { return n >= of-4 },
		func(n, _ int) bool { return n != 3 },
		func(n, _ int) bool { return n%16 < 8 }, // every other record
		func(n, of int) bool { return n >= of/4*3 && n%16 >= 8 },
		func(n, _ int) bool { return n%2 == 0 },
		func(n, of int) bool { return n < 3*8 || n >= of-8 },
	}
	for i := range random {
		sectors := rand.New(rand.NewPCG(seed, uint64(i)))
		mask := make([]bool, 8*300)
		for n := range mask {
			switch {
			case i%2 == 1:
				mask[n] = sectors.IntN(2) == 0
			case n%8 == 0: // whole records
				mask[n] = sectors.IntN(2) == 0
			default:
				mask[n] = mask[n-1]
			}
		}
		list = append(list, func(n, _ int) bool { return mask[n%len(mask)] })
	}
	return list
}

// sweep cuts the power at every operation of the script, with many sets of sectors
// that may have become durable, and again after the machine came back. With reset
// the first cut is a reset: what the disk has in its cache stays there. It returns
// what went wrong first, empty if nothing did.
func sweep(t *testing.T, start starter, before int, reset bool) string {
	t.Helper()
	d, m := newDisk(cutSlots), newModel()
	for range before { // so that the ring is full, or is not
		if problem := live(start, script, d, m, false); problem != "" {
			return problem
		}
		d = d.again(false)
	}
	whole := d.again(false)
	if problem := live(start, script, whole, m.clone(), false); problem != "" {
		return problem
	}
	lives := 0
	for cut := 1; cut <= whole.ops; cut++ {
		all := patterns(uint64(cut), 6)
		for i, persist := range all {
			first, model := d.again(false), m.clone()
			first.cutAt, first.persist, first.reset = cut, persist, reset
			if problem := live(start, script, first, model, reset); problem != "" {
				return fmt.Sprintf("cut %d, pattern %d: %s", cut, i, problem)
			}
			for j := range 3 {
				second, model := first.again(reset), model.clone()
				second.cutAt, second.persist = []int{1, 2, 3 + (7*cut+3*i)%whole.ops}[j], all[(cut+i+4*j)%len(all)]
				if problem := live(start, script, second, model, false); problem != "" {
					return fmt.Sprintf("cut %d, pattern %d, then cut %d, pattern %d: %s", cut, i, second.cutAt, j, problem)
				}
				lives++
			}
		}
	}
	t.Logf("%d operations, %d second cuts", whole.ops, lives)
	return ""
}

// live switches the machine on, plays the script until the power is cut, and looks
// at the log when it comes back. After a reset it does not look: that would have
// the disk write its cache.
func live(start starter, script []step, d *disk, m *model, reset bool) string {
	log, err := start(d)
	if err != nil {
		return err.Error()
	}
	if problem := m.check(log, d); problem != "" {
		return "before: " + problem
	}
	if err := m.play(script, log, d); err != nil {
		return err.Error()
	}
	if reset {
		return ""
	}
	d = d.again(false)
	if log, err = start(d); err != nil {
		return "afterwards: " + err.Error()
	}
	return m.check(log, d)
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	for _, before := range []int{0, 2} {
		for _, reset := range []bool{false, true} {
			if problem := sweep(t, startRing, before, reset); problem != "" {
				t.Errorf("after %d lives, reset %v: %s", before, reset, problem)
			}
		}
	}
}

// TestCutsAfterCuts cuts and resets again and again, so that the holes of many cuts
// are in the ring at once.
func TestCutsAfterCuts(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 1))
		d, m := newDisk(40+int(seed)*50), newModel()
		for life := range 120 {
			var script []step
			for range 1 + random.IntN(6) {
				script = append(script, step{random.IntN(1 + random.IntN(200)), Level(1 + random.IntN(6))})
			}
			reset := random.IntN(4) == 0
			all := patterns(random.Uint64(), 6)
			d.cutAt, d.persist, d.reset = 1+random.IntN(12), all[random.IntN(len(all))], reset
			if problem := live(startRing, script, d, m, reset); problem != "" {
				t.Fatalf("seed %d, life %d: %s", seed, life, problem)
			}
			d = d.again(reset)
		}
	}
}
