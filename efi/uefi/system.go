package uefi

import (
	"errors"
	"fmt"
	"sync"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// Handle is an EFI_HANDLE: a device, an image or a service that has protocols.
type Handle uintptr

// System is one firmware with the image that runs on it: the system table, its
// services, and the protocols found through them (UEFI 2.10 §4).
type System struct {
	gate  gate.Interface
	image Handle
	table *raw.SystemTable

	mu      sync.Mutex
	pages   map[uintptr]*Pages // by address, all that are not yet freed
	options map[Handle]*Pages  // load options set for an image
}

// New makes a System of the system table at an address, for an image. Programs
// call [Running]; tests call the New of package fakefw.
func New(g gate.Interface, image Handle, table uintptr) (*System, error) {
	if table == 0 {
		return nil, errors.New("open system table: there is none")
	}
	t := raw.At[raw.SystemTable](table)
	if t.Hdr.Signature != raw.SystemTableSignature {
		return nil, fmt.Errorf("open system table: signature %#x is not %q", t.Hdr.Signature, "IBI SYST")
	}
	if t.BootServices == 0 || t.RuntimeServices == 0 {
		return nil, errors.New("open system table: it has no services")
	}
	return &System{
		gate: g, image: image, table: t,
		pages: make(map[uintptr]*Pages), options: make(map[Handle]*Pages),
	}, nil
}

// ImageHandle is the handle of the running image.
func (s *System) ImageHandle() Handle { return s.image }

// FirmwareVendor names the maker of the firmware; at most 256 characters.
func (s *System) FirmwareVendor() string { return stringAt(s.table.FirmwareVendor, 256) }

// FirmwareRevision is the vendor's revision number.
func (s *System) FirmwareRevision() uint32 { return s.table.FirmwareRevision }

// Revision is the revision of the specification that the firmware follows.
func (s *System) Revision() Revision { return Revision(s.table.Hdr.Revision) }

// Revision is a revision of the specification as in EFI_TABLE_HEADER: the major
// number in the upper half, ten times the minor number in the lower one.
type Revision uint32

// String is the usual form, such as 2.10 or 2.3.1.
func (r Revision) String() string {
	major, minor, patch := r>>16, r&0xffff/10, r&0xffff%10
	if patch == 0 {
		return fmt.Sprintf("%d.%d", major, minor)
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (s *System) boot() *raw.BootServices {
	return raw.At[raw.BootServices](s.table.BootServices)
}

func (s *System) runtime() *raw.RuntimeServices {
	return raw.At[raw.RuntimeServices](s.table.RuntimeServices)
}

// call calls a firmware function. A null function, as revisions older than a
// service leave it, is unsupported.
func (s *System) call(fn uintptr, args ...gate.Arg) Status {
	if fn == 0 {
		return ErrUnsupported
	}
	return Status(s.gate.Call(fn, args...))
}

// maxHandles bounds what the firmware may say about the number of handles.
const maxHandles = 1 << 16

// Handles are the handles that have a protocol, in the firmware's order; none is
// not an error (UEFI 2.10 §7.3.15).
func (s *System) Handles(protocol GUID) ([]Handle, error) {
	var count, buffer uintptr
	status := s.call(s.boot().LocateHandleBuffer, gate.Word(uintptr(raw.ByProtocol)), gate.Pointer(&protocol),
		gate.Word(uintptr(0)), gate.Pointer(&count), gate.Pointer(&buffer))
	switch {
	case status == ErrNotFound:
		return nil, nil
	case status.IsError():
		return nil, fmt.Errorf("locate handles with protocol %s: %w", protocol, status)
	case buffer == 0:
		return nil, nil
	}
	var err error
	var handles []Handle
	if count > maxHandles {
		err = fmt.Errorf("locate handles with protocol %s: the firmware claims %d of them", protocol, count)
	} else {
		handles = append(handles, raw.Slice[Handle](buffer, int(count))...)
	}
	return handles, join(err, s.freePool(buffer))
}

// protocol finds a protocol of a handle and returns the interface's address
// (UEFI 2.10 §7.3.9). It stays open without a record that would need closing:
// the protocols used here go only when the firmware takes a device away.
func (s *System) protocol(h Handle, protocol GUID) (uintptr, error) {
	var iface uintptr
	status := s.call(s.boot().OpenProtocol, gate.Word(h), gate.Pointer(&protocol), gate.Pointer(&iface),
		gate.Word(s.image), gate.Word(uintptr(0)), gate.Word(uintptr(raw.GetProtocol)))
	if err := status.Err(); err != nil {
		return 0, err
	}
	if iface == 0 {
		return 0, ErrUnsupported
	}
	return iface, nil
}
