package raw

// TableHeader is EFI_TABLE_HEADER (UEFI 2.10 §4.2).
type TableHeader struct {
	Signature  uint64
	Revision   uint32
	HeaderSize uint32
	CRC32      uint32
	Reserved   uint32
}

// Signatures of the three tables (UEFI 2.10 §4.3 to §4.5).
const (
	SystemTableSignature     = 0x5453595320494249 // "IBI SYST"
	BootServicesSignature    = 0x56524553544f4f42 // "BOOTSERV"
	RuntimeServicesSignature = 0x56524553544e5552 // "RUNTSERV"
)

// SystemTable is EFI_SYSTEM_TABLE (UEFI 2.10 §4.3).
type SystemTable struct {
	Hdr                  TableHeader
	FirmwareVendor       uintptr // CHAR16*
	FirmwareRevision     uint32
	_                    uint32
	ConsoleInHandle      uintptr
	ConIn                uintptr // SimpleTextInputProtocol
	ConsoleOutHandle     uintptr
	ConOut               uintptr // SimpleTextOutputProtocol
	StandardErrorHandle  uintptr
	StdErr               uintptr
	RuntimeServices      uintptr
	BootServices         uintptr
	NumberOfTableEntries uintptr
	ConfigurationTable   uintptr
}

// ConfigurationTable is EFI_CONFIGURATION_TABLE (UEFI 2.10 §4.6).
type ConfigurationTable struct {
	VendorGUID  GUID
	VendorTable uintptr
}

// BootServices is EFI_BOOT_SERVICES (UEFI 2.10 §4.4).
type BootServices struct {
	Hdr TableHeader

	RaiseTPL   uintptr
	RestoreTPL uintptr

	AllocatePages uintptr
	FreePages     uintptr
	GetMemoryMap  uintptr
	AllocatePool  uintptr
	FreePool      uintptr

	CreateEvent  uintptr
	SetTimer     uintptr
	WaitForEvent uintptr
	SignalEvent  uintptr
	CloseEvent   uintptr
	CheckEvent   uintptr

	InstallProtocolInterface   uintptr
	ReinstallProtocolInterface uintptr
	UninstallProtocolInterface uintptr
	HandleProtocol             uintptr
	Reserved                   uintptr
	RegisterProtocolNotify     uintptr
	LocateHandle               uintptr
	LocateDevicePath           uintptr
	InstallConfigurationTable  uintptr

	LoadImage        uintptr
	StartImage       uintptr
	Exit             uintptr
	UnloadImage      uintptr
	ExitBootServices uintptr

	GetNextMonotonicCount uintptr
	Stall                 uintptr
	SetWatchdogTimer      uintptr

	ConnectController    uintptr
	DisconnectController uintptr

	OpenProtocol            uintptr
	CloseProtocol           uintptr
	OpenProtocolInformation uintptr

	ProtocolsPerHandle                  uintptr
	LocateHandleBuffer                  uintptr
	LocateProtocol                      uintptr
	InstallMultipleProtocolInterfaces   uintptr
	UninstallMultipleProtocolInterfaces uintptr

	CalculateCrc32 uintptr
	CopyMem        uintptr
	SetMem         uintptr
	CreateEventEx  uintptr
}

// RuntimeServices is EFI_RUNTIME_SERVICES (UEFI 2.10 §4.5).
type RuntimeServices struct {
	Hdr TableHeader

	GetTime       uintptr
	SetTime       uintptr
	GetWakeupTime uintptr
	SetWakeupTime uintptr

	SetVirtualAddressMap uintptr
	ConvertPointer       uintptr

	GetVariable         uintptr
	GetNextVariableName uintptr
	SetVariable         uintptr

	GetNextHighMonotonicCount uintptr
	ResetSystem               uintptr

	UpdateCapsule            uintptr
	QueryCapsuleCapabilities uintptr
	QueryVariableInfo        uintptr
}

// Constants of boot services (UEFI 2.10 §7).
const (
	AllocateAnyPages = 0 // EFI_ALLOCATE_TYPE
	LoaderData       = 2 // EFI_MEMORY_TYPE EfiLoaderData

	EventTimer    = 0x80000000 // EVT_TIMER
	TPLAppl       = 4          // TPL_APPLICATION
	TimerRelative = 2          // EFI_TIMER_DELAY

	ByProtocol  = 2 // EFI_LOCATE_SEARCH_TYPE
	GetProtocol = 2 // EFI_OPEN_PROTOCOL_GET_PROTOCOL

	PageSize = 4096 // EFI_PAGE_SIZE
)

// MemoryDescriptor is EFI_MEMORY_DESCRIPTOR, version 1 (UEFI 2.10 §7.2.3).
type MemoryDescriptor struct {
	Type          uint32
	_             uint32
	PhysicalStart uint64
	VirtualStart  uint64
	NumberOfPages uint64
	Attribute     uint64
}

// Time is EFI_TIME (UEFI 2.10 §8.3.1).
type Time struct {
	Year       uint16
	Month      uint8
	Day        uint8
	Hour       uint8
	Minute     uint8
	Second     uint8
	_          uint8
	Nanosecond uint32
	TimeZone   int16
	Daylight   uint8
	_          uint8
}

// UnspecifiedTimezone is EFI_UNSPECIFIED_TIMEZONE (UEFI 2.10 §8.3.1).
const UnspecifiedTimezone = 0x07ff
