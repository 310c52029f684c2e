package virtgpu

import "github.com/rayos/rayboot/presentation"

// Command is the type of a request (virtio 1.2 §5.7.6.7).
type Command uint32

// The commands of the control queue and, from UpdateCursor on, the cursor queue.
const (
	GetDisplayInfo   Command = 0x100
	ResourceCreate2D Command = 0x101
	ResourceUnref    Command = 0x102
	SetScanout       Command = 0x103
	ResourceFlush    Command = 0x104
	TransferToHost2D Command = 0x105
	AttachBacking    Command = 0x106
	DetachBacking    Command = 0x107
	GetEDID          Command = 0x10a
	UpdateCursor     Command = 0x300
	MoveCursor       Command = 0x301
)

// response is the type of an answer.
type response uint32

const (
	okNoData          response = 0x1100
	okDisplayInfo     response = 0x1101
	okEDID            response = 0x1104
	errUnspecified    response = 0x1200
	errMemory         response = 0x1201
	errBadScanout     response = 0x1202
	errBadResource    response = 0x1203
	errInvalidRequest response = 0x1205
)

// Sizes and limits. A guest that asks for more gets an error.
const (
	MaxRequest   = headerBytes + 8 + MaxEntries*entryBytes // bytes of the longest request that is taken
	MaxReply     = headerBytes + 8 + edidBytes             // bytes of the longest answer
	MaxScanouts  = 16
	MaxResources = 1024
	MaxEntries   = 16384   // pieces of memory of one resource
	maxAllPieces = 1 << 18 // of all resources together

	headerBytes = 24
	entryBytes  = 16
	edidBytes   = 1024
	flagFence   = 1
)

// Feature bits of the device (virtio 1.2 §5.7.3).
const FeatureEDID = 1 << 1

// formats of resources (virtio 1.2 §5.7.6.8).
var formats = map[uint32]presentation.Format{
	1: presentation.BGRA, 2: presentation.BGRX, 3: presentation.ARGB, 4: presentation.XRGB,
	67: presentation.RGBA, 68: presentation.XBGR, 121: presentation.ABGR, 134: presentation.RGBX,
}
