package virtgpu

import (
	"encoding/binary"
	"image"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/growth"
)

// output is a bridge that nothing is shown on.
type output struct {
	*presentation.Bridge
	cursor presentation.Cursor
	at     image.Point
}

func (o *output) Size() image.Point { return image.Pt(1024, 768) }
func (o *output) Create(n int, size image.Point) (presentation.ID, error) {
	return o.CreateSurface("linux", n, size)
}

func (o *output) Update(id presentation.ID, u presentation.Update) error { return o.UpdateFrame(id, u) }

func (o *output) Move(id presentation.ID, p presentation.Picture) error { return o.MovePicture(id, p) }

func (o *output) SetCursor(_ presentation.ID, c presentation.Cursor, at image.Point) {
	o.cursor, o.at = c, at
}
func (o *output) MoveCursor(_ presentation.ID, at image.Point) { o.at = at }

func newDevice(t testing.TB) (*Device, *output, []byte) {
	t.Helper()
	ram := make([]byte, 1<<16)
	m, err := presentation.NewMemory([]presentation.Region{{Addr: 0x1000, Bytes: ram}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	o := &output{Bridge: presentation.New(func() time.Time { return now }, func(markers.Emitter) {})}
	d := New(o)
	d.SetMemory(m)
	return d, o, ram
}

// command makes a request.
func command(c Command, fields ...uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(c))
	b = append(b, make([]byte, headerBytes-4)...)
	for _, f := range fields {
		b = binary.LittleEndian.AppendUint32(b, f)
	}
	return b
}

func ask(t testing.TB, d *Device, want response, request []byte) []byte {
	t.Helper()
	reply := d.Control(nil, request, time.Time{})
	if got := response(binary.LittleEndian.Uint32(reply)); got != want {
		t.Errorf("command %x: %#x, want %#x", request[:4], got, want)
	}
	return reply
}

// show makes resource 1 of 16 by 16 pixels at 0x1000 and shows it on screen 0.
func show(t testing.TB, d *Device) {
	t.Helper()
	ask(t, d, okNoData, command(ResourceCreate2D, 1, 2, 16, 16))
	ask(t, d, okNoData, command(AttachBacking, 1, 2, 0x1000, 0, 512, 0, 0x1400, 0, 512, 0))
	ask(t, d, okNoData, command(SetScanout, 0, 0, 16, 16, 0, 1))
	ask(t, d, okNoData, command(TransferToHost2D, 0, 0, 16, 16, 0, 0, 1, 0))
	ask(t, d, okNoData, command(ResourceFlush, 0, 0, 16, 16, 1, 0))
}

func TestShow(t *testing.T) {
	d, o, ram := newDevice(t)
	show(t, d)
	shot, ok := o.Take(1)
	if !ok {
		t.Fatal("no frame")
	}
	ram[0x400] = 77 // the second piece, the pixel 0, 8
	var pixel [16 * 16 * 4]byte
	shot.Picture.Read(presentation.Target{Format: presentation.BGRX, Width: 16, Height: 16, Stride: 64, Bytes: pixel[:]}, shot.Picture.Bounds())
	if pixel[8*64] != 77 {
		t.Error("the pixels are read elsewhere")
	}
	ask(t, d, okNoData, command(ResourceFlush, 2, 2, 3, 3, 1, 0))
	if shot, _ = o.Take(1); len(shot.Damage) != 1 || shot.Damage[0] != image.Rect(2, 2, 5, 5) {
		t.Errorf("damage %v", shot.Damage)
	}
	d.Forget()
	if _, err := o.Picture(1); err == nil {
		t.Error("memory that is gone is still shown")
	}
	ask(t, d, errUnspecified, command(ResourceFlush, 0, 0, 16, 16, 1, 0))
	ask(t, d, okNoData, command(SetScanout, 0, 0, 0, 0, 0, 0))
	if len(o.Surfaces()) != 0 {
		t.Error("the screen is still on")
	}
}

func TestRefused(t *testing.T) {
	d, _, _ := newDevice(t)
	show(t, d)
	ask(t, d, okNoData, command(ResourceCreate2D, 2, 2, 16384, 1))
	for name, tt := range map[string]struct {
		want    response
		request []byte
	}{
		"unknown command":        {errUnspecified, command(0x10b)},
		"no header":              {errInvalidRequest, []byte{0, 1, 0, 0}},
		"ID 0":                   {errBadResource, command(ResourceCreate2D, 0, 2, 16, 16)},
		"ID taken":               {errBadResource, command(ResourceCreate2D, 1, 2, 16, 16)},
		"unknown format":         {errInvalidRequest, command(ResourceCreate2D, 9, 5, 16, 16)},
		"too wide":               {errInvalidRequest, command(ResourceCreate2D, 9, 2, 16385, 16)},
		"too much":               {errMemory, command(ResourceCreate2D, 9, 2, 16384, 16384)},
		"attached twice":         {errInvalidRequest, command(AttachBacking, 1, 1, 0x1000, 0, 512, 0)},
		"fewer pieces than told": {errInvalidRequest, command(AttachBacking, 2, 2, 0x1000, 0, 512, 0)},
		"too many pieces":        {errInvalidRequest, command(AttachBacking, 2, 0xffffffff, 0x1000, 0, 512, 0)},
		"not attached":           {errInvalidRequest, command(DetachBacking, 2, 0)},
		"no pixels":              {errInvalidRequest, command(TransferToHost2D, 0, 0, 1, 1, 0, 0, 2, 0)},
		"rectangle outside":      {errInvalidRequest, command(ResourceFlush, 1, 0, 16, 16, 1, 0)},
		"rectangle overflows":    {errInvalidRequest, command(ResourceFlush, 0xffffffff, 0, 0xffffffff, 1, 1, 0)},
		"another place":          {errInvalidRequest, command(TransferToHost2D, 0, 0, 16, 16, 4, 0, 1, 0)},
		"no such screen":         {errBadScanout, command(SetScanout, 0, 0, 16, 16, MaxScanouts, 1)},
		"an empty screen":        {errInvalidRequest, command(SetScanout, 0, 0, 0, 16, 0, 1)},
		"no such resource":       {errBadResource, command(SetScanout, 0, 0, 16, 16, 0, 3)},
		"unref of nothing":       {errBadResource, command(ResourceUnref, 3, 0)},
	} {
		t.Run(name, func(t *testing.T) { ask(t, d, tt.want, tt.request) })
	}
}

func TestFlood(t *testing.T) {
	d, _, _ := newDevice(t)
	pieces := make([]uint32, 2+4*MaxEntries)
	pieces[1] = MaxEntries
	refused := 0
	for i := range uint32(MaxResources + 10) {
		d.Control(nil, command(ResourceCreate2D, i+1, 2, 16384, 8192), time.Time{})
		pieces[0] = i + 1
		if response(binary.LittleEndian.Uint32(d.Control(nil, command(AttachBacking, pieces...), time.Time{}))) != okNoData {
			refused++
		}
	}
	if len(d.resources) != MaxResources || d.pieces != maxAllPieces || refused != MaxResources+10-maxAllPieces/MaxEntries {
		t.Errorf("%d resources with %d pieces, %d refused", len(d.resources), d.pieces, refused)
	}
	if d.Reset(); len(d.resources) != 0 || d.pieces != 0 {
		t.Error("a reset leaves resources")
	}
}

func TestCursor(t *testing.T) {
	d, o, ram := newDevice(t)
	show(t, d)
	copy(ram, []byte{10, 20, 40, 128})
	ask(t, d, okNoData, command(ResourceCreate2D, 2, 1, 2, 2))
	ask(t, d, okNoData, command(AttachBacking, 2, 1, 0x1000, 0, 16, 0))
	d.Cursor(command(UpdateCursor, 0, 5, 6, 0, 2, 1, 1, 0))
	if o.cursor.Image == nil || o.cursor.Image.Pix[0] != 79 || o.cursor.Image.Pix[3] != 128 || o.cursor.Hot != image.Pt(1, 1) || o.at != image.Pt(5, 6) {
		t.Errorf("cursor %+v at %v", o.cursor, o.at)
	}
	if d.Cursor(command(MoveCursor, 0, 0xffffffff, 9, 0, 0, 0, 0, 0)); o.at != image.Pt(-1, 9) {
		t.Errorf("moved to %v", o.at)
	}
	if d.Cursor(command(UpdateCursor, 0, 0, 0, 0, 0, 0, 0, 0)); o.cursor.Image != nil {
		t.Error("the cursor is not hidden")
	}
}

func TestEDID(t *testing.T) {
	for _, size := range []image.Point{{1920, 1080}, {640, 480}, {16384, 16384}} {
		e := EDID(size)
		var sum byte
		for _, b := range e {
			sum += b
		}
		want := image.Pt(min(size.X, 4095), min(size.Y, 4095))
		got := image.Pt(int(e[56])|int(e[58]>>4)<<8, int(e[59])|int(e[61]>>4)<<8)
		if sum != 0 || got != want || e[38] != 1920/8-31 || e[39] != 0xc0 {
			t.Errorf("%v: sum %d, prefers %v", size, sum, got)
		}
	}
	d, _, _ := newDevice(t)
	if n := len(ask(t, d, okEDID, command(GetEDID, 0, 0))); n != MaxReply {
		t.Errorf("%d bytes of EDID", n)
	}
	if b := ask(t, d, okDisplayInfo, command(GetDisplayInfo)); binary.LittleEndian.Uint32(b[32:]) != 1024 || binary.LittleEndian.Uint32(b[40:]) != 1 {
		t.Errorf("display info %v", b[24:48])
	}
}

// FuzzDevice sends arbitrary requests: bytes are short forms of the numbers that
// mean something, so that requests get past the first check.
// deviceSeeds are requests of a guest, ten bytes each.
var deviceSeeds = [][]byte{
	{1, 1, 2, 16, 16, 0, 0, 0, 0, 0, 6, 1, 1, 100, 0, 200, 0, 0, 0, 0, 3, 0, 0, 16, 16, 0, 1, 0, 0, 0, 4, 0, 0, 16, 16, 1, 0, 0, 0, 0},
	{1, 1, 2, 255, 255, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 14, 0, 1, 1, 0, 1, 1, 1, 1, 1, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12},
}

func FuzzDevice(f *testing.F) {
	for _, seed := range deviceSeeds {
		f.Add(seed)
	}
	var w growth.Watch
	f.Fuzz(func(t *testing.T, steps []byte) {
		hostileDriver(t, steps)
		w.Step(t)
	})
}

// TestNoGrowth is what FuzzDevice does, for a while.
func TestNoGrowth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w growth.Watch
	for i := range 3 * growth.Every {
		hostileDriver(t, growth.Mutate(random, deviceSeeds[i%len(deviceSeeds)]))
		w.Step(t)
	}
}

