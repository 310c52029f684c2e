package install

import (
	"errors"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
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
