package raw

// PCIIOProtocol is EFI_PCI_IO_PROTOCOL with its pairs of functions one after the
// other (UEFI 2.10 §14.4).
type PCIIOProtocol struct {
	PollMem          uintptr
	PollIo           uintptr
	MemRead          uintptr
	MemWrite         uintptr
	IoRead           uintptr
	IoWrite          uintptr
	PciRead          uintptr
	PciWrite         uintptr
	CopyMem          uintptr
	Map              uintptr
	Unmap            uintptr
	AllocateBuffer   uintptr
	FreeBuffer       uintptr
	Flush            uintptr
	GetLocation      uintptr
	Attributes       uintptr
	GetBarAttributes uintptr
	SetBarAttributes uintptr
	RomSize          uint64
	RomImage         uintptr
}

// PCIRootBridgeIOProtocol is the first part of EFI_PCI_ROOT_BRIDGE_IO_PROTOCOL
// (UEFI 2.10 §14.2).
type PCIRootBridgeIOProtocol struct {
	ParentHandle uintptr
	PollMem      uintptr
	PollIo       uintptr
	MemRead      uintptr
	MemWrite     uintptr
	IoRead       uintptr
	IoWrite      uintptr
	PciRead      uintptr
	PciWrite     uintptr
}

// CPUIO2Protocol is EFI_CPU_IO2_PROTOCOL (PI 1.8, volume 2).
type CPUIO2Protocol struct {
	MemRead  uintptr
	MemWrite uintptr
	IoRead   uintptr
	IoWrite  uintptr
}

// Widths of an access by these protocols.
const (
	WidthUint8  = 0
	WidthUint16 = 1
	WidthUint32 = 2
)
