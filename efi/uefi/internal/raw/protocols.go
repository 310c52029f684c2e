package raw

// SimpleTextInputProtocol is EFI_SIMPLE_TEXT_INPUT_PROTOCOL (UEFI 2.10 §12.3).
type SimpleTextInputProtocol struct {
	Reset         uintptr
	ReadKeyStroke uintptr
	WaitForKey    uintptr // EFI_EVENT
}

// InputKey is EFI_INPUT_KEY (UEFI 2.10 §12.3.3).
type InputKey struct {
	ScanCode    uint16
	UnicodeChar uint16
}

// SimpleTextOutputProtocol is EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL (UEFI 2.10 §12.4).
type SimpleTextOutputProtocol struct {
	Reset             uintptr
	OutputString      uintptr
	TestString        uintptr
	QueryMode         uintptr
	SetMode           uintptr
	SetAttribute      uintptr
	ClearScreen       uintptr
	SetCursorPosition uintptr
	EnableCursor      uintptr
	Mode              uintptr // SimpleTextOutputMode
}

// SimpleTextOutputMode is SIMPLE_TEXT_OUTPUT_MODE (UEFI 2.10 §12.4.1).
type SimpleTextOutputMode struct {
	MaxMode       int32
	Mode          int32
	Attribute     int32
	CursorColumn  int32
	CursorRow     int32
	CursorVisible uint8
}

// GraphicsOutputProtocol is EFI_GRAPHICS_OUTPUT_PROTOCOL (UEFI 2.10 §12.9.2).
type GraphicsOutputProtocol struct {
	QueryMode uintptr
	SetMode   uintptr
	Blt       uintptr
	Mode      uintptr // GraphicsOutputProtocolMode
}

// GraphicsOutputProtocolMode is EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE.
type GraphicsOutputProtocolMode struct {
	MaxMode         uint32
	Mode            uint32
	Info            uintptr // GraphicsOutputModeInformation
	SizeOfInfo      uintptr
	FrameBufferBase uint64
	FrameBufferSize uintptr
}

// GraphicsOutputModeInformation is EFI_GRAPHICS_OUTPUT_MODE_INFORMATION.
type GraphicsOutputModeInformation struct {
	Version              uint32
	HorizontalResolution uint32
	VerticalResolution   uint32
	PixelFormat          uint32
	PixelInformation     [4]uint32 // EFI_PIXEL_BITMASK: red, green, blue, reserved
	PixelsPerScanLine    uint32
}

// EFI_GRAPHICS_OUTPUT_BLT_OPERATION (UEFI 2.10 §12.9.2.3).
const (
	BltVideoFill        = 0
	BltVideoToBltBuffer = 1
	BltBufferToVideo    = 2
	BltVideoToVideo     = 3
)

// SimpleFileSystemProtocol is EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI 2.10 §13.4).
type SimpleFileSystemProtocol struct {
	Revision   uint64
	OpenVolume uintptr
}

// FileProtocol is EFI_FILE_PROTOCOL, revision 1 (UEFI 2.10 §13.5).
type FileProtocol struct {
	Revision    uint64
	Open        uintptr
	Close       uintptr
	Delete      uintptr
	Read        uintptr
	Write       uintptr
	GetPosition uintptr
	SetPosition uintptr
	GetInfo     uintptr
	SetInfo     uintptr
	Flush       uintptr
}

// Open modes and attributes of files (UEFI 2.10 §13.5.2).
const (
	FileModeRead   = 0x1
	FileModeWrite  = 0x2
	FileModeCreate = 1 << 63

	FileReadOnly  = 0x1
	FileDirectory = 0x10
)

// FileInfo is the fixed part of EFI_FILE_INFO; the name follows as CHAR16 with
// a terminating null (UEFI 2.10 §13.5.16).
type FileInfo struct {
	Size             uint64
	FileSize         uint64
	PhysicalSize     uint64
	CreateTime       Time
	LastAccessTime   Time
	ModificationTime Time
	Attribute        uint64
}

// FileSystemInfo is the fixed part of EFI_FILE_SYSTEM_INFO with the start of the
// label, which is CHAR16 with a terminating null (UEFI 2.10 §13.5.17).
type FileSystemInfo struct {
	Size        uint64
	ReadOnly    uint8
	_           [7]uint8
	VolumeSize  uint64
	FreeSpace   uint64
	BlockSize   uint32
	VolumeLabel [2]uint16
}

// BlockIOProtocol is EFI_BLOCK_IO_PROTOCOL (UEFI 2.10 §13.9).
type BlockIOProtocol struct {
	Revision    uint64
	Media       uintptr // BlockIOMedia
	Reset       uintptr
	ReadBlocks  uintptr
	WriteBlocks uintptr
	FlushBlocks uintptr
}

// BlockIOMedia is the part of EFI_BLOCK_IO_MEDIA that every revision has
// (UEFI 2.10 §13.9.1).
type BlockIOMedia struct {
	MediaID          uint32
	RemovableMedia   uint8
	MediaPresent     uint8
	LogicalPartition uint8
	ReadOnly         uint8
	WriteCaching     uint8
	_                [3]uint8
	BlockSize        uint32
	IoAlign          uint32
	_                uint32
	LastBlock        uint64
}

// LoadedImageProtocol is EFI_LOADED_IMAGE_PROTOCOL (UEFI 2.10 §9.1).
type LoadedImageProtocol struct {
	Revision        uint32
	_               uint32
	ParentHandle    uintptr
	SystemTable     uintptr
	DeviceHandle    uintptr
	FilePath        uintptr // EFI_DEVICE_PATH_PROTOCOL
	Reserved        uintptr
	LoadOptionsSize uint32
	_               uint32
	LoadOptions     uintptr
	ImageBase       uintptr
	ImageSize       uint64
	ImageCodeType   uint32
	ImageDataType   uint32
	Unload          uintptr
}

// LoadFile2Protocol is EFI_LOAD_FILE2_PROTOCOL with the two words behind it
// that goefi's callback serves (UEFI 2.10 §13.2).
type LoadFile2Protocol struct {
	LoadFile uintptr
	Data     uintptr // address of the bytes to serve
	Size     uintptr // their number
}

// RNGProtocol is EFI_RNG_PROTOCOL (UEFI 2.10 §37.5).
type RNGProtocol struct {
	GetInfo uintptr
	GetRNG  uintptr
}

// PartitionInfoProtocol is EFI_PARTITION_INFO_PROTOCOL, which the
// specification packs; its union begins at byte 16 (UEFI 2.10 §13.18).
type PartitionInfoProtocol struct {
	Revision uint32
	Type     uint32
	System   uint8
	_        [7]uint8
	Info     [128]byte // MBRPartitionRecord or GPTPartitionEntry
}

// Types of PartitionInfoProtocol.
const (
	PartitionTypeOther = 0
	PartitionTypeMBR   = 1
	PartitionTypeGPT   = 2
)

// GPTPartitionEntry is EFI_PARTITION_ENTRY (UEFI 2.10 §5.3.3).
type GPTPartitionEntry struct {
	PartitionTypeGUID   GUID
	UniquePartitionGUID GUID
	StartingLBA         uint64
	EndingLBA           uint64
	Attributes          uint64
	PartitionName       [36]uint16
}
