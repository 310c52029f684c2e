package kms

import (
	"structs"

	"github.com/rayos/rayboot/presentation/ioctl"
)

// The structures and numbers of Linux include/uapi/drm/drm.h and drm_mode.h, as far as they are used. Names and order are
// theirs; addresses are 64 bits wide on every machine.

type version struct {
	_                         structs.HostLayout
	major, minor, patch       int32
	_                         int32
	nameLen, name             uint64
	dateLen, date             uint64
	descriptionLen, descriptn uint64
}

type getCap struct {
	_                 structs.HostLayout
	capability, value uint64
}

type cardRes struct {
	_                                                    structs.HostLayout
	fbs, crtcs, connectors, encoders                     uint64 // addresses
	countFBs, countCRTCs, countConnectors, countEncoders uint32
	minWidth, maxWidth, minHeight, maxHeight             uint32
}

type modeInfo struct {
	_                                             structs.HostLayout
	clock                                         uint32 // kHz
	hdisplay, hsyncStart, hsyncEnd, htotal, hskew uint16
	vdisplay, vsyncStart, vsyncEnd, vtotal, vscan uint16
	vrefresh, flags, kind                         uint32
	name                                          [32]byte
}

type getConnector struct {
	_                                   structs.HostLayout
	encoders, modes, props, propValues  uint64 // addresses
	countModes, countProps, countEncs   uint32
	encoder, connector                  uint32
	connectorType, connectorTypeID      uint32
	connection, mmWidth, mmHeight, subp uint32
	_                                   uint32
}

type getEncoder struct {
	_                             structs.HostLayout
	encoder, kind, crtc           uint32
	possibleCRTCs, possibleClones uint32 // bit masks
}

type setCRTC struct {
	_                     structs.HostLayout
	connectors            uint64 // address
	countConnectors, crtc uint32
	fb, x, y              uint32
	gammaSize, modeValid  uint32
	mode                  modeInfo
}

type createDumb struct {
	_                         structs.HostLayout
	height, width, bpp, flags uint32
	handle, pitch             uint32
	size                      uint64
}

type mapDumb struct {
	_         structs.HostLayout
	handle, _ uint32
	offset    uint64
}

type destroyDumb struct {
	_      structs.HostLayout
	handle uint32
}

type addFB struct {
	_                 structs.HostLayout
	fb, width, height uint32
	pitch, bpp, depth uint32
	handle            uint32
}

type pageFlip struct {
	_                  structs.HostLayout
	crtc, fb, flags, _ uint32
	userData           uint64
}

type dirtyFB struct {
	_                            structs.HostLayout
	fb, flags, color, countClips uint32
	clips                        uint64 // address
}

type clipRect struct {
	_              structs.HostLayout
	x1, y1, x2, y2 uint16
}

type cursor2 struct {
	_             structs.HostLayout
	flags, crtc   uint32
	x, y          int32
	width, height uint32
	handle        uint32
	hotX, hotY    int32
}

// Requests, all of type 'd'.
var (
	ioVersion      = ioctl.RW[version]('d', 0x00)
	ioGetCap       = ioctl.RW[getCap]('d', 0x0c)
	ioSetMaster    = ioctl.Request('d'<<8 | 0x1e)
	ioGetResources = ioctl.RW[cardRes]('d', 0xa0)
	ioGetCRTC      = ioctl.RW[setCRTC]('d', 0xa1)
	ioSetCRTC      = ioctl.RW[setCRTC]('d', 0xa2)
	ioGetEncoder   = ioctl.RW[getEncoder]('d', 0xa6)
	ioGetConnector = ioctl.RW[getConnector]('d', 0xa7)
	ioAddFB        = ioctl.RW[addFB]('d', 0xae)
	ioRmFB         = ioctl.RW[uint32]('d', 0xaf)
	ioPageFlip     = ioctl.RW[pageFlip]('d', 0xb0)
	ioDirtyFB      = ioctl.RW[dirtyFB]('d', 0xb1)
	ioCreateDumb   = ioctl.RW[createDumb]('d', 0xb2)
	ioMapDumb      = ioctl.RW[mapDumb]('d', 0xb3)
	ioDestroyDumb  = ioctl.RW[destroyDumb]('d', 0xb4)
	ioCursor2      = ioctl.RW[cursor2]('d', 0xbb)
)

const (
	capDumbBuffer   = 0x1
	capCursorWidth  = 0x8
	capCursorHeight = 0x9

	connected     = 1      // of getConnector.connection
	typePreferred = 1 << 3 // of modeInfo.kind
	flagInterlace = 1 << 4 // of modeInfo.flags

	flipEvent = 1 // of pageFlip.flags

	cursorBO   = 1 // of cursor2.flags
	cursorMove = 2

	maxClips = 256 // of dirtyFB

	eventFlipComplete = 2
	eventHeader       = 8  // bytes: type and length
	eventFlipBytes    = 32 // struct drm_event_vblank
)
