package upgrade

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/cuttest"
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
	entry := func(id, title string, private ...esp.Private) fat32.File {
		pins := esp.Pins{Linux: golden.Sum(r.kernel), Initrd: golden.Sum(r.initrd)}
		return fat32.Bytes(esp.EntryPath(id), must(esp.FormatType1(esp.Entry{
			Title: title, SortKey: id, Version: r.name, Linux: kernel, Initrd: []string{initrd}, Options: "quiet " + id,
			Private: append(append(pins.Private(), esp.BlessByRuntime()), private...),
		})))
	}
	manifest := ""
	for name, b := range map[string][]byte{esp.RemovablePathX64: r.manager, esp.ManagerPath: r.manager, kernel: r.kernel, initrd: r.initrd} {
		manifest += fmt.Sprintf("%v  %s\n", golden.Sum(b), name)
	}
	return append([]fat32.File{
		fat32.Bytes(esp.RemovablePathX64, r.manager), fat32.Bytes(esp.ManagerPath, r.manager),
		fat32.Bytes(kernel, r.kernel), fat32.Bytes(initrd, r.initrd),
		entry(EntryID, "RayOS"), entry(safeID, "RayOS (safe mode)", esp.Private{Key: "x-rayos-role", Value: "recovery"}),
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
	if fresh, changed := Forget(loaded.Record); p.System && changed {
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

func TestUpgrade(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	m := newESP(t, installed(t, a))
	expect := func(want string, snapshots int, gone ...release) {
		t.Helper()
		got, err := look(m, a, b, c)
		if err != nil || strings.Join(got, " ") != want {
			t.Fatalf("it boots %q, %v, want %q", got, err, want)
		}
		v, err := fat32.Open(m, espBytes)
		if err != nil {
			t.Fatal(err)
		}
		if all, problems := golden.List(v); len(all) != snapshots || problems != nil {
			t.Errorf("%d snapshots, want %d; %v", len(all), snapshots, problems)
		}
		for _, r := range gone {
			if names, _ := fs.Glob(v, "EFI/rayos/*-"+r.name+"*"); len(names) > 0 {
				t.Errorf("%v are still there", names)
			}
		}
		if findings, err := fat32.Check(m, espBytes); err != nil || len(findings) > 0 {
			t.Errorf("%v, %v", findings, err)
		}
	}
	expect("rayos=6.1.1 aaa rayos-safe=6.1.1", 0)

	if p := mustDo(t, m, b.request()); p.Kept.Release != a.name || p.Kept.Options != "quiet rayos" || p.New.Options != "quiet rayos" {
		t.Errorf("%+v", p)
	}
	expect("rayos=6.1.2 rayos-old=6.1.1 rayos-safe=6.1.1 aaa", 1)

	// The version before was never a good boot: the one before that stays.
	if p := mustDo(t, m, c.request()); p.Kept.Release != a.name || len(p.Notes) != 1 {
		t.Errorf("%+v", p)
	}
	expect("rayos=6.1.3 rayos-old=6.1.1 rayos-safe=6.1.1 aaa", 1, b)

	// Once it was, it becomes what the machine comes back to, and the oldest goes.
	bless(t, m)
	if p := mustDo(t, m, b.request()); p.Kept.Release != c.name {
		t.Errorf("%+v", p)
	}
	expect("rayos=6.1.2 rayos-old=6.1.3 rayos-safe=6.1.3 aaa", 2, a)

	// The same again changes nothing.
	disk := cuttest.New(m)
	if p := mustDo(t, disk, b.request()); !p.Nothing() || disk.Operations() != 0 {
		t.Errorf("%d operations: %+v", disk.Operations(), p)
	}
}

// setRecord changes the boot-state record.
func setRecord(t *testing.T, dev fat32.Device, change func(*record.Record)) {
	t.Helper()
	store, loaded := record.Open(volume.On(dev, espBytes), installID)
	r := loaded.Record.Clone()
	change(&r)
	if err := store.Save(r); err != nil {
		t.Fatal(err)
	}
}

// TestAfterFailure upgrades a machine whose newest version has failed: what it came back to
// stays.
func TestAfterFailure(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	m := newESP(t, installed(t, a))
	mustDo(t, m, b.request())
	bless(t, m) // it was good once
	setRecord(t, m, func(r *record.Record) {
		r.Entries = []record.Entry{{Key: EntryID, Failures: 3, Disabled: true}, {Key: "aaa", Failures: 1}}
		r.Open, r.Recovery, r.Disablings = record.Attempt{Kind: record.EntryAttempt, Entry: EntryID}, "operator", 1
	})
	if p := mustDo(t, m, b.request()); p.System || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "bootmgr enable") {
		t.Errorf("the same version: %+v", p)
	}
	if p := mustDo(t, m, c.request()); p.Kept.Release != a.name {
		t.Errorf("%+v", p)
	}
	got, err := look(m, a, b, c)
	if err != nil || got[0] != "rayos=6.1.3" || got[1] != "rayos-old=6.1.1" {
		t.Errorf("it boots %q, %v", got, err)
	}
	_, loaded := record.Open(volume.On(m, espBytes), installID)
	if r := loaded.Record; r.Find(EntryID) != nil && r.Find(EntryID).Disabled || r.Open.Kind != record.NoAttempt || r.Recovery != "" || r.Find("aaa").Failures != 1 {
		t.Errorf("record %+v", r)
	}
}

// TestDamagedNow upgrades a machine whose newest version is damaged on the disk, with and
// without an older one.
func TestDamagedNow(t *testing.T) {
	a, b := newRelease(1), newRelease(2)
	m := newESP(t, installed(t, a))
	e, err := fat32.Edit(m, espBytes, testTime)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Replace(esp.KernelPath(a.name), 3, strings.NewReader("bad")), e.Close()); err != nil {
		t.Fatal(err)
	}
	if p := mustDo(t, m, b.request()); p.Kept != nil || len(p.Notes) != 1 {
		t.Errorf("%+v", p)
	}
	if got, err := look(m, a, b); err != nil || strings.Join(got, " ") != "rayos=6.1.2 aaa rayos-safe=6.1.2" {
		t.Errorf("it boots %q, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	a, b := newRelease(1), newRelease(2)
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	withKey := func(key ed25519.PrivateKey) Request {
		req := b.request()
		req.Key, req.Private = private.Public().(ed25519.PublicKey), key
		return req
	}
	large := b.request()
	large.System.Kernel = noise(1, espBytes)
	for _, c := range []struct {
		name  string
		files []fat32.File
		req   Request
		want  error
	}{
		{"not RayOS", slices.DeleteFunc(installed(t, a), func(f fat32.File) bool { return f.Path == esp.EntryPath(EntryID) }), b.request(), ErrForeign},
		{"no key to sign with", installed(t, a), withKey(nil), ErrUnsigned},
		{"another key", installed(t, a), withKey(other), golden.ErrSignature},
		{"huge list of digests", append(slices.DeleteFunc(installed(t, a), func(f fat32.File) bool { return f.Path == esp.ManifestPath }), fat32.Bytes(esp.ManifestPath, make([]byte, 1<<20))), b.request(), nil},
		{"no room", installed(t, a), large, fat32.ErrNoSpace},
		{"no room for a snapshot", installed(t, a, fat32.Bytes("big", make([]byte, espBytes-900<<10))), b.request(), nil},
	} {
		m := newESP(t, c.files)
		if _, err := do(m, c.req); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	m := newESP(t, installed(t, a))
	if p := mustDo(t, m, withKey(private)); !p.Signed {
		t.Errorf("%+v", p)
	}
	v, _ := fat32.Open(m, espBytes)
	if all, _ := golden.List(v); len(all) != 1 || all[0].CheckSignature(private.Public().(ed25519.PublicKey)) != nil {
		t.Errorf("%+v", all)
	}
	// Its snapshot is signed already: the next upgrade needs no key.
	if _, err := do(m, Request{Manager: b.manager, System: System{Release: "x", Kernel: []byte("x")}, Key: private.Public().(ed25519.PublicKey)}); err != nil {
		t.Error(err)
	}
}

// TestOtherDefault says that the new version will not be started by itself.
func TestOtherDefault(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	m := newESP(t, installed(t, a))
	setRecord(t, m, func(r *record.Record) { r.Default = "aaa" })
	if p := mustDo(t, m, b.request()); len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "the default entry is aaa") {
		t.Errorf("%q", p.Notes)
	}
	setRecord(t, m, func(r *record.Record) { r.Default = EntryID })
	bless(t, m)
	if p := mustDo(t, m, c.request()); len(p.Notes) != 0 {
		t.Errorf("%q", p.Notes)
	}
}

// TestUnreadableEntry keeps all versions where it is not known what an entry starts.
func TestUnreadableEntry(t *testing.T) {
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	m := newESP(t, installed(t, a, fat32.Bytes(esp.EntryPath("odd"), []byte("linux /../x\n"))))
	for _, r := range []release{b, c} {
		if p := mustDo(t, m, r.request()); len(p.Notes) == 0 || !strings.Contains(p.Notes[0], "old versions are not dropped") {
			t.Errorf("%q", p.Notes)
		}
	}
	v, err := fat32.Open(m, espBytes)
	if err != nil {
		t.Fatal(err)
	}
	if kernels, err := fs.Glob(v, "EFI/rayos/vmlinuz-6*"); err != nil || len(kernels) != 3 {
		t.Errorf("%v, %v", kernels, err)
	}
}

// TestForeignManager leaves another boot loader at the removable path alone.
func TestForeignManager(t *testing.T) {
	a, b := newRelease(1), newRelease(2)
	m := newESP(t, installed(t, a))
	e, err := fat32.Edit(m, espBytes, testTime)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Replace(esp.RemovablePathX64, 4, strings.NewReader("shim")), e.Close()); err != nil {
		t.Fatal(err)
	}
	p := mustDo(t, m, b.request())
	v, _ := fat32.Open(m, espBytes)
	removable, _ := fs.ReadFile(v, esp.RemovablePathX64)
	ours, _ := fs.ReadFile(v, esp.ManagerPath)
	old, _ := fs.ReadFile(v, OldManagerPath)
	if string(removable) != "shim" || !bytes.Equal(ours, b.manager) || !bytes.Equal(old, a.manager) || len(p.Notes) != 1 {
		t.Errorf("%q, %+v", removable, p.Notes)
	}
}
