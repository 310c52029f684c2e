package plan

import (
	"fmt"
	"strings"

	"github.com/rayos/rayboot/installer/signature"
)

// Transport says what a disk hangs on.
type Transport string

// The transports that are told from each other. Disks that hang on USB come and go;
// Loop and File are files that stand in for disks; the others but Unknown are built in.
const (
	USB     Transport = "usb"
	NVMe    Transport = "nvme"
	SATA    Transport = "sata"
	SCSI    Transport = "scsi"
	Virtio  Transport = "virtio"
	MMC     Transport = "mmc"
	Xen     Transport = "xen"
	Loop    Transport = "loop"
	File    Transport = "file"
	Unknown Transport = "unknown" // also disks behind a network
)

// internal says that the disk is a part of the machine.
func (t Transport) internal() bool {
	switch t {
	case NVMe, SATA, SCSI, Virtio, MMC, Xen:
		return true
	}
	return false
}

// external says that the disk can be taken away, so that it is unlikely to be one that the
// machine needs.
func (t Transport) external() bool { return t == USB || t == Loop || t == File }

// Disk is what is known of a disk. Its JSON names are part of rayimg's interface.
type Disk struct {
	Identity
	Path               string            `json:"path"` // what to open
	Vendor             string            `json:"vendor,omitempty"`
	Transport          Transport         `json:"transport"`
	Removable          bool              `json:"removable"` // the medium can be changed
	ReadOnly           bool              `json:"readOnly"`
	PhysicalSectorSize int               `json:"physicalSectorSize"` // in bytes
	OptimalBytes       int64             `json:"optimalBytes"`       // optimal I/O size; 0: not told
	Running            bool              `json:"running"`            // this system runs from it
	Uses               []Use             `json:"uses,omitempty"`
	Content            signature.Content `json:"content"`
	Problem            string            `json:"problem,omitempty"` // why the content is not known
}

// Identity tells a disk from others and from itself after it was away.
type Identity struct {
	Name       string `json:"name"`             // the kernel's, or a file's
	ByID       string `json:"byID,omitempty"`   // path below /dev/disk/by-id
	Model      string `json:"model,omitempty"`  //
	Serial     string `json:"serial,omitempty"` // of a file: its name
	WWID       string `json:"wwid,omitempty"`   // world wide identifier
	Sequence   uint64 `json:"sequence"`         // the kernel's count of disks that came up; 0: not told
	SizeBytes  int64  `json:"sizeBytes"`
	SectorSize int    `json:"sectorSize"` // logical, in bytes
}

// Use is something that would break if the disk were written.
type Use struct {
	Device string `json:"device"` // the disk, a partition, or what is built on one
	By     string `json:"by"`     // what it is used for, in words
}

func (u Use) String() string { return u.Device + " " + u.By }

// Confirmation is what a person types to confirm that this is the disk: its serial, or its
// name where it has none.
func (d Disk) Confirmation() string {
	if d.Serial != "" {
		return d.Serial
	}
	return d.Name
}

// Confirms reports whether somebody who typed text means this disk. On a screen that shows
// the disk its name will do as well; strict wants what identifies it tomorrow, too.
func (d Disk) Confirms(text string, strict bool) bool {
	text = strings.TrimSpace(text)
	return text != "" && (text == d.Confirmation() || !strict && text == d.Name)
}

// Holds says in a few words what lies on the disk.
func (d Disk) Holds() string {
	c := d.Content
	switch {
	case d.Problem != "":
		return "unreadable: " + d.Problem
	case c.Empty():
		return "empty"
	case c.Unknown:
		return "unknown data"
	}
	var words []string
	switch n := len(c.Partitions) + c.More; {
	case c.Table == "":
		words = append(words, named(c.FileSystem, c.Label))
	case n == 1:
		words = append(words, "1 partition ("+strings.ToUpper(c.Table)+")")
	default:
		words = append(words, fmt.Sprintf("%d partitions (%s)", n, strings.ToUpper(c.Table)))
	}
	if c.Table != "" && c.FileSystem != "" {
		words = append(words, named(c.FileSystem, c.Label))
	}
	if len(c.Systems) > 0 {
		words = append(words, "of "+strings.Join(c.Systems, ", "))
	}
	if len(c.Damage) > 0 {
		words = append(words, "damaged table")
	}
	return strings.Join(words, ", ")
}

func named(fileSystem, label string) string {
	if label == "" {
		return fileSystem
	}
	return fmt.Sprintf("%s %q", fileSystem, label)
}

// Changed says in which way the disk is another one than before, or has other content; it
// is empty where nothing has changed.
func (d Disk) Changed(before Disk) string {
	a, b := d.Identity, before.Identity
	for _, field := range []struct {
		what     string
		now, was any
	}{
		{"serial", a.Serial, b.Serial},
		{"model", a.Model, b.Model},
		{"size", a.SizeBytes, b.SizeBytes},
		{"sector size", a.SectorSize, b.SectorSize},
		{"world wide identifier", a.WWID, b.WWID},
		{"name", a.Name, b.Name},
		{"path", a.ByID, b.ByID},
	} {
		if field.now != field.was {
			return fmt.Sprintf("its %s was %v and is %v", field.what, field.was, field.now)
		}
	}
	switch {
	case a.Sequence != b.Sequence:
		return "it was taken away and came back"
	case d.Content.Fingerprint != before.Content.Fingerprint:
		return "somebody has written to it"
	}
	return ""
}
