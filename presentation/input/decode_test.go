package input

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/presentation/ioctl"
	"github.com/rayos/rayboot/presentation/qmp"
)

// encode is an event as the kernel has it.
func encode(kind, code uint16, value int32) []byte {
	b := make([]byte, eventBytes)
	binary.LittleEndian.PutUint16(b[16:], kind)
	binary.LittleEndian.PutUint16(b[18:], code)
	binary.LittleEndian.PutUint32(b[20:], uint32(value))
	return b
}

func decodeAll(d *decoder, b []byte) (groups [][]Event, lost int) {
	d.decode(b, func(e []Event) { groups = append(groups, slices.Clone(e)) }, func() { lost++ })
	return groups, lost
}

func TestDecode(t *testing.T) {
	d := &decoder{x: limits{0, 1000}, y: limits{-100, 100}}
	report := encode(evSyn, synReport, 0)
	groups, lost := decodeAll(d, slices.Concat(
		encode(evKey, 30, 1), report,
		encode(evKey, 30, 2), encode(evRel, relX, 3), encode(evRel, relY, -2), encode(evRel, relX, 1), report,
		report,
		encode(evKey, uint16(ButtonLeft), 1), encode(evAbs, absX, 500), encode(evAbs, absY, 2000), report,
		encode(evRel, relWheel, -1), report,
		encode(evKey, 31, 1), encode(evSyn, synDropped, 0), encode(evKey, 32, 1), report,
		encode(evKey, 30, 0), report, []byte{1, 2, 3},
	))
	want := [][]Event{
		{{Kind: Key, Code: 30, Down: true}},
		{{Kind: Move, X: 4, Y: -2}, {Kind: Key, Code: 30, Down: true}},
		{{Kind: Point, X: MaxPoint / 2, Y: MaxPoint}, {Kind: Key, Code: ButtonLeft, Down: true}},
		{{Kind: Scroll, Y: -1}},
		{{Kind: Key, Code: 30}},
	}
	if !reflect.DeepEqual(groups, want) || lost != 1 {
		t.Errorf("got %v, lost %d times; want %v, once", groups, lost, want)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(slices.Concat(encode(evKey, 30, 1), encode(evSyn, synReport, 0)), int32(0), int32(100))
	f.Add(slices.Concat(encode(evAbs, absX, -1<<31), encode(evSyn, synReport, 0)), int32(-1<<31), int32(1<<31-1))
	f.Fuzz(func(t *testing.T, b []byte, first, last int32) {
		d := &decoder{x: limits{first, last}, y: limits{last, first}}
		groups, _ := decodeAll(d, b)
		for _, g := range groups {
			for _, e := range g {
				if e.Kind == Point && (e.X < 0 || e.X > MaxPoint || e.Y < 0 || e.Y > MaxPoint) {
					t.Errorf("point %d, %d", e.X, e.Y)
				}
			}
		}
	})
}

// TestRequests holds the numbers of requests against what a C compiler makes of Linux's own header.
func TestRequests(t *testing.T) {
	for want, got := range map[ioctl.Request]ioctl.Request{
		0x80604518: ioKeys, 0x80604521: ioHasKeys, 0x80084522: ioHasRel, 0x80084523: ioHasAbs, 0x80184540: ioAbsX, 0x80184541: ioAbsY, 0x40044590: ioGrab,
	} {
		if got != want {
			t.Errorf("request %#x, the kernel has %#x", uint32(got), uint32(want))
		}
	}
}

// TestChanges is what is told after events were lost, or a keyboard was unplugged.
func TestChanges(t *testing.T) {
	dev := &device{down: map[Code]bool{30: true, 31: true}}
	keys := make([]byte, maxKeys/8)
	keys[31/8] |= 1 << (31 % 8)
	keys[2] |= 1 << 1
	want := []Event{{Kind: Key, Code: 17, Down: true}, {Kind: Key, Code: 30}}
	if got := dev.changes(keys); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := dev.changes(keys); got != nil {
		t.Errorf("got %v again", got)
	}
}

// TestKeyNames holds a few names against what QEMU has, and all against being used twice.
func TestKeyNames(t *testing.T) {
	for c, want := range map[Code]string{KeyEscape: "esc", KeyLeftCtrl: "ctrl", KeyRightAlt: "alt_r", 30: "a", 44: "z", 57: "spc", 103: "up", 88: "f12", 125: "meta_l", 86: "less"} {
		if qcodes[c] != want {
			t.Errorf("key %d is %q, want %q", c, qcodes[c], want)
		}
	}
	seen := map[string]Code{}
	for c, name := range qcodes {
		if other, ok := seen[name]; ok {
			t.Errorf("keys %d and %d are both %q", c, other, name)
		}
		seen[name] = c
	}
}

// monitor plays QEMU, and returns what it was sent.
func monitor(t *testing.T, absolute bool) (*Monitor, <-chan string) {
	t.Helper()
	ours, theirs := net.Pipe()
	sent := make(chan string, 16)
	go func() {
		defer theirs.Close()
		fmt.Fprintln(theirs, `{"QMP": {}}`)
		for in := json.NewDecoder(theirs); ; {
			var r struct {
				Execute   string
				Arguments json.RawMessage
				ID        int
			}
			if in.Decode(&r) != nil {
				return
			}
			answer := "{}"
			switch r.Execute {
			case "query-mice":
				answer = fmt.Sprintf(`[{"current": true, "absolute": %v}]`, absolute)
			case "input-send-event":
				sent <- string(r.Arguments)
			}
			fmt.Fprintf(theirs, `{"return": %s, "id": %d}`+"\n", answer, r.ID)
		}
	}()
	c, err := qmp.New(ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m, err := NewMonitor(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return m, sent
}

func TestMonitor(t *testing.T) {
	for _, c := range []struct {
		absolute bool
		events   []Event
		want     string
	}{
		{true, []Event{{Kind: Key, Code: 30, Down: true}, {Kind: Key, Code: ButtonRight}}, `{"events":[{"data":{"down":true,"key":{"data":"a","type":"qcode"}},"type":"key"},{"data":{"button":"right","down":false},"type":"btn"}]}`},
		{false, []Event{{Kind: Move, X: 3, Y: -4}}, `{"events":[{"data":{"axis":"x","value":3},"type":"rel"},{"data":{"axis":"y","value":-4},"type":"rel"}]}`},
		{true, []Event{{Kind: Move, X: 50, Y: -4}}, `{"events":[{"data":{"axis":"x","value":16383},"type":"abs"},{"data":{"axis":"y","value":0},"type":"abs"}]}`},
		{false, []Event{{Kind: Point, X: MaxPoint, Y: 0}}, `{"events":[{"data":{"axis":"x","value":100},"type":"rel"},{"data":{"axis":"y","value":0},"type":"rel"}]}`},
		{true, []Event{{Kind: Scroll, Y: -1}}, `{"events":[{"data":{"button":"wheel-down","down":true},"type":"btn"},{"data":{"button":"wheel-down","down":false},"type":"btn"}]}`},
	} {
		m, sent := monitor(t, c.absolute)
		m.SetSize(image.Pt(100, 50))
		if err := m.Send(append([]Event{{Kind: Key, Code: 0x2ff, Down: true}}, c.events...)); err != nil { // a key that QEMU does not know
			t.Fatal(err)
		}
		if got := <-sent; !strings.EqualFold(got, c.want) {
			t.Errorf("%v: sent %s, want %s", c.events, got, c.want)
		}
	}
}
