package main

import (
	"debug/pe"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/rayos/rayboot/efi/pecoff"
)

// An efiReport is what `rayimg efi inspect` tells about a PE image; its JSON
// names are part of the command's interface.
type efiReport struct {
	File        string       `json:"file"`
	Bytes       int64        `json:"bytes"`
	Machine     string       `json:"machine"`
	Subsystem   string       `json:"subsystem"`
	Base        uint64       `json:"base"`
	Entry       uint32       `json:"entry"` // relative to base, like all addresses here
	MemoryBytes uint32       `json:"memoryBytes"`
	Checksum    string       `json:"checksum"` // correct, wrong or absent
	NXCompat    bool         `json:"nxCompat"`
	Signed      bool         `json:"signed"`
	Sections    []efiSection `json:"sections"`
	SBAT        []string     `json:"sbat,omitempty"`
}

type efiSection struct {
	Name        string `json:"name"`
	Address     uint32 `json:"address"`
	MemoryBytes uint32 `json:"memoryBytes"`
	Offset      uint32 `json:"offset"`
	FileBytes   uint32 `json:"fileBytes"`
	Access      string `json:"access"` // in the manner of ls: r-x
}

func newEFIReport(name string, size int64, img *pecoff.Image) *efiReport {
	r := &efiReport{
		File: name, Bytes: size,
		Machine: machineName(img.Machine), Subsystem: subsystemName(img.Subsystem),
		Base: img.Base, Entry: img.Entry, MemoryBytes: img.MemorySize,
		Checksum: checksumState(img),
		NXCompat: img.DLLCharacteristics&pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT != 0,
		Signed:   img.Signatures != nil,
		Sections: []efiSection{},
	}
	for _, s := range img.Sections {
		r.Sections = append(r.Sections, efiSection{
			Name: s.Name, Address: s.VirtualAddress, MemoryBytes: s.VirtualSize,
			Offset: s.Offset, FileBytes: s.Size, Access: access(s.Characteristics),
		})
	}
	if s, ok := img.Section(".sbat"); ok {
		text := strings.TrimRight(string(img.Data(s)), "\x00\n")
		r.SBAT = strings.Split(text, "\n")
	}
	return r
}

// print writes the report for people. Text from the file is made printable, so
// that it cannot steer the terminal.
func (r *efiReport) print(w io.Writer) error {
	signed := "unsigned"
	if r.Signed {
		signed = "signed"
	}
	nx := "not NX compatible"
	if r.NXCompat {
		nx = "NX compatible"
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "%s: %s for %s, %d bytes\n", r.File, r.Subsystem, r.Machine, r.Bytes)
	fmt.Fprintf(tw, "%s, %s, checksum %s\n", signed, nx, r.Checksum)
	fmt.Fprintf(tw, "base %#x, entry %#x, %d bytes in memory\n\n", r.Base, r.Entry, r.MemoryBytes)
	fmt.Fprintln(tw, "SECTION\tADDRESS\tMEMORY\tOFFSET\tFILE\tACCESS")
	for _, s := range r.Sections {
		fmt.Fprintf(tw, "%s\t%#x\t%d\t%#x\t%d\t%s\n", printable(s.Name), s.Address, s.MemoryBytes, s.Offset, s.FileBytes, s.Access)
	}
	if r.SBAT != nil {
		fmt.Fprintln(tw, "\nSBAT")
	}
	for _, line := range r.SBAT {
		fmt.Fprintln(tw, printable(line))
	}
	return tw.Flush()
}

// printable replaces what is not printable ASCII.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

func machineName(m uint16) string {
	switch m {
	case pe.IMAGE_FILE_MACHINE_AMD64:
		return "amd64"
	case pe.IMAGE_FILE_MACHINE_ARM64:
		return "arm64"
	}
	return fmt.Sprintf("machine %#x", m)
}

func subsystemName(s uint16) string {
	switch s {
	case pe.IMAGE_SUBSYSTEM_EFI_APPLICATION:
		return "EFI application"
	case pe.IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER:
		return "EFI boot service driver"
	case pe.IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER:
		return "EFI runtime driver"
	}
	return fmt.Sprintf("subsystem %d", s)
}

func checksumState(img *pecoff.Image) string {
	switch img.Checksum {
	case 0:
		return "absent"
	case img.ComputeChecksum():
		return "correct"
	}
	return "wrong"
}

func access(characteristics uint32) string {
	flags := []byte("---")
	for i, bit := range []uint32{pe.IMAGE_SCN_MEM_READ, pe.IMAGE_SCN_MEM_WRITE, pe.IMAGE_SCN_MEM_EXECUTE} {
		if characteristics&bit != 0 {
			flags[i] = "rwx"[i]
		}
	}
	return string(flags)
}
