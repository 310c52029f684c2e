package bootdisk_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	diskgpt "github.com/diskfs/go-diskfs/partition/gpt"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootdisk"
)

const (
	partUUID  = "6E2A7E6C-51C7-4C3A-9C6D-0F3F5C1F0A01"
	installID = "11111111-2222-3333-4444-555555555555"
	diskBytes = 4 << 20
	maxLooks  = 20
)

// gptDisk returns a disk whose second partition has the PARTUUID.
func gptDisk(t *testing.T, id string) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(diskBytes); err != nil {
		t.Fatal(err)
	}
	table := &diskgpt.Table{
		LogicalSectorSize: 512, PhysicalSectorSize: 512, ProtectiveMBR: true,
		Partitions: []*diskgpt.Partition{
			{Index: 1, Start: 2048, Size: 1 << 20, Type: diskgpt.LinuxFilesystem, GUID: "00000000-0000-4000-8000-000000000001"},
			{Index: 2, Start: 4096, Size: 1 << 20, Type: diskgpt.EFISystemPartition, GUID: id},
			{Index: 3, Start: 6144, Size: 4096, Type: diskgpt.Type(strings.ToUpper(gpt.TypeRayOSKernel.String())), GUID: "00000000-0000-4000-8000-000000000003"},
		},
	}
	if err := table.Write(f, diskBytes); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, diskBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// machine has disks, which may appear after some looks.
type machine struct {
	t         *testing.T
	sys       fstest.MapFS
	disks     map[string][]byte
	ids       map[string]string // partition -> install ID
	attempted func(partition string) bool
	looks     int
	appear    func(looks int)
}

func newMachine(t *testing.T) *machine {
	return &machine{t: t, sys: fstest.MapFS{
		"loop0/size":     {Data: []byte("100\n")},
		"sr0/size":       {Data: []byte("100\n")},
		"vda1/partition": {Data: []byte("1\n")}, // a link to the partition, as in sysfs
		"vda1/size":      {Data: []byte("100\n")},
		"sdz/size":       {Data: []byte("0\n")}, // a card reader without a card
	}, disks: map[string][]byte{}, ids: map[string]string{}}
}

func (m *machine) add(name string, content []byte) {
	m.disks[name] = content
	m.sys[name+"/size"] = &fstest.MapFile{Data: []byte("8192\n")}
	m.sys[name+"/queue/rotational"] = &fstest.MapFile{Data: []byte("0\n")}
	m.sys[name+"/"+name+"p1/partition"] = &fstest.MapFile{Data: []byte("1\n")}
	m.sys[name+"/"+name+"p2/partition"] = &fstest.MapFile{Data: []byte("2\n")}
	m.sys[name+"/"+name+"p3/partition"] = &fstest.MapFile{Data: []byte("3\n")}
}

type device struct{ *bytes.Reader }

func (device) Close() error { return nil }

// find looks until the time runs out.
func (m *machine) find(w bootdisk.Wanted) (bootdisk.Candidate, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := bootdisk.Finder{
		Block: m.sys,
		Open: func(name string) (bootdisk.Device, error) {
			content, ok := m.disks[name]
			if !ok {
				m.t.Errorf("%s was opened", name)
			}
			if content == nil {
				return nil, errors.New("input/output error")
			}
			return device{bytes.NewReader(content)}, nil
		},
		InstallID: func(partition string) (string, error) {
			id, ok := m.ids[partition]
			if !ok {
				return "", errors.New("no install ID on " + partition)
			}
			return id, nil
		},
		Attempted: m.attempted,
		Sleep: func(ctx context.Context, _ time.Duration) error {
			if m.looks++; m.looks == maxLooks {
				cancel()
			}
			if m.appear != nil {
				m.appear(m.looks)
			}
			return ctx.Err()
		},
	}
	return f.Find(ctx, w)
}

var wanted = bootdisk.Wanted{PartUUID: strings.ToLower(partUUID), InstallID: installID}