// hostileDriver is a driver that asks for what it likes.
func hostileDriver(t *testing.T, steps []byte) {
	t.Helper()
	d, o, _ := newDevice(t)
	numbers := [256]uint32{100: 0x1000, 101: 0x10ff0, 200: 1024, 201: 1 << 16, 253: 16384, 254: 1 << 31, 255: 0xffffffff}
	for i := range uint32(64) {
		numbers[i] = i
	}
	commands := [16]Command{GetDisplayInfo, ResourceCreate2D, ResourceUnref, SetScanout, ResourceFlush, TransferToHost2D, AttachBacking, DetachBacking, 0x108, 0x109, GetEDID, 0x10b, 0, MoveCursor, UpdateCursor, 0x10c}
	for ; len(steps) >= 10; steps = steps[10:] {
		fields := make([]uint32, 9)
		for i := range fields {
			fields[i] = numbers[steps[1+i]]
		}
		request := command(commands[steps[0]&15], fields...)
		switch c := commands[steps[0]&15]; c {
		case MoveCursor, UpdateCursor:
			d.Cursor(request)
		case 0:
			mem := d.mem
			d.Forget()
			d.SetMemory(mem)
		default:
			if n := len(d.Control(nil, request, time.Time{})); n < headerBytes || n > MaxReply {
				t.Fatalf("an answer of %d bytes", n)
			}
		}
	}
	pieces := 0
	for _, r := range d.resources {
		pieces += len(r.backing)
	}
	if pieces != d.pieces {
		t.Fatalf("%d pieces are counted, there are %d", d.pieces, pieces)
	}
	if d.Reset(); len(o.Surfaces()) != 0 {
		t.Fatalf("surfaces after a reset: %v", o.Surfaces())
	}
}
