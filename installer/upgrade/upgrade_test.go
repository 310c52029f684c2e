package upgrade

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/bootmenu/record/volume"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/cuttest"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
)

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

// TestSignedVersions has a machine that takes no snapshots by itself. A version of which a person took
// one is kept, and its snapshot signed; one that nothing is known of is not.
func TestSignedVersions(t *testing.T) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := private.Public().(ed25519.PublicKey)
	a, b, c := newRelease(1), newRelease(2), newRelease(3)
	for _, taken := range []bool{false, true} {
		m := newESP(t, installed(t, a))
		var p Plan
		for _, r := range []release{b, c} {
			req := r.request()
			req.Key, req.Private = public, private
			if p = mustDo(t, m, req); taken {
				bless(t, m)
			}
		}
		want := map[bool]release{false: a, true: b}[taken]
		if p.Kept.Release != want.name || strings.Contains(strings.Join(p.Notes, " "), "recovery snapshot") == taken {
			t.Errorf("a snapshot was taken: %v: %+v", taken, p)
		}
		v, err := fat32.Open(m, espBytes)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := snapshotOf(v, *p.Kept)
		if !ok || s.CheckSignature(public) != nil || s.State != golden.Stable {
			t.Errorf("a snapshot was taken: %v: %+v, %v", taken, s, ok)
		}
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
