package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/installer/signature"
)

var transports = []Transport{USB, NVMe, SATA, SCSI, Virtio, MMC, Xen, Loop, File, Unknown, "token ring"}

// stick is a disk that nothing speaks against.
func stick() Disk {
	return Disk{
		Identity:  Identity{Name: "sdb", Serial: "S1", Model: "Stick", SizeBytes: gpt.MinDiskBytes, SectorSize: 512, Sequence: 7},
		Path:      "/dev/sdb",
		Transport: USB,
	}
}

// facts are all that a refusal can depend on, one bit each.
type facts struct {
	running, used, readOnly, noMedium, unreadable, data bool
	transport                                           Transport
	consent                                             Consent
}

// everyFact calls f for all combinations.
func everyFact(f func(facts)) {
	bit := func(n, i int) bool { return n>>i&1 == 1 }
	for _, transport := range transports {
		for n := range 1 << 10 {
			f(facts{
				bit(n, 0), bit(n, 1), bit(n, 2), bit(n, 3), bit(n, 4), bit(n, 5), transport,
				Consent{Internal: bit(n, 6), Unknown: bit(n, 7), Erase: bit(n, 8), KeepGuests: bit(n, 9)},
			})
		}
	}
}

func (f facts) disk() Disk {
	d := stick()
	d.Running, d.ReadOnly, d.Transport = f.running, f.readOnly, f.transport
	if f.used {
		d.Uses = []Use{{"sdb1", "is mounted at /home"}}
	}
	if f.noMedium {
		d.SizeBytes = 0
	}
	if f.unreadable {
		d.Problem = "input/output error"
	}
	if f.data {
		d.Content.FileSystem = "ext4"
	}
	return d
}

// wants lists the codes that the rules ask for, as the documentation puts them.
func (f facts) wants() []string {
	isInternal := slices.Contains([]Transport{NVMe, SATA, SCSI, Virtio, MMC, Xen}, f.transport)
	isExternal := slices.Contains([]Transport{USB, Loop, File}, f.transport)
	var codes []string
	for _, rule := range []struct {
		code    string
		applies bool
	}{
		{RefusedRunning, f.running},
		{RefusedInUse, f.used},
		{RefusedReadOnly, f.readOnly},
		{RefusedNoMedium, f.noMedium},
		{RefusedUnreadable, f.unreadable},
		{RefusedForeign, f.consent.KeepGuests}, // no disk here has guests
		{RefusedInternal, isInternal && !f.consent.Internal},
		{RefusedUnknown, !isInternal && !isExternal && !f.consent.Unknown},
		{RefusedData, f.data && !f.consent.Erase && !f.consent.KeepGuests},
	} {
		if rule.applies {
			codes = append(codes, rule.code)
		}
	}
	return codes
}

func TestEveryRefusal(t *testing.T) {
	allowed := 0
	everyFact(func(f facts) {
		d := f.disk()
		var codes []string
		for _, r := range d.Refusals(f.consent, nil) {
			codes = append(codes, r.Code)
			if (r.Consent != "") != (r.Code == RefusedInternal || r.Code == RefusedUnknown || r.Code == RefusedData) || r.Consent != "" && !strings.Contains(r.Text, r.Consent) {
				t.Fatalf("%+v", r)
			}
		}
		if want := f.wants(); !slices.Equal(codes, want) {
			t.Fatalf("%+v: %v, want %v", f, codes, want)
		}
		err := d.Refuse(f.consent, nil)
		if (err == nil) != (len(codes) == 0) || err != nil && (!errors.Is(err, ErrRefused) || !strings.HasPrefix(err.Error(), "sdb is not written: ")) {
			t.Fatalf("%+v: %v", f, err)
		}
		_, planErr := New(d, Request{Consent: f.consent, NewID: newIDs()})
		if (planErr == nil) != (len(codes) == 0) {
			t.Fatalf("%+v: a plan: %v, want %v", f, planErr, codes)
		}
		if err == nil {
			allowed++
		}
	})
	if allowed == 0 {
		t.Error("nothing is ever allowed")
	}
}

func TestRefusalsNameTheUses(t *testing.T) {
	d := stick()
	for _, at := range []string{"/", "/boot", "/boot/efi", "/home", "/srv", "/var"} {
		d.Uses = append(d.Uses, Use{"sdb1", "is mounted at " + at})
	}
	err := d.Refuse(everything, nil)
	if err == nil || !strings.Contains(err.Error(), "sdb1 is mounted at /home, and 2 more; end that first") {
		t.Error(err)
	}
}

func TestPreferred(t *testing.T) {
	disk := func(name string, transport Transport, running bool) Disk {
		d := stick()
		d.Name, d.Transport, d.Running = name, transport, running
		return d
	}
	var order []string
	for _, d := range Preferred([]Disk{
		disk("a", USB, true), disk("b", Unknown, false), disk("c", NVMe, false), disk("d", USB, false), disk("e", SATA, false), disk("f", USB, false),
	}) {
		order = append(order, d.Name)
	}
	if want := []string{"d", "f", "c", "e", "b", "a"}; !slices.Equal(order, want) {
		t.Errorf("%v, want %v", order, want)
	}
}

func TestConfirms(t *testing.T) {
	with, without := stick(), stick()
	without.Serial = ""
	for _, c := range []struct {
		d      Disk
		text   string
		strict bool
		want   bool
	}{
		{with, "S1", true, true},
		{with, " S1\n", false, true},
		{with, "sdb", false, true},
		{with, "sdb", true, false},
		{with, "s1", false, false},
		{with, "yes", false, false},
		{with, "", false, false},
		{without, "sdb", true, true},
		{without, "", true, false},
	} {
		if got := c.d.Confirms(c.text, c.strict); got != c.want {
			t.Errorf("%q confirms %q (strict %v): %v", c.text, c.d.Confirmation(), c.strict, got)
		}
	}
}

func TestHolds(t *testing.T) {
	for want, c := range map[string]signature.Content{
		"empty":                                       {},
		"unknown data":                                {Unknown: true},
		`ISO 9660 "Debian"`:                           {FileSystem: "ISO 9660", Label: "Debian"},
		"1 partition (MBR)":                           {Table: signature.MBR, Partitions: make([]signature.Partition, 1)},
		"2 partitions (GPT), of Windows":              {Table: signature.GPT, Partitions: make([]signature.Partition, 2), Systems: []string{"Windows"}},
		"130 partitions (GPT), damaged table":         {Table: signature.GPT, Partitions: make([]signature.Partition, 128), More: 2, Damage: []string{"x"}},
		"2 partitions (MBR), ISO 9660, of Linux, BSD": {Table: signature.MBR, FileSystem: "ISO 9660", Partitions: make([]signature.Partition, 2), Systems: []string{"Linux", "BSD"}},
	} {
		d := stick()
		d.Content = c
		if got := d.Holds(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
