// Package virtgpu is a virtio-gpu device without 3D (virtio 1.2 §5.7): requests
// in, answers out, and surfaces for what the guest shows. It is pure; how
// requests come is the business of package vhostgpu.
//
// Nothing is copied when a guest transfers pixels to the device: what is flushed
// is read where the guest drew it. So the only copy is the one onto the screen.
package virtgpu

import (
	"encoding/binary"
	"image"
	"time"

	"github.com/rayos/rayboot/presentation"
)

// Output is where the guest's screens are shown; a display.Source is one.
type Output interface {
	Size() image.Point
	Create(output int, size image.Point) (presentation.ID, error)
	Update(id presentation.ID, u presentation.Update) error
	Move(id presentation.ID, p presentation.Picture) error
	Destroy(id presentation.ID) error
	SetCursor(id presentation.ID, c presentation.Cursor, at image.Point)
	MoveCursor(id presentation.ID, at image.Point)
}

// Device is the device of one guest. It is used by one goroutine.
type Device struct {
	out       Output
	mem       presentation.Memory
	resources map[uint32]*resource
	pieces    int // of the backing of all resources
	scanouts  [MaxScanouts]scanout
	counts    map[Command]int
	refused   int
}

type resource struct {
	format        presentation.Format
	width, height int
	backing       []presentation.Range
	picture       presentation.Picture // empty without backing, or if that is too small
}

type scanout struct {
	id       presentation.ID // 0 if it is off
	resource uint32
	rect     image.Rectangle // of the resource
	changed  bool            // shows something else since the last flush
}

// New makes a device that shows on out.
func New(out Output) *Device {
	return &Device{out: out, resources: make(map[uint32]*resource), counts: make(map[Command]int)}
}

// Counts returns how often each command was carried out, and how many requests
// were refused.
func (d *Device) Counts() (done map[Command]int, refused int) { return d.counts, d.refused }

// Forget lets go of the guest's memory, before it is unmapped.
func (d *Device) Forget() {
	d.mem = presentation.Memory{}
	for _, r := range d.resources {
		r.picture = presentation.Picture{}
	}
	d.movePictures()
}

// SetMemory gives the device the guest's memory. Resources keep their backing.
func (d *Device) SetMemory(m presentation.Memory) {
	d.mem = m
	for _, r := range d.resources {
		r.look(m)
	}
	d.movePictures()
}

// look finds the pixels of a resource in the guest's memory.
func (r *resource) look(m presentation.Memory) {
	r.picture = presentation.Picture{}
	if len(r.backing) == 0 {
		return
	}
	f := presentation.Frame{Format: r.format, Width: r.width, Height: r.height, Stride: r.width * r.format.Bytes(), Memory: r.backing}
	if p, err := presentation.NewPicture(f, m); err == nil { // else a transfer or a flush tells the guest
		r.picture = p
	}
}

// movePictures tells where the pixels of what is shown lie now.
func (d *Device) movePictures() {
	for i := range d.scanouts {
		if s := &d.scanouts[i]; s.id != 0 {
			_ = d.out.Move(s.id, d.part(s)) // the surface exists, and no other error is possible
		}
	}
}

// part returns what a scanout shows; it is empty where that has no pixels.
func (d *Device) part(s *scanout) presentation.Picture {
	r, ok := d.resources[s.resource]
	if !ok {
		return presentation.Picture{}
	}
	p, err := r.picture.Part(s.rect)
	if err != nil {
		return presentation.Picture{}
	}
	return p
}

// Reset is what a driver does first: all screens go off, all resources go away.
func (d *Device) Reset() {
	for i := range d.scanouts {
		d.off(i)
	}
	clear(d.resources)
	d.pieces = 0
}

// off switches a scanout off.
func (d *Device) off(i int) {
	if s := &d.scanouts[i]; s.id != 0 {
		_ = d.out.Destroy(s.id) // it exists
		*s = scanout{}
	}
}

// Control answers a request of the control queue, that the guest asked for at a
// time. It appends the answer to reply, at most MaxReply bytes.
func (d *Device) Control(reply, request []byte, since time.Time) []byte {
	b := body{request, 0}
	command := Command(b.u32())
	flags, fence := b.u32(), b.u64()
	context, _ := b.u32(), b.u32()
	start := len(reply)
	reply = append(reply, make([]byte, headerBytes)...)
	status := errInvalidRequest
	if !b.short() {
		status, reply = d.control(command, &b, reply, since)
	}
	if status >= errUnspecified {
		d.refused++
	} else {
		d.counts[command]++
	}
	h := reply[start:]
	binary.LittleEndian.PutUint32(h, uint32(status))
	if flags&flagFence != 0 {
		binary.LittleEndian.PutUint32(h[4:], flagFence)
		binary.LittleEndian.PutUint64(h[8:], fence)
		binary.LittleEndian.PutUint32(h[16:], context)
	}
	return reply
}

func (d *Device) control(command Command, b *body, reply []byte, since time.Time) (response, []byte) {
	switch command {
	case GetDisplayInfo:
		return okDisplayInfo, d.displayInfo(reply)
	case GetEDID:
		if n, _ := b.u32(), b.u32(); b.short() || n >= MaxScanouts {
			return errInvalidRequest, reply
		}
		return okEDID, d.edid(reply)
	case ResourceCreate2D:
		return d.create(b), reply
	case ResourceUnref:
		return d.unref(b), reply
	case SetScanout:
		return d.setScanout(b), reply
	case ResourceFlush:
		return d.flush(b, since), reply
	case TransferToHost2D:
		return d.transfer(b), reply
	case AttachBacking:
		return d.attach(b), reply
	case DetachBacking:
		return d.detach(b), reply
	}
	return errUnspecified, reply
}

// displayInfo appends struct virtio_gpu_resp_display_info without its header: one
// screen, as large as the sink likes it.
func (d *Device) displayInfo(reply []byte) []byte {
	const oneBytes = 24
	info := make([]byte, MaxScanouts*oneBytes)
	size := d.size()
	binary.LittleEndian.PutUint32(info[8:], uint32(size.X))
	binary.LittleEndian.PutUint32(info[12:], uint32(size.Y))
	binary.LittleEndian.PutUint32(info[16:], 1)
	return append(reply, info...)
}

// edid appends struct virtio_gpu_resp_edid without its header.
func (d *Device) edid(reply []byte) []byte {
	block := EDID(d.size())
	reply = binary.LittleEndian.AppendUint32(reply, uint32(len(block)))
	reply = binary.LittleEndian.AppendUint32(reply, 0)
	reply = append(reply, block[:]...)
	return append(reply, make([]byte, edidBytes-len(block))...)
}

// size is the size of screen that the guest is told; every guest can do the
// smallest.
func (d *Device) size() image.Point {
	size := d.out.Size()
	return image.Pt(min(max(size.X, 640), presentation.MaxSide), min(max(size.Y, 480), presentation.MaxSide))
}
