package input

import "encoding/binary"

// eventBytes is the size of struct input_event of Linux include/uapi/linux/input.h on machines of 64 bits.
const eventBytes = 24

// Types and codes of events (input-event-codes.h).
const (
	evSyn, evKey, evRel, evAbs = 0, 1, 2, 3

	synReport, synDropped = 0, 3

	relX, relY, relHWheel, relWheel = 0, 1, 6, 8
	absX, absY                      = 0, 1
)

// limits are the first and the last value of an axis.
type limits struct{ first, last int32 }

// decoder makes events of what a device sends.
type decoder struct {
	x, y    limits // of a device that tells places
	group   []Event
	move    Event
	scroll  Event
	point   Event
	pointed bool
	lost    bool // the kernel had no room: what comes up to the next report is not whole
}

// decode takes the bytes of whole events. It calls group with the events of each report, and lost after one from which on
// the keys that are down must be asked for.
func (d *decoder) decode(b []byte, group func([]Event), lost func()) {
	for ; len(b) >= eventBytes; b = b[eventBytes:] {
		kind, code := binary.LittleEndian.Uint16(b[16:]), binary.LittleEndian.Uint16(b[18:])
		value := int32(binary.LittleEndian.Uint32(b[20:]))
		switch {
		case kind == evSyn && code == synDropped:
			d.lost = true
		case kind == evSyn && code == synReport:
			if d.lost {
				d.reset()
				lost()
				continue
			}
			if events := d.report(); len(events) > 0 {
				group(events)
			}
		default:
			d.note(kind, code, value)
		}
	}
}

func (d *decoder) note(kind, code uint16, value int32) {
	switch {
	case kind == evKey && len(d.group) < maxGroup:
		d.group = append(d.group, Event{Kind: Key, Code: Code(code), Down: value != 0})
	case kind == evRel && code == relX:
		d.move.X += value
	case kind == evRel && code == relY:
		d.move.Y += value
	case kind == evRel && code == relHWheel:
		d.scroll.X += value
	case kind == evRel && code == relWheel:
		d.scroll.Y += value
	case kind == evAbs && code == absX:
		d.point.X, d.pointed = d.x.scale(value), true
	case kind == evAbs && code == absY:
		d.point.Y, d.pointed = d.y.scale(value), true
	}
}

// maxGroup bounds the keys of one report: more than anybody has.
const maxGroup = 1024

// report returns the events of a report: the pointer is where it is before a button goes down there.
func (d *decoder) report() (events []Event) {
	if d.pointed {
		events = append(events, Event{Kind: Point, X: d.point.X, Y: d.point.Y})
	}
	if d.move != (Event{}) {
		events = append(events, Event{Kind: Move, X: d.move.X, Y: d.move.Y})
	}
	events = append(events, d.group...)
	if d.scroll != (Event{}) {
		events = append(events, Event{Kind: Scroll, X: d.scroll.X, Y: d.scroll.Y})
	}
	d.reset()
	return events
}

// reset forgets a report; the place of a pointer stays.
func (d *decoder) reset() {
	d.group, d.move, d.scroll, d.pointed, d.lost = nil, Event{}, Event{}, false, false
}

// scale brings a place within the limits to 0 to MaxPoint.
func (l limits) scale(v int32) int32 {
	span := int64(l.last) - int64(l.first)
	if span <= 0 {
		return 0
	}
	return int32(min(max((int64(v)-int64(l.first))*MaxPoint/span, 0), MaxPoint))
}
