package install

import (
	"errors"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

// A person stands in here; TestStickInstalls of ovmf-tests has the whole dialog on a machine.
func answering(t *testing.T, answers ...string) Ask {
	t.Helper()
	return func(question string) (string, error) {
		if len(answers) == 0 {
			t.Fatalf("one question too many: %s", question)
		}
		answer := answers[0]
		answers = answers[1:]
		if answer == "^C" {
			return "", errors.New("interrupted")
		}
		return answer, nil
	}
}

func TestConsents(t *testing.T) {
	disk := func(change func(*plan.Disk)) plan.Disk {
		d := plan.Disk{Identity: plan.Identity{Name: "sdb", SizeBytes: gpt.MinDiskBytes, SectorSize: 512}, Transport: plan.USB}
		if change != nil {
			change(&d)
		}
		return d
	}
	internal := disk(func(d *plan.Disk) { d.Transport = plan.NVMe })
	unknown := disk(func(d *plan.Disk) { d.Transport = plan.Unknown })
	full := disk(func(d *plan.Disk) { d.Transport, d.Content = plan.NVMe, signature.Content{FileSystem: "ext4"} })
	running := disk(func(d *plan.Disk) { d.Running, d.Content = true, signature.Content{FileSystem: "ext4"} })
	for name, c := range map[string]struct {
		disk    plan.Disk
		answers []string
		want    plan.Consent
		says    string // the error
	}{
		"nothing to ask": {disk(nil), nil, plan.Consent{}, ""},
		"internal":       {internal, []string{"yes"}, plan.Consent{Internal: true}, ""},
		"not internal":   {internal, []string{"y"}, plan.Consent{}, "nothing was written"},
		"unknown":        {unknown, []string{"yes"}, plan.Consent{Unknown: true}, ""},
		"erase":          {full, []string{"yes", "erase"}, plan.Consent{Internal: true, Erase: true}, ""},
		"keep":           {full, []string{"yes", "keep"}, plan.Consent{Internal: true, KeepGuests: true}, ""},
		"neither":        {full, []string{"yes", "yes"}, plan.Consent{}, "nothing was written"},
		"interrupted":    {full, []string{"yes", "^C"}, plan.Consent{}, "interrupted"},
		"never":          {running, nil, plan.Consent{}, "this system runs from it"},
	} {
		got, err := consents(c.disk, answering(t, c.answers...))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// TestDialog takes wrong turns, of which each leads back to the list, and then chooses one of
// the stick's layouts.
func TestDialog(t *testing.T) {
	i, out := machine(t, map[string]string{
		"esp/" + content.LayoutsDir + "/small.toml":  layoutText,
		"esp/" + content.LayoutsDir + "/broken.toml": "[[partition]]\n",
		"esp/" + content.LayoutsDir + "/notes.txt":   "x",
	})
	done, err := i.Dialog(t.Context(), answering(t,
		"",          // look again
		"sdz",       // there is none
		"sda",       // never
		"sdb", "no", // no such layout
		"sdb", "broken",
		"sdb", "small", "serial-sdc", // not confirmed
		"sdb", "small", "serial-sdb",
	))
	if err != nil || !done {
		t.Fatalf("%v, %v\n%s", done, err, out)
	}
	says(t, out, []string{
		"Install RayOS from sda onto another disk.", "NAME", "not written: this system runs from it",
		`INSTALL_FAILED] disk="", reason="find disk`,
		"[RAYOS_INSTALLER:INSTALL_FAILED] disk=sda", "sda is not written: this system runs from it",
		"besides the standard one:\n  broken\n  small\n", "the stick has no layout no; nothing was written",
		`INSTALL_FAILED] disk=sdb, reason="EFI/rayos/layouts/broken.toml: unusable layout file`,
		"Afterwards:", `INSTALL_FAILED] disk=sdb, reason="not confirmed`,
		`PARTITION_CREATED] disk=sdb, number=1, name=Boot`, "INSTALL_COMPLETE] disk=sdb", "RayOS is installed",
	}, `reason="the stick has no layout`, "written only with") // nothing was begun; it asks instead of naming options
	if table := i.table(t, "sdb"); len(table.Partitions) != 1 || len(i.table(t, "sdc").Partitions) != 0 {
		t.Errorf("%+v", table)
	}
}

// TestLeaveDialog leaves it in each way, with nothing written.
func TestLeaveDialog(t *testing.T) {
	for _, answers := range [][]string{{"q"}, {"^C"}, {"sdb", "^C", "q"}} {
		i, out := machine(t, nil)
		done, err := i.Dialog(t.Context(), answering(t, answers...))
		if done || (err != nil) != (answers[0] == "^C") || len(i.table(t, "sdb").Partitions) > 0 {
			t.Errorf("%v: %v, %v\n%s", answers, done, err, out)
		}
	}
}
