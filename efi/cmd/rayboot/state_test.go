package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/efi/uefi"
	"github.com/rayos/rayboot/efi/uefi/fakefw"
	"github.com/rayos/rayboot/efi/watchdog/watchdogtest"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/golden"
)

const testInstallID = "11111111-2222-3333-4444-555555555555"

// rayosFiles is an ESP of RayOS: the runtime blesses both entries.
func rayosFiles(t *testing.T) fakefw.Files {
	t.Helper()
	state, err := record.InitialFile(testInstallID)
	if err != nil {
		t.Fatal(err)
	}
	files := twoEntries()
	for _, name := range []string{"loader/entries/a.conf", "loader/entries/b.conf"} {
		files[name] += "x-rayos-bless runtime\n"
	}
	files[esp.InstallIDPath] = testInstallID + "\n"
	files[esp.BootStatePath] = string(state)
	return files
}

// stored is the record on a volume.
func stored(t *testing.T, files fakefw.Files) record.Record {
	t.Helper()
	var newest record.Record
	data := files[esp.BootStatePath]
	for at := 0; at+record.CopyBytes <= len(data); at += record.CopyBytes {
		if r, err := record.Decode([]byte(data[at : at+record.CopyBytes])); err == nil && r.Sequence >= newest.Sequence {
			newest = r
		}
	}
	return newest
}

// bootFrom runs the manager on a machine with these files, and returns the files
// as they are afterwards.
func bootFrom(t *testing.T, files fakefw.Files, prepare func(*fakefw.Firmware, *fakefw.Volume)) (fakefw.End, *fakefw.Firmware, fakefw.Files) {
	t.Helper()
	fw := fakefw.New()
	t.Cleanup(fw.Close)
	v := fw.AddVolume(files)
	if prepare != nil {
		prepare(fw, v)
	}
	end := boot(fw)
	return end, fw, v.Files()
}

func TestAttemptIsRecordedAndHandedOver(t *testing.T) {
	end, fw, files := bootFrom(t, rayosFiles(t), nil)
	if end.How != fakefw.Booted {
		t.Fatalf("%v\n%s", end.How, fw.Transcript())
	}
	open := stored(t, files).Open
	if open.Kind != record.EntryAttempt || open.Entry != "a" || open.Stage != record.StageStart {
		t.Errorf("the open attempt is %+v", open)
	}
	handed, _, err := fw.System().GetVariable("RayosAttempt", rayosVendor)
	if err != nil || uefi.DecodeUTF16(handed) != open.Nonce.String() {
		t.Errorf("handed over %q, %v; recorded is %v", uefi.DecodeUTF16(handed), err, open.Nonce)
	}
	text, _, err := fw.System().GetVariable("RayosBooted", rayosVendor)
	if err != nil {
		t.Fatal(err)
	}
	booted, err := golden.ParseBooted(uefi.DecodeUTF16(text))
	if err != nil || booted.Kernel.SHA256 != golden.Sum([]byte(kernel("a"))) || booted.Initrd.SHA256 != golden.Sum([]byte("initrd of a")) || booted.Options != "root=a" {
		t.Errorf("told is %+v, %v", booted, err)
	}
}

func TestFailuresAreCountedUntilTheEntryIsDisabled(t *testing.T) {
	files := rayosFiles(t)
	for n, want := range []string{"a", "a", "a", "b"} {
		end, fw, after := bootFrom(t, files, nil)
		if end.How != fakefw.Booted || string(end.Image.Source) != kernel(want) {
			t.Fatalf("boot %d: %v, want %s\n%s", n+1, end.How, want, fw.Transcript())
		}
		reason := "crash"
		if n == 3 {
			reason = "stuck"
		}
		counted := fmt.Sprintf("[RAYOS_BOOT_MARKER:FAILURE_COUNT] entry=a, count=%d, limit=3, stage=start, reason=%s", n, reason)
		if n > 0 && !strings.Contains(fw.Transcript(), counted) {
			t.Errorf("boot %d: no line %s in\n%s", n+1, counted, fw.Transcript())
		}
		files = after
	}
	if e := func() *record.Entry { r := stored(t, files); return r.Find("a") }(); e == nil || !e.Disabled {
		t.Errorf("a is %+v", e)
	}
}

