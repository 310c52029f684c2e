package bootdisk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rayos/rayboot/initramfs/bootdisk"
)

func TestChoose(t *testing.T) {
	candidate := func(partition, id string) bootdisk.Candidate {
		return bootdisk.Candidate{Disk: strings.TrimRight(partition, "1"), Partition: partition, InstallID: id}
	}
	attempted := func(partition, id string) bootdisk.Candidate {
		c := candidate(partition, id)
		c.Attempted = true
		return c
	}
	unreadable := bootdisk.Candidate{Disk: "sdc", Partition: "sdc1", Problem: errors.New("no install ID")}
	all := bootdisk.Wanted{PartUUID: "p", InstallID: "aa-BB"}
	for _, c := range []struct {
		name       string
		wanted     bootdisk.Wanted
		candidates []bootdisk.Candidate
		want       string   // partition; "" for an error
		says       []string // the error
	}{
		{"the one", all, []bootdisk.Candidate{candidate("vda1", "AA-bb")}, "vda1", nil},
		{"none", all, nil, "", []string{"PARTUUID p", "install ID aa-BB", "no disk has it"}},
		{"another installation beside it", all, []bootdisk.Candidate{candidate("sda1", "x"), candidate("sdb1", "aa-bb"), unreadable}, "sdb1", nil},
		{"another installation only", all, []bootdisk.Candidate{candidate("sda1", "x"), unreadable}, "", []string{"sda1: install ID x", "sdc1: no install ID"}},
		{"clones", all, []bootdisk.Candidate{candidate("sda1", "aa-bb"), candidate("sdb1", "aa-bb")}, "", []string{"sda1, sdb1", "clones", "none is used"}},
		{"the clone that was booted", all, []bootdisk.Candidate{candidate("sda1", "aa-bb"), attempted("sdb1", "aa-bb")}, "sdb1", nil},
		{"clones of an attempt", all, []bootdisk.Candidate{attempted("sda1", "aa-bb"), attempted("sdb1", "aa-bb")}, "", []string{"clones"}},
		{"an attempt on another installation", all, []bootdisk.Candidate{attempted("sda1", "x")}, "", []string{"install ID does not"}},
		{"no install ID handed over", bootdisk.Wanted{PartUUID: "p"}, []bootdisk.Candidate{unreadable}, "sdc1", nil},
		{"clones without install ID", bootdisk.Wanted{PartUUID: "p"}, []bootdisk.Candidate{candidate("sda1", "x"), unreadable}, "", []string{"sda1, sdc1"}},
		{"an empty install ID is none", all, []bootdisk.Candidate{candidate("sda1", "")}, "", []string{"install ID does not"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := bootdisk.Choose(c.wanted, c.candidates)
			if got.Partition != c.want || (err == nil) != (c.want != "") {
				t.Fatalf("got %q, %v; want %q", got.Partition, err, c.want)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("error %q does not say %q", err, text)
				}
			}
		})
	}
}
