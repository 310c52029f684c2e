package upgrade

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
)

// TestStick upgrades an install stick, twice: its installer is always of the version that it
// installs, with the command line that it has, and the list of digests has all that is started.
func TestStick(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	files := slices.DeleteFunc(installed(t, a, installerEntry(t, a)), func(f fat32.File) bool { return f.Path == esp.LoaderConfPath })
	m := newESP(t, append(files, fat32.Bytes(esp.LoaderConfPath, []byte("default "+installerID+"\n"))))
	setRecord(t, m, func(r *record.Record) {
		r.Entries = []record.Entry{{Key: installerID, Failures: 3, Disabled: true}}
	})
	for _, next := range []release{b, c} {
		p := mustDo(t, m, next.request())
		if got := strings.Join(p.Notes, "; "); !strings.Contains(got, "the installer, entry rayos-install, starts the new version, too") || strings.Contains(got, "default entry") {
			t.Errorf("%q", p.Notes)
		}
		got, err := look(m, a, b, c)
		if err != nil || got[0] != installerID+"="+next.name || !slices.Contains(got, "rayos="+next.name) {
			t.Fatalf("it boots %q, %v, want %s", got, err, next.name)
		}
		v, err := fat32.Open(m, espBytes)
		if err != nil {
			t.Fatal(err)
		}
		entries, _ := esp.Discover(v, esp.X64)
		e, _ := find(entries, installerID)
		if e.Options != "quiet "+installerID || e.Role() != esp.RoleInstaller {
			t.Errorf("%+v", e)
		}
		sums, err := fs.ReadFile(v, esp.ManifestPath)
		if err != nil {
			t.Fatal(err)
		}
		for name := range starts(installers(entries)) {
			if !strings.Contains(strings.ToLower(string(sums)), "  "+name+"\n") {
				t.Errorf("%s is not in the list of digests:\n%s", name, sums)
			}
		}
		_, loaded := record.Open(volume.On(m, espBytes), installID)
		if item := loaded.Record.Find(installerID); item != nil && item.Disabled {
			t.Errorf("the new installer is disabled: %+v", item)
		}
	}
}

// TestStickOfTwoVersions has an installer of another version than what it installs. A new boot
// manager alone leaves it so, and in the list of digests.
func TestStickOfTwoVersions(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	kernel, initrd := fat32.Bytes(esp.KernelPath(a.name), a.kernel), fat32.Bytes(esp.InitrdPath(a.name), a.initrd)
	m := newESP(t, installed(t, b, installerEntry(t, a), kernel, initrd))
	if p := mustDo(t, m, Request{Manager: c.manager, System: b.request().System}); p.System || !p.Manager {
		t.Errorf("%+v", p)
	}
	got, err := look(m, a, b, c)
	if err != nil || !slices.Contains(got, installerID+"="+a.name) {
		t.Errorf("it boots %q, %v", got, err)
	}
	v, err := fat32.Open(m, espBytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []fat32.File{kernel, initrd} {
		line, err := digestLine(v, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if sums, err := fs.ReadFile(v, esp.ManifestPath); err != nil || !strings.Contains(string(sums), line+"\n") {
			t.Errorf("%s is not in the list of digests: %s, %v", f.Path, sums, err)
		}
	}
}
