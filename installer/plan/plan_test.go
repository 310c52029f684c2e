package plan

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/signature"
)

// newIDs gives 1, 2, 3...
func newIDs() func() gpt.GUID {
	n := uint32(0)
	return func() (id gpt.GUID) {
		n++
		binary.LittleEndian.PutUint32(id[:], n)
		return id
	}
}

func TestNew(t *testing.T) {
	p, err := New(stick(), Request{NewID: newIDs()})
	if err != nil || len(p.After) != 5 || p.Kept != nil || p.Notes != nil {
		t.Fatalf("%+v, %v", p, err)
	}
	ids := []gpt.GUID{p.DiskID}
	for i, want := range gpt.Layout() {
		got := p.After[i]
		want.ID = got.ID
		if got != want || got.ID.IsZero() || slices.Contains(ids, got.ID) {
			t.Errorf("%+v, want %+v", got, want)
		}
		ids = append(ids, got.ID)
	}
}

func TestNotesAboutTheOptimalSize(t *testing.T) {
	for optimal, want := range map[int64]string{
		0: "", 65536: "", 65535 * 512: "which cannot be", 4 * gpt.MiB: "no multiples of the disk's optimal I/O size of 4194304 bytes",
	} {
		d := stick()
		d.OptimalBytes = optimal
		p, err := New(d, Request{NewID: newIDs()})
		if err != nil || len(p.Notes) > 1 || !strings.Contains(strings.Join(p.Notes, ""), want) || (want == "") != (p.Notes == nil) {
			t.Errorf("%d: %q, %v", optimal, p.Notes, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	d := stick()
	d.SizeBytes = gpt.GiB
	if _, err := New(d, Request{NewID: newIDs()}); !errors.Is(err, ErrTooSmall) {
		t.Error(err)
	}
	d.ReadOnly = true // which is told first
	if _, err := New(d, Request{NewID: newIDs()}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
}

// TestCheck changes every field of a disk that matters.
func TestCheck(t *testing.T) {
	p, err := New(stick(), Request{NewID: newIDs()})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Check(stick()); err != nil {
		t.Error(err)
	}
	for says, change := range map[string]func(*Disk){
		"serial was S1 and is S2":              func(d *Disk) { d.Serial = "S2" },
		"model was Stick and is Other":         func(d *Disk) { d.Model = "Other" },
		"size was 80000000000 and is 79999999": func(d *Disk) { d.SizeBytes = 79999999 },
		"sector size was 512 and is 4096":      func(d *Disk) { d.SectorSize = 4096 },
		"identifier was  and is eui.1":         func(d *Disk) { d.WWID = "eui.1" },
		"name was sdb and is sdc":              func(d *Disk) { d.Name = "sdc" },
		"path was  and is x":                   func(d *Disk) { d.ByID = "x" },
		"taken away and came back":             func(d *Disk) { d.Sequence++ },
		"somebody has written to it":           func(d *Disk) { d.Content.Fingerprint[0]++ },
	} {
		d := stick()
		change(&d)
		if err := p.Check(d); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
	}
	d := stick()
	d.Uses = []Use{{"sdb1", "is mounted at /mnt"}}
	if err := p.Check(d); !errors.Is(err, ErrRefused) {
		t.Errorf("mounted meanwhile: %v", err)
	}
	d = stick()
	d.Transport = NVMe
	if err := p.Check(d); !errors.Is(err, ErrRefused) {
		t.Errorf("without consent: %v", err)
	}
}

// rayosDisk has the standard layout and one partition more.
func rayosDisk() Disk {
	d := stick()
	parts := gpt.Layout()
	for i := range parts {
		parts[i].ID[0] = byte(100 + i)
	}
	last := parts[4]
	parts[4].Name, parts[4].Attributes = "my own name", 1<<60
	parts = append(parts, gpt.Partition{Number: 9, Name: "more", Type: gpt.TypeLinuxData, ID: gpt.GUID{9}, StartBytes: last.EndBytes(), SizeBytes: gpt.MiB})
	d.Content = signature.Content{Table: signature.GPT, GUIDTable: gpt.Table{Geometry: disk80, Partitions: parts}}
	return d
}

func TestKeepGuests(t *testing.T) {
	d := rayosDisk()
	p, err := New(d, Request{NewID: newIDs(), Consent: Consent{KeepGuests: true}})
	if err != nil || !slices.Equal(p.Kept, []int{4, 5, 9}) || len(p.After) != 6 {
		t.Fatalf("%+v, %v", p, err)
	}
	for i, was := range d.Content.GUIDTable.Partitions {
		now := p.After[i]
		if was.Number >= 4 && now != was {
			t.Errorf("%+v became %+v", was, now)
		}
		if was.Number < 4 && (now.ID == was.ID || now.StartBytes != was.StartBytes) {
			t.Errorf("%+v became %+v", was, now)
		}
	}
}

func TestGuestsCannotBeKept(t *testing.T) {
	for says, change := range map[string]func(c *signature.Content, parts []gpt.Partition){
		"there is no GPT on it":               func(c *signature.Content, _ []gpt.Partition) { c.Table = signature.MBR },
		"table is damaged: backup":            func(c *signature.Content, _ []gpt.Partition) { c.Damage = []string{"backup"} },
		"no partition 1 (EFI System)":         func(_ *signature.Content, p []gpt.Partition) { p[0].Number = 30 },
		"2 (RayOS Kernel) is not the":         func(_ *signature.Content, p []gpt.Partition) { p[1].StartBytes += gpt.MiB },
		"3 (RayOS System) is not the":         func(_ *signature.Content, p []gpt.Partition) { p[2].SizeBytes -= gpt.MiB },
		"1 (EFI System) is not the":           func(_ *signature.Content, p []gpt.Partition) { p[0].Type = gpt.TypeLinuxData },
		"more partitions of RayOS's types":    func(_ *signature.Content, p []gpt.Partition) { p[5].Type = gpt.TypeRayOSSystem },
		"overlap: partition 3 (RayOS System)": func(_ *signature.Content, p []gpt.Partition) { p[3].StartBytes -= gpt.MiB },
	} {
		d := rayosDisk()
		change(&d.Content, d.Content.GUIDTable.Partitions)
		if p, err := New(d, Request{NewID: newIDs(), Consent: Consent{KeepGuests: true}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v, %v; want %q", p, err, says)
		}
	}
}