func TestFind(t *testing.T) {
	m := newMachine(t)
	m.add("nvme0n1", gptDisk(t, "00000000-0000-4000-8000-000000000099"))
	m.add("vda", gptDisk(t, partUUID))
	m.add("sda", make([]byte, diskBytes))
	m.ids["vdap2"] = installID
	got, err := m.find(wanted)
	if err != nil || got.Disk != "vda" || got.Partition != "vdap2" || got.Kernel != "vdap3" || m.looks != 0 {
		t.Errorf("got %+v, %v after %d looks", got, err, m.looks)
	}
}

func TestFindWaitsForSlowDisks(t *testing.T) {
	m := newMachine(t)
	m.ids["sdap2"] = installID
	m.appear = func(looks int) {
		if looks == 5 {
			m.add("sda", gptDisk(t, partUUID))
		}
	}
	if got, err := m.find(wanted); err != nil || got.Partition != "sdap2" || m.looks != 5 {
		t.Errorf("got %+v, %v after %d looks", got, err, m.looks)
	}
}

func TestFindSaysWhatItLookedAt(t *testing.T) {
	m := newMachine(t)
	m.add("nvme0n1", gptDisk(t, "00000000-0000-4000-8000-000000000099"))
	m.add("sda", make([]byte, diskBytes))
	m.add("sdb", nil)
	_, err := m.find(wanted)
	if err == nil || m.looks != maxLooks {
		t.Fatalf("error %v after %d looks", err, m.looks)
	}
	for _, text := range []string{"no disk has it", "nvme0n1,", "sda (no GPT)", "sdb (input/output error)", wanted.PartUUID, installID} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
	for _, text := range []string{"loop0", "sr0", "sdz", "vda1"} {
		if strings.Contains(err.Error(), text) {
			t.Errorf("error %q tells of %s", err, text)
		}
	}
}

func TestFindOnAMachineWithoutDisks(t *testing.T) {
	if _, err := newMachine(t).find(wanted); err == nil || !strings.Contains(err.Error(), "no disk at all") {
		t.Errorf("error %v", err)
	}
}

func TestFindReportsClonesAtOnce(t *testing.T) {
	m := newMachine(t)
	m.add("sda", gptDisk(t, partUUID))
	m.add("sdb", gptDisk(t, partUUID))
	m.ids["sdap2"], m.ids["sdbp2"] = installID, installID
	if _, err := m.find(wanted); err == nil || !strings.Contains(err.Error(), "sdap2, sdbp2") || m.looks != 0 {
		t.Errorf("error %v after %d looks", err, m.looks)
	}
}

// TestFindWaitsForTheDiskOfTheAttempt has a clone that is there before the USB
// disk that was booted.
func TestFindWaitsForTheDiskOfTheAttempt(t *testing.T) {
	m := newMachine(t)
	m.add("nvme0n1", gptDisk(t, partUUID))
	m.ids["nvme0n1p2"], m.ids["sdap2"] = installID, installID
	m.attempted = func(partition string) bool { return partition == "sdap2" }
	m.appear = func(looks int) {
		if looks == 7 {
			m.add("sda", gptDisk(t, partUUID))
		}
	}
	if got, err := m.find(wanted); err != nil || got.Partition != "sdap2" || m.looks != 7 {
		t.Errorf("got %+v, %v after %d looks", got, err, m.looks)
	}
}

// TestFindWithoutTheAttempt has a boot whose attempt could not be recorded.
func TestFindWithoutTheAttempt(t *testing.T) {
	m := newMachine(t)
	m.add("sda", gptDisk(t, partUUID))
	m.ids["sdap2"] = installID
	m.attempted = func(string) bool { return false }
	if got, err := m.find(wanted); err != nil || got.Partition != "sdap2" || m.looks == 0 || m.looks == maxLooks {
		t.Errorf("got %+v, %v after %d looks", got, err, m.looks)
	}
}

func TestFindReportsAPartitionThatTheKernelDoesNotKnow(t *testing.T) {
	m := newMachine(t)
	m.add("sda", gptDisk(t, partUUID))
	delete(m.sys, "sda/sdap2/partition")
	if _, err := m.find(wanted); err == nil || !strings.Contains(err.Error(), "sda (the kernel does not know partition 2)") {
		t.Errorf("error %v", err)
	}
}
