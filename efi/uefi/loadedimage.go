package uefi

import (
	"fmt"

	"github.com/rayos/rayboot/efi/uefi/internal/raw"
)

// LoadedImage describes a loaded image (EFI_LOADED_IMAGE_PROTOCOL, UEFI 2.10
// §9.1).
type LoadedImage struct {
	Device      Handle     // where it came from, 0 if that is unknown
	FilePath    DevicePath // on the device, may be empty
	LoadOptions []byte     // in a Linux command line, UTF-16LE
	Base        uintptr
	Size        uint64

	sys    *System
	handle Handle
	record *raw.LoadedImageProtocol
}

// maxLoadOptions bounds load options, in bytes.
const maxLoadOptions = 1 << 20

// LoadedImage describes an image by its handle.
func (s *System) LoadedImage(h Handle) (*LoadedImage, error) {
	addr, err := s.protocol(h, LoadedImageProtocol)
	if err != nil {
		return nil, fmt.Errorf("describe image %#x: %w", uintptr(h), err)
	}
	r := raw.At[raw.LoadedImageProtocol](addr)
	path, err := devicePathAt(r.FilePath)
	if err != nil {
		return nil, fmt.Errorf("describe image %#x: %w", uintptr(h), err)
	}
	if r.LoadOptionsSize > maxLoadOptions {
		return nil, fmt.Errorf("describe image %#x: load options take %d bytes, more than %d", uintptr(h), r.LoadOptionsSize, maxLoadOptions)
	}
	image := &LoadedImage{
		Device: Handle(r.DeviceHandle), FilePath: path, Base: r.ImageBase, Size: r.ImageSize,
		sys: s, handle: h, record: r,
	}
	if r.LoadOptions != 0 {
		image.LoadOptions = append(image.LoadOptions, raw.Bytes(r.LoadOptions, int(r.LoadOptionsSize))...)
	}
	return image, nil
}

// maxImageBytes bounds what an image takes in memory.
const maxImageBytes = 1 << 30

// Memory is the image as the firmware loaded it: its headers, then its sections at
// their addresses. It is the memory itself: it must not be written, and not be
// read after the image is unloaded. An image without a place in memory, or with
// one of more than 1 GiB, is an error.
func (l *LoadedImage) Memory() ([]byte, error) {
	if l.Base == 0 || l.Size == 0 || l.Size > maxImageBytes || uint64(l.Base)+l.Size < l.Size {
		return nil, fmt.Errorf("read image %#x: it has %d bytes at %#x, says the firmware", uintptr(l.handle), l.Size, l.Base)
	}
	return raw.Bytes(l.Base, int(l.Size)), nil
}

// SetLoadOptions gives the image its load options, for Linux the command line
// from [EncodeUTF16]. The copy that the image sees is freed by StartImage and
// UnloadImage.
func (l *LoadedImage) SetLoadOptions(b []byte) error {
	if len(b) > maxLoadOptions {
		return fmt.Errorf("set load options: %d bytes are more than %d", len(b), maxLoadOptions)
	}
	p, err := l.sys.AllocatePages(len(b))
	if err != nil {
		return fmt.Errorf("set load options: %w", err)
	}
	copy(p.Bytes(), b)
	l.record.LoadOptions, l.record.LoadOptionsSize = p.Address(), uint32(len(b))
	l.LoadOptions = append([]byte(nil), b...)
	err = l.sys.freeOptions(l.handle)
	l.sys.mu.Lock()
	defer l.sys.mu.Unlock()
	l.sys.options[l.handle] = p
	return err
}

// freeOptions frees the load options that were set for an image, if any.
func (s *System) freeOptions(h Handle) error {
	s.mu.Lock()
	p := s.options[h]
	delete(s.options, h)
	s.mu.Unlock()
	if p == nil {
		return nil
	}
	if err := p.Free(); err != nil {
		return fmt.Errorf("free load options: %w", err)
	}
	return nil
}
