package uefi

import (
	"fmt"
	"sync"

	"github.com/rayos/rayboot/efi/uefi/internal/gate"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// ServeInitrd offers the pages as the initrd of the next Linux kernel: a new
// handle has EFI_LOAD_FILE2_PROTOCOL (UEFI 2.10 §13.2) and the vendor media device
// path by which a kernel looks for it. The pages must stay allocated until remove
// is called. A second initrd at the same time is ErrAlreadyStarted.
//
// A kernel that comes back did not boot; remove is then called like after any
// other error.
func (s *System) ServeInitrd(p *Pages) (remove func() error, err error) {
	path, err := DevicePath(nil).Append(VendorMediaNode(LinuxInitrd, nil))
	if err != nil {
		return nil, fmt.Errorf("serve initrd: %w", err)
	}
	// The kernel calls the protocol while no Go memory exists: it and its path
	// lie in pages.
	size := int(raw.SizeOf[raw.LoadFile2Protocol]())
	record, err := s.AllocatePages(size + len(path))
	if err != nil {
		return nil, fmt.Errorf("serve initrd: %w", err)
	}
	iface, pathAddr := record.Address(), record.Address()+uintptr(size)
	*raw.At[raw.LoadFile2Protocol](iface) = raw.LoadFile2Protocol{
		LoadFile: s.gate.LoadFile2Entry(), Data: p.Address(), Size: uintptr(len(p.Bytes())),
	}
	copy(record.Bytes()[size:], path)
	h, err := s.installInitrd(pathAddr, iface)
	if err != nil {
		return nil, join(fmt.Errorf("serve initrd: %w", err), record.Free())
	}
	return sync.OnceValue(func() error {
		if err := s.uninstallInitrd(h, pathAddr, iface); err != nil {
			// The firmware still refers to the record: it must stay.
			return fmt.Errorf("remove initrd: %w", err)
		}
		return record.Free()
	}), nil
}

// installInitrd puts both protocols on a new handle (UEFI 2.10 §7.3.17).
func (s *System) installInitrd(path, iface uintptr) (h Handle, err error) {
	pathID, fileID := DevicePathProtocol, LoadFile2Protocol
	status := s.call(s.boot().InstallMultipleProtocolInterfaces, gate.Pointer(&h),
		gate.Pointer(&pathID), gate.Word(path), gate.Pointer(&fileID), gate.Word(iface), gate.Word(uintptr(0)))
	return h, status.Err()
}

// uninstallInitrd takes both protocols and with them the handle away
// (UEFI 2.10 §7.3.18).
func (s *System) uninstallInitrd(h Handle, path, iface uintptr) error {
	pathID, fileID := DevicePathProtocol, LoadFile2Protocol
	return s.call(s.boot().UninstallMultipleProtocolInterfaces, gate.Word(h),
		gate.Pointer(&pathID), gate.Word(path), gate.Pointer(&fileID), gate.Word(iface), gate.Word(uintptr(0))).Err()
}