func TestPinnedDigests(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(fakefw.Files)
		want  string
		says  string
	}{
		{"as pinned", func(fakefw.Files) {}, "a", "entry=a, reason=default"},
		{"kernel", func(f fakefw.Files) { f["linux-a"] += "\x00" }, "b", "stage=verify, reason=\"verify linux-a"},
		{"initrd", func(f fakefw.Files) { f["initrd-a"] = "initrd of A" }, "b", "stage=verify, reason=\"verify initrd-a"},
		{"malformed pin", func(f fakefw.Files) { f["loader/entries/a.conf"] += "x-rayos-linux-sha256 12\n" }, "b", "the entry is skipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := rayosFiles(t)
			for _, pin := range (esp.Pins{Linux: golden.Sum([]byte(kernel("a"))), Initrd: golden.Sum([]byte("initrd of a"))}).Private() {
				files["loader/entries/a.conf"] += pin.Key + " " + pin.Value + "\n"
			}
			c.spoil(files)
			end, fw, _ := bootFrom(t, files, nil)
			if end.How != fakefw.Booted || string(end.Image.Source) != kernel(c.want) || !strings.Contains(fw.Transcript(), c.says) {
				t.Errorf("%v, want %s and %q\n%s", end.How, c.want, c.says, fw.Transcript())
			}
		})
	}
}

func TestStateThatCannotBeKept(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(fakefw.Files)
		prepare func(*fakefw.Firmware, *fakefw.Volume)
		says    string
	}{
		{"read-only", func(fakefw.Files) {}, func(_ *fakefw.Firmware, v *fakefw.Volume) { v.SetReadOnly() }, "[RAYOS_BOOTMGR:UNCOUNTED] entry=a"},
		{"newer", func(f fakefw.Files) { f[esp.BootStatePath] = newerRecord(f[esp.BootStatePath]) }, nil, "[RAYOS_BOOTMGR:UNCOUNTED] entry=a"},
		{"lost", func(f fakefw.Files) { f[esp.BootStatePath] = strings.Repeat("x", record.FileBytes) }, nil, "[RAYOS_BOOTMGR:STATE_LOST]"},
		{"missing", func(f fakefw.Files) { delete(f, esp.BootStatePath) }, nil, "[RAYOS_BOOTMGR:STATE_LOST]"},
		{"foreign", func(f fakefw.Files) { f[esp.InstallIDPath] = "99999999-2222-3333-4444-555555555555\n" }, nil, "[RAYOS_BOOTMGR:STATE_LOST]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := rayosFiles(t)
			c.spoil(files)
			before := files[esp.BootStatePath]
			end, fw, after := bootFrom(t, files, c.prepare)
			if end.How != fakefw.Booted || !strings.Contains(fw.Transcript(), c.says) {
				t.Errorf("%v, want %q in\n%s", end.How, c.says, fw.Transcript())
			}
			kept := after[esp.BootStatePath] == before
			if uncounted := strings.Contains(fw.Transcript(), "UNCOUNTED"); uncounted != kept {
				t.Errorf("uncounted %v, record untouched %v", uncounted, kept)
			}
			if !kept && stored(t, after).Open.Entry != "a" {
				t.Errorf("the new record is %+v", stored(t, after))
			}
		})
	}
}

// newerRecord is the file with a next major version in its first copy.
func newerRecord(file string) string {
	data := []byte(file)
	data[8]++
	clear(data[12:16])
	binary.LittleEndian.PutUint32(data[12:], crc32.ChecksumIEEE(data[:record.CopyBytes]))
	return string(data)
}

// addGolden puts a stable snapshot of a kernel into the store.
func addGolden(t *testing.T, files fakefw.Files, sequence uint64, content string) golden.Snapshot {
	t.Helper()
	return addSigned(t, files, sequence, content, func(*golden.Snapshot) {})
}

// addSigned puts a snapshot there that was signed in some way.
func addSigned(t *testing.T, files fakefw.Files, sequence uint64, content string, sign func(*golden.Snapshot)) golden.Snapshot {
	t.Helper()
	s := golden.Snapshot{
		Sequence: sequence, State: golden.Stable, Title: "kept " + content, Options: "root=" + content,
		Kernel: golden.Part{LengthBytes: int64(len(kernel(content))), SHA256: golden.Sum([]byte(kernel(content))), Slot: -1},
		Initrd: golden.Part{Slot: -1},
	}
	sign(&s)
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	files[golden.Dir+"/"+s.Name()] = string(manifest[:])
	files[golden.Dir+"/"+s.Kernel.FileName()] = kernel(content)
	return s
}

