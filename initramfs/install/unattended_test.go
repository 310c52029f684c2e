package install

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/installer/answers"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/plan"
)

const answersFile = "esp/" + content.AnswersPath

// TestUnattended installs onto the one disk that is named. The other one stays as it is, and
// the same stick does not install the disk a second time.
func TestUnattended(t *testing.T) {
	i, out := machine(t, map[string]string{answersFile: "disk = \"serial-sdb\"\nerase = true\nthen = \"reboot\"\n"})
	then, err := i.Unattended(t.Context())
	if err != nil || then != answers.Reboot {
		t.Fatalf("%q, %v\n%s", then, err, out)
	}
	says(t, out, []string{
		"[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=sda, bus=usb, bytes=80000000000",
		"[RAYOS_INSTALLER:BOOT:USB] disk=sda",
		"[RAYOS_INSTALLER:BOOT:DISK_DETECTED] disk=sdb",
		"Afterwards:",
		"checking the disk ...",
		`[RAYOS_INSTALLER:PARTITION_CREATED] disk=sdb, number=1, name="EFI System"`,
		`[RAYOS_INSTALLER:PARTITION_CREATED] disk=sdb, number=5, name="Windows Guest"`,
		"[RAYOS_INSTALLER:INSTALL_COMPLETE] disk=sdb, bytes=",
		"warning: the firmware keeps no boot entries that this system can change",
	}, "INSTALL_FAILED")
	first := i.table(t, "sdb")
	if len(first.Partitions) != 5 || len(i.table(t, "sdc").Partitions) != 0 {
		t.Errorf("sdb has %+v, sdc has %+v", first, i.table(t, "sdc"))
	}

	out.Reset()
	then, err = i.Unattended(t.Context())
	if !errors.Is(err, ErrAgain) || then != "" {
		t.Errorf("a second time: %q, %v", then, err)
	}
	says(t, out, []string{`[RAYOS_INSTALLER:INSTALL_FAILED] disk=sdb, reason="sdb: this stick has installed it already`}, "INSTALL_COMPLETE")
	if i.table(t, "sdb").DiskID != first.DiskID {
		t.Error("a second time: it was written")
	}
}

// TestUnattendedRefuses has answers that fit no disk, or several, or do not allow what they
// would need. Nothing is written, and the marker says so.
func TestUnattendedRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		answers string
		marker  string // behind INSTALL_FAILED
		want    error
	}{
		"another serial": {"disk = \"S9\"\nthen = \"shell\"\n", `disk="", reason="no disk fits`, answers.ErrNoDisk},
		"two disks":      {"disk = \"only\"\nthen = \"shell\"\n", `disk="", reason="several disks fit`, answers.ErrAmbiguous},
		"the stick":      {"disk = \"serial-sda\"\nerase = true\nthen = \"shell\"\n", `disk=sda, reason="sda is not written: this system runs from it"`, plan.ErrRefused},
		"guests of none": {"disk = \"serial-sdb\"\nkeep-guests = true\nthen = \"shell\"\n", `disk=sdb, reason="sdb is not written: its guests cannot be kept`, plan.ErrRefused},
		"an unknown key": {"disk = \"only\"\nerase-all = true\nthen = \"shell\"\n", `disk="", reason="unusable file of answers: there is no key erase-all"`, answers.ErrAnswers},
		"a bad layout":   {"disk = \"serial-sdb\"\nthen = \"shell\"\n[[partition]]\nname = \"a\"\ntype = \"linux\"\nsize = \"rest\"\n", `disk=sdb, reason="lay out sdb: unusable layout: it has 0 EFI System Partitions`, plan.ErrLayout},
		"no answers":     {"", `disk="", reason="`, fs.ErrNotExist},
	} {
		files := map[string]string{answersFile: c.answers}
		if c.answers == "" {
			files = nil
		}
		i, out := machine(t, files)
		then, err := i.Unattended(t.Context())
		if !errors.Is(err, c.want) || then != "" {
			t.Errorf("%s: %q, %v", name, then, err)
		}
		if got := out.String(); !strings.Contains(got, "[RAYOS_INSTALLER:INSTALL_FAILED] "+c.marker) || strings.Count(got, "INSTALL_FAILED") != 1 {
			t.Errorf("%s: %s", name, got)
		}
		for _, disk := range []string{"sda", "sdb", "sdc"} {
			if len(i.table(t, disk).Partitions) > 0 {
				t.Errorf("%s: %s was written", name, disk)
			}
		}
	}
}

// TestUnattendedWithLayout installs other partitions, and then once more beside a guest.
func TestUnattendedWithLayout(t *testing.T) {
	const parts = `
[[partition]]
name = "EFI System"
type = "esp"
size = "100MiB"
[[partition]]
name = "Guest"
type = "linux"
size = "rest"
`
	i, out := machine(t, map[string]string{answersFile: "disk = \"serial-sdc\"\nthen = \"shell\"\n" + parts})
	if then, err := i.Unattended(t.Context()); err != nil || then != answers.Shell {
		t.Fatalf("%q, %v\n%s", then, err, out)
	}
	first := i.table(t, "sdc")
	if len(first.Partitions) != 2 || first.Partitions[0].SizeBytes != 100*gpt.MiB || first.Partitions[1].Name != "Guest" {
		t.Fatalf("%+v", first.Partitions)
	}
	// The stick has another identity after it was written anew.
	put(t, i.Root+"/"+answersFile, "disk = \"serial-sdc\"\nkeep-guests = true\nthen = \"shell\"\n"+parts)
	facts, err := bootfacts.Read(i.Root)
	if err != nil {
		t.Fatal(err)
	}
	facts.InstallID = "99999999-2222-3333-4444-555555555555"
	if err := facts.Write(i.Root); err != nil {
		t.Fatal(err)
	}
	again, err := livedisk.Open(t.Context(), i.Root, mounted{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	out.Reset()
	if _, err := New(i.Root, again, out).Unattended(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	says(t, out, []string{"Kept as they are: partitions 2.", "number=1, name=\"EFI System\""}, "number=2, name")
	second := i.table(t, "sdc")
	if second.DiskID == first.DiskID || second.Partitions[0].ID == first.Partitions[0].ID || second.Partitions[1] != first.Partitions[1] {
		t.Errorf("%+v became %+v", first, second)
	}
}
