package answers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/answers"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/signature"
)

const good = `
disk = "S1"
erase = true
internal = true
then = "poweroff"
[[partition]]
name = "EFI System"
type = "esp"
size = "400MiB"
`

func TestRead(t *testing.T) {
	a, err := answers.Read(strings.NewReader(good))
	want := plan.Consent{Erase: true, Internal: true}
	if err != nil || a.Disk != "S1" || a.Then != answers.PowerOff || a.Consent != want || len(a.Layout) != 1 || a.Layout[0].SizeBytes != 400*gpt.MiB {
		t.Errorf("%+v, %v", a, err)
	}
	a, err = answers.Read(strings.NewReader("disk = 'only'\nthen = 'shell'\n"))
	if err != nil || a.Layout != nil || a.Consent != (plan.Consent{}) {
		t.Errorf("%+v, %v", a, err)
	}
	for text, says := range map[string]string{
		"":                                       "it has no disk",
		"disk = ' '\nthen = 'shell'":             "it has no disk",
		"disk = 'S1'":                            `then is ""; choose poweroff, reboot or shell`,
		"disk = 'S1'\nthen = 'halt'":             `then is "halt"`,
		"disk = 'S1'\nthen='shell'\nerased=true": "there is no key erased",
		"disk = 1\nthen='shell'":                 "disk",
		"disk = 'S1'\nthen='shell'\nerase=true\nkeep-guests=true":           "choose one of them",
		"disk = 'S1'\nthen='shell'\n[[partition]]\nname='x'\nkind='esp'":    "there is no key partition.kind",
		"disk = 'S1'\nthen='shell'\n[[partition]]\nname='x'\ntype='qwerty'": "partition 1 (x)",
		strings.Repeat("#", 70000):                                          "more than 65536 bytes",
		"disk":                                                              "",
	} {
		if a, err := answers.Read(strings.NewReader(text)); !errors.Is(err, answers.ErrAnswers) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60q: %+v, %v; want %q", text, a, err, says)
		}
	}
}

func disk(name, serial string, change func(*plan.Disk)) plan.Disk {
	d := plan.Disk{Identity: plan.Identity{Name: name, Serial: serial, SizeBytes: gpt.MinDiskBytes, SectorSize: 512}, Transport: plan.NVMe}
	if change != nil {
		change(&d)
	}
	return d
}

func TestChoose(t *testing.T) {
	stick := disk("sda", "STICK", func(d *plan.Disk) { d.Running, d.Transport = true, plan.USB })
	blank, used := disk("nvme0n1", "A", nil), disk("nvme1n1", "B", func(d *plan.Disk) { d.Content = signature.Content{FileSystem: "ext4"} })
	twin := disk("nvme2n1", "A", nil)
	internal := plan.Consent{Internal: true}
	for name, c := range map[string]struct {
		answers answers.Answers
		disks   []plan.Disk
		more    bool
		want    string
		err     error
	}{
		"serial":                 {answers.Answers{Disk: "B"}, []plan.Disk{stick, blank, used}, false, "nvme1n1", nil},
		"a name is no serial":    {answers.Answers{Disk: "nvme1n1"}, []plan.Disk{stick, blank, used}, false, "", answers.ErrNoDisk},
		"two with a serial":      {answers.Answers{Disk: "A"}, []plan.Disk{blank, twin}, false, "", answers.ErrAmbiguous},
		"only":                   {answers.Answers{Disk: answers.Only, Consent: internal}, []plan.Disk{stick, blank}, false, "nvme0n1", nil},
		"only, with data":        {answers.Answers{Disk: answers.Only, Consent: internal}, []plan.Disk{stick, used}, false, "nvme1n1", nil},
		"not the only one":       {answers.Answers{Disk: answers.Only, Consent: internal}, []plan.Disk{stick, blank, used}, false, "", answers.ErrAmbiguous},
		"not consented":          {answers.Answers{Disk: answers.Only}, []plan.Disk{stick, blank}, false, "", answers.ErrNoDisk},
		"the stick itself":       {answers.Answers{Disk: answers.Only, Consent: internal}, []plan.Disk{stick}, false, "", answers.ErrNoDisk},
		"only among how many":    {answers.Answers{Disk: answers.Only, Consent: internal}, []plan.Disk{blank}, true, "", answers.ErrAmbiguous},
		"a serial among many":    {answers.Answers{Disk: "A"}, []plan.Disk{blank}, true, "nvme0n1", nil},
		"no serial is no answer": {answers.Answers{Disk: ""}, []plan.Disk{stick}, false, "", answers.ErrNoDisk},
	} {
		d, err := c.answers.Choose(c.disks, c.more)
		if d.Name != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", name, d.Name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(good)
	f.Add("disk = 'only'\nthen = 'reboot'")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := answers.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		if a.Disk == "" || a.Then == "" || a.Consent.Erase && a.Consent.KeepGuests || len(a.Layout) > plan.MaxPartitions {
			t.Errorf("%+v", a)
		}
	})
}
