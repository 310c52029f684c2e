package input

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"structs"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/presentation/ioctl"
)

// evdevDir is where the input devices are.
const evdevDir = "/dev/input"

// Devices is all keyboards and pointing devices of the machine, those that are plugged in later too. While it is open
// nobody else gets their events.
type Devices struct {
	// Events gets the events of one report of one device at a time. It is closed by Close.
	Events <-chan []Event

	events chan []Event
	notify *os.File
	ctx    context.Context
	stop   context.CancelFunc
	wait   sync.WaitGroup

	mu   sync.Mutex
	open map[string]*device
}

// device is an open input device.
type device struct {
	file    *os.File
	decoder decoder
	down    map[Code]bool
}

// Open takes the devices.
func Open() (*Devices, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch for keyboards: %w", err)
	}
	notify := os.NewFile(uintptr(fd), "inotify")
	if err := os.MkdirAll(evdevDir, 0o755); err != nil { // it comes with the first device
		return nil, errors.Join(fmt.Errorf("watch for keyboards: %w", err), notify.Close())
	}
	if _, err := unix.InotifyAddWatch(fd, evdevDir, unix.IN_CREATE|unix.IN_ATTRIB); err != nil {
		return nil, errors.Join(fmt.Errorf("watch for keyboards: %w", err), notify.Close())
	}
	d := &Devices{events: make(chan []Event), notify: notify, open: map[string]*device{}}
	d.Events = d.events
	d.ctx, d.stop = context.WithCancel(context.Background())
	d.scan()
	d.wait.Add(1)
	go d.follow()
	return d, nil
}

// scan takes the devices that are not taken yet. One that cannot be taken is left to whoever has it.
func (d *Devices) scan() {
	paths, _ := filepath.Glob(filepath.Join(evdevDir, "event*")) // the pattern is good
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range paths {
		if d.open[path] != nil || d.ctx.Err() != nil {
			continue
		}
		dev, err := take(path)
		if err != nil || dev == nil {
			continue
		}
		d.open[path] = dev
		d.wait.Add(1)
		go d.read(path, dev)
	}
}

// follow scans each time that something is plugged in.
func (d *Devices) follow() {
	defer d.wait.Done()
	changes := make([]byte, 4096)
	for {
		if _, err := d.notify.Read(changes); err != nil {
			return // closed
		}
		d.scan()
	}
}

// Names returns the devices that are taken.
func (d *Devices) Names() (names []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path := range d.open {
		names = append(names, filepath.Base(path))
	}
	return names
}

// Close gives the devices back.
func (d *Devices) Close() error {
	d.stop()
	d.mu.Lock()
	err := d.notify.Close()
	for _, dev := range d.open {
		err = errors.Join(err, dev.file.Close())
	}
	d.mu.Unlock()
	d.wait.Wait()
	close(d.events)
	return err
}

// take opens a device, if it is a keyboard or points at something, and takes it for us alone.
func take(path string) (*device, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	dev := &device{file: f, down: map[Code]bool{}}
	wanted, err := dev.examine()
	if err == nil && wanted {
		err = dev.control(func(fd uintptr) error { return unix.IoctlSetInt(int(fd), uint(ioGrab), 1) })
	}
	if err != nil || !wanted {
		return nil, errors.Join(err, f.Close())
	}
	return dev, nil
}

// Requests of evdev (input.h), of type 'E'.
type absInfo struct {
	_                                          structs.HostLayout
	value, first, last, fuzz, flat, resolution int32
}

var (
	ioGrab    = ioctl.Request(0x40044590)
	ioKeys    = ioctl.Bytes('E', 0x18, maxKeys/8) // those that are down
	ioHasKeys = ioctl.Bytes('E', 0x20+evKey, maxKeys/8)
	ioHasRel  = ioctl.Bytes('E', 0x20+evRel, 8)
	ioHasAbs  = ioctl.Bytes('E', 0x20+evAbs, 8)
	ioAbsX    = ioctl.R[absInfo]('E', 0x40+absX)
	ioAbsY    = ioctl.R[absInfo]('E', 0x40+absY)
)

// maxKeys is one more than the last key (KEY_MAX).
const maxKeys = 0x300

func (dev *device) control(f func(fd uintptr) error) error {
	conn, err := dev.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	return errors.Join(conn.Control(func(fd uintptr) { inner = f(fd) }), inner)
}

// examine asks a device what it is. A switch or a power button, which has some keys too, is not ours.
func (dev *device) examine() (wanted bool, err error) {
	keys, rel, abs := make([]byte, maxKeys/8), make([]byte, 8), make([]byte, 8)
	err = dev.control(func(fd uintptr) error {
		err := errors.Join(ioctl.Fill(fd, ioHasKeys, keys), ioctl.Fill(fd, ioHasRel, rel), ioctl.Fill(fd, ioHasAbs, abs))
		if err != nil || !has(abs, absX) || !has(abs, absY) {
			return err
		}
		var x, y absInfo
		err = errors.Join(ioctl.Do(fd, ioAbsX, &x), ioctl.Do(fd, ioAbsY, &y))
		dev.decoder.x, dev.decoder.y = limits{x.first, x.last}, limits{y.first, y.last}
		return err
	})
	points := has(rel, relX) && has(rel, relY) && has(keys, int(ButtonLeft)) ||
		has(abs, absX) && has(abs, absY) && (has(keys, int(ButtonLeft)) || has(keys, int(ButtonTouch)))
	const keyA, keyEnter = 30, 28
	return points || has(keys, keyA) && has(keys, keyEnter), err
}

func has(bits []byte, n int) bool { return n/8 < len(bits) && bits[n/8]&(1<<(n%8)) != 0 }

// read passes a device's events on until it is closed or unplugged. Keys that are down then come up.
func (d *Devices) read(path string, dev *device) {
	defer d.wait.Done()
	buffer := make([]byte, 64*eventBytes)
	for {
		n, err := dev.file.Read(buffer)
		if err != nil {
			break
		}
		dev.decoder.decode(buffer[:n], func(events []Event) {
			for _, e := range events {
				if e.Kind == Key {
					dev.down[e.Code] = e.Down
				}
			}
			d.pass(events)
		}, func() { d.pass(dev.resync()) })
	}
	d.mu.Lock()
	delete(d.open, path)
	d.mu.Unlock()
	d.pass(dev.changes(make([]byte, maxKeys/8)))
	_ = dev.file.Close() // it may be closed already
}

func (d *Devices) pass(events []Event) {
	if len(events) == 0 {
		return
	}
	select {
	case d.events <- events:
	case <-d.ctx.Done():
	}
}

// resync asks which keys are down, after events were lost.
func (dev *device) resync() []Event {
	keys := make([]byte, maxKeys/8)
	if err := dev.control(func(fd uintptr) error { return ioctl.Fill(fd, ioKeys, keys) }); err != nil {
		clear(keys)
	}
	return dev.changes(keys)
}

// changes returns the events from which it follows that these keys are down.
func (dev *device) changes(keys []byte) (events []Event) {
	for c := range Code(maxKeys) {
		if down := has(keys, int(c)); down != dev.down[c] {
			dev.down[c] = down
			events = append(events, Event{Kind: Key, Code: c, Down: down})
		}
	}
	return events
}
