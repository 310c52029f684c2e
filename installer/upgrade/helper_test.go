package upgrade

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
)

const (
	espBytes  = 40 << 20
	installID = "01234567-89ab-4def-8123-456789abcdef"
)

var testTime = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// noise is always the same for a seed.
func noise(seed, n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(seed))).Read(b)
	return b
}

// release is a version of RayOS.
type release struct {
	manager, kernel, initrd []byte
	name                    string
}

func newRelease(n int) release {
	return release{noise(100*n, 3000), noise(100*n+1, 5000), noise(100*n+2, 7001), "6.1." + fmt.Sprint(n)}
}

func (r release) request() Request {
	return Request{Manager: r.manager, System: System{Release: r.name, Kernel: r.kernel, Initrd: r.initrd}}
}

// entryOf is an entry that starts a release.
func entryOf(t testing.TB, r release, id, title string, private ...esp.Private) fat32.File {
	t.Helper()
	pins := esp.Pins{Linux: golden.Sum(r.kernel), Initrd: golden.Sum(r.initrd)}
	text, err := esp.FormatType1(esp.Entry{
		Title: title, SortKey: id, Version: r.name, Linux: esp.KernelPath(r.name), Initrd: []string{esp.InitrdPath(r.name)}, Options: "quiet " + id,
		Private: append(append(pins.Private(), esp.BlessByRuntime()), private...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return fat32.Bytes(esp.EntryPath(id), text)
}

const installerID = "rayos-install"

// installerEntry makes a stick of an installation.
func installerEntry(t testing.TB, r release) fat32.File {
	t.Helper()
	return entryOf(t, r, installerID, "Install RayOS", esp.Private{Key: esp.RoleKey, Value: esp.RoleInstaller})
}

// installed are the files of an ESP as an installation makes it.
func installed(t testing.TB, r release, more ...fat32.File) []fat32.File {
	t.Helper()
	must := func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	kernel, initrd := esp.KernelPath(r.name), esp.InitrdPath(r.name)
	manifest := ""
	for name, b := range map[string][]byte{esp.RemovablePathX64: r.manager, esp.ManagerPath: r.manager, kernel: r.kernel, initrd: r.initrd} {
		manifest += fmt.Sprintf("%v  %s\n", golden.Sum(b), name)
	}
	return append([]fat32.File{
		fat32.Bytes(esp.RemovablePathX64, r.manager), fat32.Bytes(esp.ManagerPath, r.manager),
		fat32.Bytes(kernel, r.kernel), fat32.Bytes(initrd, r.initrd),
		entryOf(t, r, EntryID, "RayOS"), entryOf(t, r, safeID, "RayOS (safe mode)", esp.Private{Key: esp.RoleKey, Value: esp.RoleRecovery}),
		fat32.Bytes(esp.LoaderConfPath, []byte("timeout 5\ndefault rayos\n")),
		fat32.Bytes(esp.InstallIDPath, must(esp.FormatInstallID(installID))),
		fat32.Bytes(esp.BootStatePath, must(record.InitialFile(installID))),
		fat32.Bytes(esp.ManifestPath, []byte(manifest)),
		fat32.Bytes(esp.EntryPath("aaa"), []byte("title Another system\nsort-key aaa\nlinux /EFI/rayos/vmlinuz-of-another\n")),
		fat32.Bytes("EFI/rayos/vmlinuz-of-another", []byte("another")),
	}, more...)
}

// memory is a volume in memory.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m).ReadAt(p, off) }

func (m memory) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > int64(len(m)) {
		return 0, io.ErrShortWrite
	}
	return copy(m[off:], p), nil
}

func (memory) Sync() error { return nil }

func newESP(t testing.TB, files []fat32.File) memory {
	t.Helper()
	m := make(memory, espBytes)
	if _, err := fat32.Create(m, fat32.Options{SizeBytes: espBytes, SectorSize: 512, Label: "ESP", Modified: testTime}, files); err != nil {
		t.Fatal(err)
	}
	return m
}

// do upgrades a volume, as rayimg does.
func do(dev fat32.Device, req Request) (Plan, error) {
	e, err := fat32.Edit(dev, espBytes, testTime)
	if err != nil {
		return Plan{}, err
	}
	store, loaded := record.Open(volume.On(dev, espBytes), installID)
	if loaded.Problem != nil {
		return Plan{}, loaded.Problem
	}
	req.State = loaded.Record
	p, err := New(e, req)
	if err != nil {
		return p, err
	}
	if err := errors.Join(p.Run(e, func(string) {}), e.Mend(), e.Close()); err != nil {
		return p, err
	}
	if fresh, changed := p.Forget(loaded.Record); p.System && changed {
		return p, store.Save(fresh)
	}
	return p, nil
}

func mustDo(t *testing.T, dev fat32.Device, req Request) Plan {
	t.Helper()
	p, err := do(dev, req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bless does what the runtime does at GOLDEN: it leaves a stable snapshot of what the entry
// rayos starts.
func bless(t *testing.T, dev fat32.Device) {
	t.Helper()
	e, err := fat32.Edit(dev, espBytes, testTime)
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := esp.Discover(e, esp.X64)
	entry, _ := find(entries, EntryID)
	x, err := readVersion(e, entry)
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := golden.Take(e, golden.Source{
		Booted: golden.Booted{Kernel: x.kernel, Initrd: x.initrd, Options: x.Options}, Entry: EntryID,
		Open: func(p golden.BootedPart) (io.ReadCloser, error) { return open(e, p) },
	}, func(string) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := golden.Promote(e, s.ID()); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// choices are the releases in the order in which the boot manager tries them by itself,
// when each in turn has failed: the default, and then what comes first in the menu.
func choices(v fs.FS, releases ...release) (names []string, err error) {
	conf, problems := esp.ReadLoaderConf(v)
	entries, more := esp.Discover(v, esp.X64)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, problems[0]
	}
	var order []esp.Entry
	for _, fits := range []bool{true, false} {
		for _, e := range entries {
			if esp.MatchID(conf.Default, e.ID) == fits {
				order = append(order, e)
			}
		}
	}
	for _, e := range order {
		x, err := readVersion(v, e)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.ID, err)
		}
		name := e.ID
		for _, r := range releases {
			if x.Kernel == golden.Sum(r.kernel) && x.Initrd == golden.Sum(r.initrd) {
				name += "=" + r.name
			}
		}
		names = append(names, name)
	}
	return names, nil
}

// look says how a machine would boot from the volume, and what is wrong with it. Before and
// after are the releases that it may have.
func look(dev fat32.Device, releases ...release) (choice []string, err error) {
	v, err := fat32.Open(dev, espBytes)
	if err != nil {
		return nil, err
	}
	if _, loaded := record.Open(volume.On(dev, espBytes), installID); loaded.Status == record.Lost || loaded.Status == record.Foreign {
		return nil, loaded.Problem
	}
	for _, name := range []string{esp.RemovablePathX64, esp.ManagerPath} {
		b, err := fs.ReadFile(v, name)
		if err != nil {
			return nil, err
		}
		known := false
		for _, r := range releases {
			known = known || bytes.Equal(b, r.manager)
		}
		if !known {
			return nil, fmt.Errorf("%s is none of the boot managers", name)
		}
	}
	text, err := fs.ReadFile(v, esp.ManifestPath)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if now, err := digestLine(v, nameIn(strings.TrimSpace(line))); err != nil || now+"\n" != line {
			return nil, fmt.Errorf("the list of digests has %q: %q, %v", line, now, err)
		}
	}
	snapshots, _ := golden.List(v)
	for _, s := range snapshots {
		if err := golden.Verify(v, nil, s); err != nil {
			return nil, err
		}
	}
	return choices(v, releases...)
}
