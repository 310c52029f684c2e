package input

import (
	"context"
	"fmt"
	"image"
	"time"

	"github.com/rayos/rayboot/presentation/qmp"
)

// sendTimeout bounds how long a guest's QEMU may take for events.
const sendTimeout = 2 * time.Second

// Monitor is a [Guest] behind the monitor of its QEMU.
type Monitor struct {
	qmp      *qmp.Client
	absolute bool // the guest's pointing device is told places, not movements
	at       image.Point
	size     image.Point // of the guest's screen
}

// NewMonitor asks QEMU which kind of pointing device its guest has.
func NewMonitor(ctx context.Context, c *qmp.Client) (*Monitor, error) {
	m := &Monitor{qmp: c, size: image.Pt(1024, 768)}
	return m, m.Refresh(ctx)
}

// Refresh asks QEMU anew for the kind of pointing device, which changes when the guest's driver for it begins or ends.
func (m *Monitor) Refresh(ctx context.Context) error {
	var mice []struct{ Current, Absolute bool }
	if err := m.qmp.Execute(ctx, "query-mice", nil, &mice); err != nil {
		return err
	}
	m.absolute = false
	for _, mouse := range mice {
		m.absolute = m.absolute || mouse.Absolute && mouse.Current
	}
	return nil
}

// SetSize says how large the guest's screen is in pixels: a mouse that moves by one moves the pointer by one of them.
func (m *Monitor) SetSize(size image.Point) {
	if size.X > 0 && size.Y > 0 {
		m.size = size
	}
}

// At returns where the pointer is, 0 to [MaxPoint], as far as the guest was told.
func (m *Monitor) At() image.Point { return m.at }

// Send hands events to the guest. Keys that QEMU has no name for are left out.
func (m *Monitor) Send(events []Event) error {
	var args struct {
		Events []map[string]any `json:"events"`
	}
	for _, e := range events {
		args.Events = append(args.Events, m.translate(e)...)
	}
	if len(args.Events) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	if err := m.qmp.Execute(ctx, "input-send-event", args, nil); err != nil {
		return fmt.Errorf("hand a key or a movement to the guest: %w", err)
	}
	return nil
}

// translate puts an event into QEMU's words (qapi/ui.json, InputEvent).
func (m *Monitor) translate(e Event) []map[string]any {
	switch e.Kind {
	case Key:
		if name, ok := buttons[e.Code]; ok {
			return []map[string]any{button(name, e.Down)}
		}
		if name, ok := qcodes[e.Code]; ok {
			return []map[string]any{event("key", map[string]any{"down": e.Down, "key": map[string]string{"type": "qcode", "data": name}})}
		}
	case Move:
		if !m.absolute {
			return axes("rel", e.X, e.Y)
		}
		m.at.X = clamp(m.at.X + int(e.X)*MaxPoint/m.size.X)
		m.at.Y = clamp(m.at.Y + int(e.Y)*MaxPoint/m.size.Y)
		return axes("abs", int32(m.at.X), int32(m.at.Y))
	case Point:
		was := m.at
		m.at = image.Pt(clamp(int(e.X)), clamp(int(e.Y)))
		if m.absolute {
			return axes("abs", int32(m.at.X), int32(m.at.Y))
		}
		by := m.at.Sub(was)
		return axes("rel", int32(by.X*m.size.X/MaxPoint), int32(by.Y*m.size.Y/MaxPoint))
	case Scroll:
		return append(turns("wheel-down", "wheel-up", e.Y), turns("wheel-left", "wheel-right", e.X)...)
	}
	return nil
}

func clamp(n int) int { return min(max(n, 0), MaxPoint) }

func event(kind string, data any) map[string]any { return map[string]any{"type": kind, "data": data} }

func button(name string, down bool) map[string]any {
	return event("btn", map[string]any{"down": down, "button": name})
}

func axes(kind string, x, y int32) []map[string]any {
	return []map[string]any{
		event(kind, map[string]any{"axis": "x", "value": x}),
		event(kind, map[string]any{"axis": "y", "value": y}),
	}
}

// maxTurns bounds what one event of a wheel is turned into.
const maxTurns = 16

// turns has a button pressed for each step of a wheel.
func turns(negative, positive string, steps int32) (all []map[string]any) {
	name := positive
	if steps < 0 {
		name, steps = negative, -steps
	}
	for range min(steps, maxTurns) {
		all = append(all, button(name, true), button(name, false))
	}
	return all
}
