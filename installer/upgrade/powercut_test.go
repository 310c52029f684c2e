package upgrade

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/cuttest"
	"github.com/rayos/rayboot/esp/fat32"
)

// sweep cuts the power at every operation of an upgrade from a to b. It returns what went
// wrong first.
func sweep(t *testing.T, base memory, a, b release, upgrade func(*cuttest.Disk) error) (problem string) {
	t.Helper()
	disk := cuttest.New(base)
	if err := upgrade(disk); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	disk.Cuts(func(op, pattern int, cut *cuttest.Disk) bool {
		boots := ""
		if boots, problem = checkCut(cut, a, b, (op*7+pattern)%11 == 0); problem != "" {
			problem = fmt.Sprintf("cut before operation %d of %d, pattern %d: %s", op+1, disk.Operations(), pattern, problem)
		}
		seen[boots]++
		return problem == ""
	})
	if problem == "" && (seen[a.name] == 0 || seen[b.name] == 0) {
		t.Errorf("the sweep has seen only %v", seen)
	}
	t.Logf("%d operations, booting %v", disk.Operations(), seen)
	return problem
}

// checkCut wants the old release, or the new one with the old one behind it. Now and then
// the upgrade is done again, which must succeed.
func checkCut(cut *cuttest.Disk, a, b release, again bool) (boots, problem string) {
	got, installer, err := lookAtStick(cut, a, b)
	if err != nil {
		return "", err.Error()
	}
	switch {
	case got[0] == "rayos="+a.name:
		boots = a.name
	case got[0] == "rayos="+b.name && got[1] == "rayos-old="+a.name:
		boots = b.name
		v, err := fat32.Open(cut, espBytes)
		if err != nil {
			return "", err.Error()
		}
		entries, _ := esp.Discover(v, esp.X64)
		e, _ := find(entries, OldID)
		old, err := readVersion(v, e)
		if err != nil || !proven(v, old) {
			return "", fmt.Sprintf("the old version is no golden snapshot (%v)", err)
		}
	default:
		return "", fmt.Sprintf("it boots %q", got)
	}
	if boots == b.name && installer == a.name {
		return "", "it boots the new version, and installs with the old one"
	}
	if !again {
		return boots, ""
	}
	if _, err := do(cut, b.request()); err != nil {
		return "", "upgraded again: " + err.Error()
	}
	if got, installer, err = lookAtStick(cut, a, b); err != nil || got[0] != "rayos="+b.name || got[1] != "rayos-old="+a.name || installer == a.name {
		return "", fmt.Sprintf("upgraded again it boots %q, %v", got, err)
	}
	if findings, err := fat32.Check(cut, espBytes); err != nil || slices.ContainsFunc(findings, func(f fat32.Finding) bool { return f.Code != "fat-orphan" }) {
		return "", fmt.Sprintf("upgraded again: %v, %v", findings, err)
	}
	return boots, ""
}

// lookAtStick is look with the release of the installer by itself; it is empty where there is none.
func lookAtStick(dev fat32.Device, releases ...release) (choice []string, installer string, err error) {
	all, err := look(dev, releases...)
	for _, c := range all {
		if name, ok := strings.CutPrefix(c, installerID+"="); ok {
			installer = name
		} else {
			choice = append(choice, c)
		}
	}
	return choice, installer, err
}

// second is a disk that was upgraded before, so that an upgrade also replaces and drops what
// is there.
func second(t *testing.T, a release) memory {
	t.Helper()
	m := newESP(t, installed(t, newRelease(0)))
	mustDo(t, m, a.request())
	bless(t, m)
	return m
}

func TestPowerCutAtEveryOperation(t *testing.T) {
	a, b := newRelease(1), newRelease(2)
	for name, base := range map[string]memory{
		"first": newESP(t, installed(t, a)), "second": second(t, a), "stick": newESP(t, installed(t, a, installerEntry(t, a))),
	} {
		t.Run(name, func(t *testing.T) {
			problem := sweep(t, base, a, b, func(d *cuttest.Disk) error {
				_, err := do(d, b.request())
				return err
			})
			if problem != "" {
				t.Error(problem)
			}
		})
	}
}

// naive are upgrades as one might do them at first.
var naive = map[string]func(d *cuttest.Disk, b release) error{
	"without flushes": func(d *cuttest.Disk, b release) error {
		if _, err := do(cuttest.Unordered{Disk: d}, b.request()); err != nil {
			return err
		}
		return d.Sync()
	},
	"the kernel in its place": func(d *cuttest.Disk, b release) error {
		e, err := fat32.Edit(d, espBytes, testTime)
		if err != nil {
			return err
		}
		if err := e.Replace("EFI/rayos/vmlinuz-6.1.1", int64(len(b.kernel)), bytes.NewReader(b.kernel)); err != nil {
			return err
		}
		return e.Close()
	},
	"remove and create": func(d *cuttest.Disk, b release) error {
		e, err := fat32.Edit(d, espBytes, testTime)
		if err != nil {
			return err
		}
		if err := e.Remove(esp.RemovablePathX64); err != nil {
			return err
		}
		if err := e.Create(esp.RemovablePathX64, int64(len(b.manager)), bytes.NewReader(b.manager)); err != nil {
			return err
		}
		return e.Close()
	},
}

// TestNaiveUpgradesFail shows that the sweep sees what it is there for.
func TestNaiveUpgradesFail(t *testing.T) {
	a, b := newRelease(1), newRelease(2)
	for name, upgrade := range naive {
		problem := sweep(t, newESP(t, installed(t, a)), a, b, func(d *cuttest.Disk) error { return upgrade(d, b) })
		if problem == "" {
			t.Errorf("%s: the sweep sees nothing", name)
		}
		t.Log(strings.TrimSpace(name + ": " + problem))
	}
}
