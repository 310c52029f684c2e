package timeline

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// Sources of records, as those who write them call themselves.
const (
	sourceManager = "bootmgr"
	sourceRuntime = "init"   // process 1
	sourceSaved   = "pstore" // what the kernel saved when it crashed, in the log since the next boot
)

// Boots reads the records of a log, in any order, and returns its boots, the oldest
// first: at most the newest MaxBoots.
func Boots(records iter.Seq[raylog.Record]) []Boot {
	c := collector{boots: map[raylog.BootID]*trace{}}
	for r := range records {
		c.add(&r)
	}
	c.leaveOut()
	all := c.sorted()
	readings := make([]*reading, len(all))
	for i, t := range all {
		readings[i] = read(t)
	}
	boots := make([]Boot, len(all))
	for i, r := range readings {
		var next *reading
		if i+1 < len(readings) {
			next = readings[i+1]
		}
		r.judge(next)
		boots[i] = r.Boot
		boots[i].Number = i - len(all) + 1
	}
	return boots
}

// collector gathers what the records tell of each boot.
type collector struct {
	boots map[raylog.BootID]*trace
	floor uint64 // boots that begin below were left out
}

func (c *collector) add(r *raylog.Record) {
	t := c.boots[r.Boot]
	if t == nil {
		if r.Sequence < c.floor {
			return
		}
		if len(c.boots) >= 2*MaxBoots {
			c.leaveOut()
		}
		t = &trace{id: r.Boot}
		c.boots[r.Boot] = t
	}
	t.add(r)
}

// leaveOut leaves out the oldest of too many boots.
func (c *collector) leaveOut() {
	all := c.sorted()
	for _, t := range all[:max(0, len(all)-MaxBoots)] {
		c.floor = max(c.floor, t.first)
		delete(c.boots, t.id)
	}
}

// sorted returns the boots in the order in which they happened. One of which only
// the kernel's last words are there comes before the boot that found them.
func (c *collector) sorted() []*trace {
	var own, others []*trace
	for _, t := range c.boots {
		if t.first > 0 {
			own = append(own, t)
		} else {
			others = append(others, t)
		}
	}
	order := func(a, b *trace) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.saved, b.saved), slices.Compare(a.id[:], b.id[:]))
	}
	for _, t := range own {
		t.order, t.saved = t.first, math.MaxUint64
	}
	slices.SortFunc(own, order)
	for _, t := range others {
		i, exact := slices.BinarySearchFunc(own, t.saved, func(o *trace, at uint64) int { return cmp.Compare(o.first, at) })
		if !exact {
			i--
		}
		t.order = t.saved
		if i >= 0 {
			t.order = own[i].first
		}
	}
	all := append(own, others...)
	slices.SortFunc(all, order)
	return all
}

// trace is what is kept of the records of one boot.
type trace struct {
	id          raylog.BootID
	records     int
	first, last uint64 // lowest and highest sequence number of its own records; 0: it has none
	saved       uint64 // lowest one of what the kernel saved
	order       uint64

	wall             time.Time // the first that is known
	wallAt           uint64    // sequence number of its record
	firmware, system part
	facts            []fact
	panic            panicText
	problems         []Problem
	bad              int // records that are problems
}

// part is the firmware's part of a boot, or the system's. Each has a clock of its
// own.
type part struct {
	records int
	lastMS  int64
}

// fact is a line that tells something.
type fact struct {
	sequence uint64
	line     int // of the record's message
	uptimeMS int64
	firmware bool
	end      string         // how the machine ends in order, if the line says that
	marker   markers.Marker // what it says otherwise
}

func lowest(a, b uint64) uint64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

func milliseconds(d time.Duration) int64 { return max(0, d.Milliseconds()) }

func (t *trace) add(r *raylog.Record) {
	t.records++
	if r.Source == sourceSaved {
		t.saved = lowest(t.saved, r.Sequence)
		t.panic.read(r)
		return
	}
	t.first, t.last = lowest(t.first, r.Sequence), max(t.last, r.Sequence)
	if !r.Wall.IsZero() && (t.wallAt == 0 || r.Sequence < t.wallAt) {
		t.wall, t.wallAt = r.Wall, r.Sequence
	}
	p := &t.system
	if r.Source == sourceManager {
		p = &t.firmware
	}
	p.records++
	p.lastMS = max(p.lastMS, milliseconds(r.Uptime))
	if told := t.tell(r); !told && r.Level >= raylog.Error {
		t.problem(r)
	}
}

// tell keeps the lines of a record that tell something, and reports whether there
// are any. Others than the boot manager and process 1 may say what they like.
func (t *trace) tell(r *raylog.Record) (told bool) {
	firmware := r.Source == sourceManager
	if !firmware && r.Source != sourceRuntime {
		return false
	}
	line := 0
	for text := range strings.SplitSeq(r.Message, "\n") {
		line++
		f := fact{sequence: r.Sequence, line: line, uptimeMS: milliseconds(r.Uptime), firmware: firmware}
		if !f.parse(text) {
			continue
		}
		told = true
		if len(t.facts) == maxFacts {
			t.facts = slices.Delete(inOrder(t.facts), maxFacts/2, min(len(t.facts), maxFacts*3/4))
		}
		t.facts = append(t.facts, f)
	}
	return told
}

// inOrder sorts facts and removes doubles.
func inOrder(facts []fact) []fact {
	slices.SortStableFunc(facts, func(a, b fact) int {
		return cmp.Or(cmp.Compare(a.sequence, b.sequence), cmp.Compare(a.line, b.line))
	})
	return slices.CompactFunc(facts, func(a, b fact) bool { return a.sequence == b.sequence && a.line == b.line })
}

// problem keeps a record if it is one of the worst, and the first of those.
func (t *trace) problem(r *raylog.Record) {
	if slices.ContainsFunc(t.problems, func(p Problem) bool { return p.Sequence == r.Sequence }) {
		return
	}
	t.bad++
	message, _, _ := strings.Cut(strings.TrimSpace(r.Message), "\n")
	t.problems = append(t.problems, Problem{
		Sequence: r.Sequence, Level: r.Level, UptimeMS: milliseconds(r.Uptime), Source: r.Source, Message: shorten(message),
	})
	slices.SortFunc(t.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Sequence, b.Sequence))
	})
	t.problems = t.problems[:min(len(t.problems), MaxProblems)]
}

// shorten cuts a text to maxText characters.
func shorten(s string) string {
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText-1]) + "…"
	}
	return s
}
