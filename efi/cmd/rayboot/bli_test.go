package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
)

func setLoader(fw *fakefw.Firmware, name, value string) {
	fw.SetVariable(name, loaderVendor, persistent, uefi.EncodeUTF16(value))
}

func TestOneShotIsConsumed(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(twoEntries())
	setLoader(fw, "LoaderEntryOneShot", "b.conf")
	if end := boot(fw); end.How != fakefw.Booted || string(end.Image.Source) != kernel("b") {
		t.Fatalf("%v\n%s", end, fw.Transcript())
	}
	if _, _, ok := fw.Variable("LoaderEntryOneShot", loaderVendor); ok {
		t.Error("LoaderEntryOneShot is still there")
	}
	if !strings.Contains(fw.Transcript(), "entry=b, reason=oneshot") {
		t.Errorf("no reason in\n%s", fw.Transcript())
	}
}

// TestOneShotThatCannotBeConsumed: honoured, it would be honoured for ever.
func TestOneShotThatCannotBeConsumed(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(twoEntries())
	setLoader(fw, "LoaderEntryOneShot", "b.conf")
	fw.Override("SetVariable", func([]uintptr) uefi.Status { return uefi.ErrWriteProtected })
	if end := boot(fw); end.How != fakefw.Booted || string(end.Image.Source) != kernel("a") {
		t.Fatalf("%v\n%s", end, fw.Transcript())
	}
	if !strings.Contains(fw.Transcript(), "LoaderEntryOneShot=b.conf is not honoured") {
		t.Errorf("nobody is told:\n%s", fw.Transcript())
	}
}

func TestDefaultIsSavedAndHonoured(t *testing.T) {
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(twoEntries())
	fw.Type("x2d\r")
	boot(fw)
	data, attr, ok := fw.Variable("LoaderEntryDefault", loaderVendor)
	if !ok || uefi.DecodeUTF16(data) != "b.conf" || attr != persistent {
		t.Fatalf("LoaderEntryDefault is %q, %x\n%s", uefi.DecodeUTF16(data), attr, fw.Transcript())
	}
	next := fakefw.New()
	defer next.Close()
	next.AddVolume(twoEntries())
	next.SetVariable("LoaderEntryDefault", loaderVendor, attr, data)
	if end := boot(next); end.How != fakefw.Booted || string(end.Image.Source) != kernel("b") {
		t.Errorf("%v\n%s", end, next.Transcript())
	}
}

func TestTimeoutVariables(t *testing.T) {
	for _, c := range []struct {
		name, value string
		least       time.Duration
		how         fakefw.How
	}{
		{"LoaderConfigTimeout", "3", 3 * time.Second, fakefw.Booted},
		{"LoaderConfigTimeoutOneShot", "2", 2 * time.Second, fakefw.Booted},
		{"LoaderConfigTimeout", "menu-force", 0, fakefw.Waiting},
		{"LoaderConfigTimeout", "menu-hidden", 0, fakefw.Booted},
		{"LoaderConfigTimeout", "nonsense", 0, fakefw.Booted},
	} {
		fw := fakefw.New()
		fw.AddVolume(twoEntries())
		setLoader(fw, c.name, c.value)
		if end := boot(fw); end.How != c.how || fw.Now() < c.least {
			t.Errorf("%s=%s: %v after %v", c.name, c.value, end.How, fw.Now())
		}
		fw.Close()
	}
}

func TestHandOver(t *testing.T) {
	const installID = "0f9d2bd0-6c1f-4e2a-9b63-1f3c5a7e9d01"
	files := twoEntries()
	files["EFI/rayos/install.id"] = installID + "\n"
	fw := fakefw.New()
	defer fw.Close()
	unique := uefi.MustParseGUID("11111111-2222-3333-4444-555555555555")
	disk := fw.AddDisk(&fakefw.Sparse{}, 512, 1<<20)
	disk.AddPartition(1, uefi.PartitionInfo{Type: fakefw.ESPType, Unique: unique, StartLBA: 2048, EndLBA: 821247}).Format(files)
	boot(fw)
	for _, c := range []struct {
		name   string
		vendor uefi.GUID
		want   string
	}{
		{"LoaderDevicePartUUID", loaderVendor, unique.String()},
		{"LoaderEntrySelected", loaderVendor, "a.conf"},
		{"LoaderEntries", loaderVendor, "a.conf"},
		{"LoaderInfo", loaderVendor, product + " " + version},
		{"RayosEntry", rayosVendor, "a"},
		{"RayosInstallID", rayosVendor, installID},
	} {
		data, attr, ok := fw.Variable(c.name, c.vendor)
		if got := uefi.DecodeUTF16(data); !ok || got != c.want || attr != volatile {
			t.Errorf("%s is %q with attributes %x, want %q", c.name, got, attr, c.want)
		}
	}
}

func TestSecureBootLocksTheEditor(t *testing.T) {
	files := twoEntries()
	files["loader/loader.conf"] = "timeout menu-force\n"
	fw := fakefw.New()
	defer fw.Close()
	fw.AddVolume(files)
	fw.SetVariable("SecureBoot", uefi.GlobalVariable, volatile, []byte{1})
	fw.Type("xe") // x brings up the menu
	if end := boot(fw); end.How != fakefw.Waiting || !strings.Contains(fw.Screen().String(), "Command lines are locked") {
		t.Errorf("%v\n%s", end, fw.Screen())
	}
}
