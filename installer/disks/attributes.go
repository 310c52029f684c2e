package disks

import (
	"encoding/binary"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/rayos/rayboot/installer/plan"
)

// sysfsSector is the unit of sizes in sysfs, whatever the disk's own sectors.
const sysfsSector = 512

// maxAttribute bounds what is kept of an attribute.
const maxAttribute = 256

// text returns the first of the disk's attributes that has a text.
func (m *Machine) text(name string, attributes ...string) string {
	for _, a := range attributes {
		if s := m.file(path.Join(blockDir, name, a)); s != "" {
			return s
		}
	}
	return ""
}

// file reads a short text, empty where there is none.
func (m *Machine) file(name string) string {
	b, err := fs.ReadFile(m.Root, name)
	if err != nil {
		return ""
	}
	return clean(b)
}

// clean turns what a device says about itself into a text of one line.
func clean(b []byte) string {
	s := strings.ToValidUTF8(string(b[:min(len(b), maxAttribute)]), "?")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// number reads an attribute, 0 where there is none.
func (m *Machine) number(name, attribute string) int64 {
	n, err := strconv.ParseInt(m.text(name, attribute), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// devicePath is the place of a disk in the tree of devices, such as
// sys/devices/pci0000:00/.../block/sda.
func (m *Machine) devicePath(name string) string {
	target, err := fs.ReadLink(m.Root, path.Join(blockDir, name))
	if err != nil {
		return ""
	}
	return path.Join(blockDir, target)
}

// Elements of a device's path that tell what it hangs on.
var (
	usbDevice = regexp.MustCompile(`^[0-9]+-[0-9.]+$`) // such as 2-1.4; 2-1.4:1.0 is its interface
	remote    = regexp.MustCompile(`^(session[0-9]+|rport-.*|nvme-fabrics|fw[0-9]+.*)$`)
	buses     = []struct {
		element   *regexp.Regexp
		transport plan.Transport
	}{
		{regexp.MustCompile(`^usb[0-9]+$`), plan.USB},
		{regexp.MustCompile(`^mmc_host$`), plan.MMC},
		{regexp.MustCompile(`^ata[0-9]+$`), plan.SATA},
		{regexp.MustCompile(`^host[0-9]+$`), plan.SCSI},
		{regexp.MustCompile(`^virtio[0-9]+$`), plan.Virtio},
		{regexp.MustCompile(`^vbd-[0-9]+$`), plan.Xen},
	}
)

// transport tells what the disk hangs on by its place among the devices.
func (m *Machine) transport(name, where string) plan.Transport {
	elements := strings.Split(where, "/")
	has := func(e *regexp.Regexp) bool {
		for _, element := range elements {
			if e.MatchString(element) {
				return true
			}
		}
		return false
	}
	switch {
	case has(remote):
		return plan.Unknown
	case strings.HasPrefix(name, "nvme"):
		if m.nvmeTransport(name) == "pcie" {
			return plan.NVMe
		}
		return plan.Unknown
	case strings.HasPrefix(name, "loop"):
		return plan.Loop
	}
	for _, bus := range buses {
		if has(bus.element) {
			return bus.transport
		}
	}
	return plan.Unknown
}

// nvmeTransport asks the controller of a namespace. Where a disk may have several, the
// namespace hangs on a subsystem, in which they are; they must agree.
func (m *Machine) nvmeTransport(name string) string {
	if t := m.text(name, "device/transport"); t != "" {
		return t
	}
	device := path.Join(blockDir, name, "device")
	entries, err := fs.ReadDir(m.Root, device)
	if err != nil {
		return ""
	}
	found := ""
	for _, e := range entries {
		t := m.file(path.Join(device, e.Name(), "transport"))
		if t != "" && found != "" && t != found {
			return ""
		}
		if t != "" {
			found = t
		}
	}
	return found
}

// vendor leaves out what says nothing to people.
func (m *Machine) vendor(name string) string {
	v := m.text(name, "device/vendor")
	if v == "ATA" || strings.HasPrefix(v, "0x") {
		return ""
	}
	return v
}

// serial finds the serial number: that on the case of a USB stick, else what the disk says.
func (m *Machine) serial(name, where string) string {
	for dir := where; dir != "." && dir != "/" && dir != ""; dir = path.Dir(dir) {
		if usbDevice.MatchString(path.Base(dir)) {
			if s := m.file(path.Join(dir, "serial")); s != "" {
				return s
			}
			break
		}
	}
	if s := m.text(name, "serial", "device/serial"); s != "" {
		return s
	}
	page, err := fs.ReadFile(m.Root, path.Join(blockDir, name, "device/vpd_pg80"))
	if err != nil || len(page) < 4 || page[1] != 0x80 { // SPC-4 §7.8.14: unit serial number
		return ""
	}
	length := int(binary.BigEndian.Uint16(page[2:]))
	return clean(page[4:min(len(page), 4+length)])
}