func TestGoldenSnapshots(t *testing.T) {
	files := rayosFiles(t)
	delete(files, "linux-a")
	delete(files, "linux-b")
	older := addGolden(t, files, 1, "older")
	newer := addGolden(t, files, 2, "newer")
	part := golden.Dir + "/" + newer.Kernel.FileName()
	files[part] = "x" + files[part][1:] // as long as it was, and not what it was
	end, fw, files := bootFrom(t, files, nil)
	if end.How != fakefw.Booted || string(end.Image.Source) != kernel("older") || end.Image.CommandLine != "root=older" {
		t.Fatalf("%v\n%s", end.How, fw.Transcript())
	}
	for _, says := range []string{
		"[RAYOS_BOOT_MARKER:RECOVERY_TRIGGERED] reason=no-entry",
		fmt.Sprintf("[RAYOS_BOOTMGR:GOLDEN_REFUSED] snapshot=%.16s", newer.ID()),
		fmt.Sprintf("[RAYOS_BOOTMGR:RECOVERY_FALLBACK] snapshot=%.16s, attempt=1, limit=3", older.ID()),
	} {
		if !strings.Contains(fw.Transcript(), says) {
			t.Errorf("no %q in\n%s", says, fw.Transcript())
		}
	}
	if open := stored(t, files).Open; open.Kind != record.GoldenAttempt || open.Snapshot != older.ID() {
		t.Errorf("the open attempt is %+v", open)
	}
}

func TestTriesAreCountedDown(t *testing.T) {
	files := twoEntries()
	files["loader/entries/a+3.conf"] = files["loader/entries/a.conf"]
	delete(files, "loader/entries/a.conf")
	for n, name := range []string{"a+2-1.conf", "a+1-2.conf", "a+0-3.conf"} {
		end, fw, after := bootFrom(t, files, nil)
		if end.How != fakefw.Booted || string(end.Image.Source) != kernel("a") {
			t.Fatalf("boot %d: %v\n%s", n+1, end.How, fw.Transcript())
		}
		if _, ok := after["loader/entries/"+name]; !ok {
			t.Fatalf("boot %d: no %s in %v", n+1, name, after)
		}
		path, _, err := fw.System().GetVariable("LoaderBootCountPath", loaderVendor)
		if want := `\loader\entries\` + name; err != nil || uefi.DecodeUTF16(path) != want {
			t.Errorf("LoaderBootCountPath %q, %v; want %q", uefi.DecodeUTF16(path), err, want)
		}
		files = after
	}
	if end, fw, _ := bootFrom(t, files, nil); string(end.Image.Source) != kernel("b") {
		t.Errorf("with no tries left %v starts\n%s", end.Image.Path, fw.Transcript())
	}
}

func TestHardwareWatchdog(t *testing.T) {
	files := rayosFiles(t)
	files["loader/entries/a.conf"] = strings.Replace(files["loader/entries/a.conf"], "root=a", "root=a watchdog.open_timeout=60", 1)
	machine := watchdogtest.New()
	dog := machine.AddI6300ESB()
	add := func(fw *fakefw.Firmware, _ *fakefw.Volume) { fw.AddHardware(machine) }
	_, fw, files := bootFrom(t, files, add)
	if !dog.Armed() || !strings.Contains(fw.Transcript(), "[RAYOS_BOOTMGR:WATCHDOG_ARMED] device=i6300esb, seconds=") {
		t.Fatalf("armed: %v\n%s", dog.Armed(), fw.Transcript())
	}
	machine.Advance(2 * time.Minute)
	if machine.Resets() != 1 {
		t.Fatalf("%d resets by the watchdog", machine.Resets())
	}
	_, fw, files = bootFrom(t, files, add)
	if !strings.Contains(fw.Transcript(), "count=1, limit=3, stage=start, reason=watchdog") || stored(t, files).Backoff != 1 {
		t.Errorf("backoff %d after\n%s", stored(t, files).Backoff, fw.Transcript())
	}
	machine.Advance(2 * time.Minute)
	files["loader/entries/a.conf"] = strings.Replace(files["loader/entries/a.conf"], " watchdog.open_timeout=60", "", 1)
	if _, fw, _ = bootFrom(t, files, add); dog.Armed() {
		t.Errorf("armed for a system that knows nothing of it\n%s", fw.Transcript())
	}
}
