package uefi

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// String is the path in the specification's text form, such as
// PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x0,0xffff,0x0)/HD(1,GPT,...)/\EFI\BOOT\BOOTX64.EFI
// (UEFI 2.10 §10.6). Nodes of which it does not know the form are written as
// Path(type,sub-type,bytes), which is the specification's form for all of them.
func (p DevicePath) String() string {
	var b strings.Builder
	separator := ""
	for _, n := range p.Nodes() {
		if n.Type == typeEnd && n.SubType == subEndInstance {
			separator = ","
			continue
		}
		b.WriteString(separator)
		b.WriteString(n.String())
		separator = "/"
	}
	return b.String()
}

// nodeText says how to write a node of at least size bytes of data.
type nodeText struct {
	size int
	text func(d []byte) string
}

var nodeTexts = map[[2]byte]nodeText{
	{typeHardware, 0x01}: {2, func(d []byte) string { return fmt.Sprintf("Pci(%#x,%#x)", d[1], d[0]) }},
	{typeHardware, 0x03}: {20, func(d []byte) string {
		return fmt.Sprintf("MemoryMapped(%#x,%#x,%#x)", le32(d), le64(d[4:]), le64(d[12:]))
	}},
	{typeHardware, 0x04}: {16, func(d []byte) string { return vendorText("VenHw", d) }},
	{typeHardware, 0x05}: {4, func(d []byte) string { return fmt.Sprintf("Ctrl(%#x)", le32(d)) }},
	{typeACPI, 0x01}:     {8, acpiText},

	{typeMessaging, 0x01}: {4, func(d []byte) string { return fmt.Sprintf("Ata(%#x)", le16(d[2:])) }},
	{typeMessaging, 0x02}: {4, func(d []byte) string { return fmt.Sprintf("Scsi(%#x,%#x)", le16(d), le16(d[2:])) }},
	{typeMessaging, 0x05}: {2, func(d []byte) string { return fmt.Sprintf("USB(%#x,%#x)", d[0], d[1]) }},
	{typeMessaging, 0x0a}: {16, func(d []byte) string { return vendorText("VenMsg", d) }},
	{typeMessaging, 0x0b}: {33, func(d []byte) string { return fmt.Sprintf("MAC(%x,%#x)", d[:6], d[32]) }},
	{typeMessaging, 0x0e}: {15, uartText},
	{typeMessaging, 0x12}: {6, func(d []byte) string {
		return fmt.Sprintf("Sata(%#x,%#x,%#x)", le16(d), le16(d[2:]), le16(d[4:]))
	}},
	{typeMessaging, 0x17}: {12, nvmeText},
	{typeMessaging, 0x18}: {0, func(d []byte) string { return "Uri(" + printable(string(d)) + ")" }},
	{typeMessaging, 0x1a}: {1, func(d []byte) string { return fmt.Sprintf("SD(%#x)", d[0]) }},
	{typeMessaging, 0x1d}: {1, func(d []byte) string { return fmt.Sprintf("eMMC(%#x)", d[0]) }},

	{typeMedia, subMediaHardDrive}: {hardDriveSize, hardDriveText},
	{typeMedia, 0x02}: {20, func(d []byte) string {
		return fmt.Sprintf("CDROM(%#x,%#x,%#x)", le32(d), le64(d[4:]), le64(d[12:]))
	}},
	{typeMedia, subMediaVendor}:   {16, func(d []byte) string { return vendorText("VenMedia", d) }},
	{typeMedia, subMediaFilePath}: {2, func(d []byte) string { return printable(DecodeUTF16(d)) }},
	{typeMedia, 0x06}:             {16, func(d []byte) string { return "FvFile(" + GUID(d[:16]).String() + ")" }},
	{typeMedia, 0x07}:             {16, func(d []byte) string { return "Fv(" + GUID(d[:16]).String() + ")" }},
	{typeMedia, 0x08}: {20, func(d []byte) string {
		return fmt.Sprintf("Offset(%#x,%#x)", le64(d[4:]), le64(d[12:]))
	}},
}

// String is the node's text form.
func (n Node) String() string {
	if t, ok := nodeTexts[[2]byte{n.Type, n.SubType}]; ok && len(n.Data) >= t.size {
		return t.text(n.Data)
	}
	return fmt.Sprintf("Path(%d,%d,%x)", n.Type, n.SubType, n.Data)
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func vendorText(name string, d []byte) string {
	if len(d) == 16 {
		return fmt.Sprintf("%s(%s)", name, GUID(d[:16]))
	}
	return fmt.Sprintf("%s(%s,%x)", name, GUID(d[:16]), d[16:])
}

// acpiText writes the usual hardware IDs by name: EISA IDs of PNP0A03 and PNP0A08
// are PCI roots.
func acpiText(d []byte) string {
	hid, uid := le32(d), le32(d[4:])
	switch hid {
	case 0x0a0341d0:
		return fmt.Sprintf("PciRoot(%#x)", uid)
	case 0x0a0841d0:
		return fmt.Sprintf("PcieRoot(%#x)", uid)
	case 0x060441d0:
		return fmt.Sprintf("Floppy(%#x)", uid)
	case 0x050141d0:
		return fmt.Sprintf("Serial(%#x)", uid)
	}
	if hid&0xffff == 0x41d0 {
		return fmt.Sprintf("Acpi(PNP%04X,%#x)", hid>>16, uid)
	}
	return fmt.Sprintf("Acpi(%#08x,%#x)", hid, uid)
}

// uartText writes the parity and stop bits by their letters and names
// (UEFI 2.10 §10.3.4.15). Data: 4 reserved bytes, baud rate, data bits, parity,
// stop bits.
func uartText(d []byte) string {
	parity, stop := "D", "D"
	if i := int(d[13]); i < 6 {
		parity = "DNEOMS"[i : i+1]
	}
	if i := int(d[14]); i < 4 {
		stop = [...]string{"D", "1", "1.5", "2"}[i]
	}
	return fmt.Sprintf("Uart(%d,%d,%s,%s)", le64(d[4:]), d[12], parity, stop)
}

// nvmeText writes the namespace and its IEEE EUI-64, most significant byte first.
func nvmeText(d []byte) string {
	eui := make([]string, 8)
	for i := range eui {
		eui[i] = fmt.Sprintf("%02X", d[11-i])
	}
	return fmt.Sprintf("NVMe(%#x,%s)", le32(d), strings.Join(eui, "-"))
}

func hardDriveText(d []byte) string {
	start, size := le64(d[4:]), le64(d[12:])
	switch d[37] {
	case 1:
		return fmt.Sprintf("HD(%d,MBR,%#08x,%#x,%#x)", le32(d), le32(d[20:]), start, size)
	case 2:
		return fmt.Sprintf("HD(%d,GPT,%s,%#x,%#x)", le32(d), GUID(d[20:36]), start, size)
	}
	return fmt.Sprintf("HD(%d,%d,0,%#x,%#x)", le32(d), d[37], start, size)
}

// printable replaces what would garble a line of text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}
