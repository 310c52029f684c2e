package fakefw

import (
	"slices"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// handle is an entry of the handle database. Protocols keep their order.
type handle struct {
	id        uefi.Handle
	protocols []installed
	program   bool // the program installed it
}

type installed struct {
	guid uefi.GUID
	addr uintptr
}

func (h *handle) install(g uefi.GUID, addr uintptr) {
	h.protocols = append(h.protocols, installed{g, addr})
}

func (h *handle) find(g uefi.GUID) int {
	return slices.IndexFunc(h.protocols, func(p installed) bool { return p.guid == g })
}

func (fw *Firmware) newHandle() *handle {
	h := &handle{id: uefi.Handle(fw.newID())}
	fw.handles = append(fw.handles, h)
	return h
}

func (fw *Firmware) handle(id uintptr) *handle {
	for _, h := range fw.handles {
		if h.id == uefi.Handle(id) {
			return h
		}
	}
	return nil
}

func (fw *Firmware) removeHandle(id uefi.Handle) {
	fw.handles = slices.DeleteFunc(fw.handles, func(h *handle) bool { return h.id == id })
}

func guidAt(addr uintptr) uefi.GUID { return uefi.GUID(*raw.At[raw.GUID](addr)) }

func (fw *Firmware) openProtocol(args []uintptr) uefi.Status {
	h := fw.handle(args[0])
	if h == nil || args[5] != raw.GetProtocol || uefi.Handle(args[3]) != fw.app {
		return uefi.ErrInvalidParameter
	}
	i := h.find(guidAt(args[1]))
	if i < 0 {
		return uefi.ErrUnsupported
	}
	*raw.At[uintptr](args[2]) = h.protocols[i].addr
	return uefi.Success
}

func (fw *Firmware) locateHandleBuffer(args []uintptr) uefi.Status {
	if args[0] != raw.ByProtocol {
		return uefi.ErrInvalidParameter
	}
	g := guidAt(args[1])
	var found []byte
	count := uintptr(0)
	for _, h := range fw.handles {
		if h.find(g) >= 0 {
			id := uintptr(h.id)
			found = append(found, raw.Encode(&id)...)
			count++
		}
	}
	if count == 0 {
		return uefi.ErrNotFound
	}
	*raw.At[uintptr](args[3]) = count
	*raw.At[uintptr](args[4]) = fw.newPool(found)
	return uefi.Success
}

// installProtocols takes pairs of GUID and interface up to a null. A second
// handle with the same device path is refused.
func (fw *Firmware) installProtocols(args []uintptr) uefi.Status {
	result := raw.At[uintptr](args[0])
	if *result != 0 {
		return uefi.ErrUnsupported
	}
	h := &handle{program: true}
	for rest := args[1:]; rest[0] != 0; rest = rest[2:] {
		g := guidAt(rest[0])
		if g == uefi.DevicePathProtocol && fw.pathTaken(pathAt(rest[1])) {
			return uefi.ErrAlreadyStarted
		}
		h.install(g, rest[1])
	}
	h.id = uefi.Handle(fw.newID())
	fw.handles = append(fw.handles, h)
	*result = uintptr(h.id)
	return uefi.Success
}

func (fw *Firmware) uninstallProtocols(args []uintptr) uefi.Status {
	h := fw.handle(args[0])
	if h == nil {
		return uefi.ErrInvalidParameter
	}
	for rest := args[1:]; rest[0] != 0; rest = rest[2:] {
		i := slices.Index(h.protocols, installed{guidAt(rest[0]), rest[1]})
		if i < 0 {
			return uefi.ErrInvalidParameter
		}
		h.protocols = slices.Delete(h.protocols, i, i+1)
	}
	if len(h.protocols) == 0 {
		fw.removeHandle(h.id)
	}
	return uefi.Success
}

// pathAt copies a device path out of memory; the fake trusts it.
func pathAt(addr uintptr) uefi.DevicePath {
	if addr == 0 {
		return nil
	}
	for size := 4; ; size++ {
		if p, err := uefi.ParseDevicePath(raw.Bytes(addr, size)); err == nil {
			return append(uefi.DevicePath(nil), p...)
		}
	}
}

func (fw *Firmware) pathTaken(p uefi.DevicePath) bool {
	return slices.ContainsFunc(fw.handles, func(h *handle) bool {
		i := h.find(uefi.DevicePathProtocol)
		return i >= 0 && slices.Equal(pathAt(h.protocols[i].addr), p)
	})
}
