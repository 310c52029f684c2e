package inspect_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/esp/fat32"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/markers"
)

const otherInstallation = "11111111-2222-3333-4444-555555555555"

// reseal makes the checksum of a record's copy or a manifest right.
func reseal(b []byte) {
	clear(b[12:16])
	binary.LittleEndian.PutUint32(b[12:], crc32.ChecksumIEEE(b))
}

func check(t *testing.T, r inspect.Report, f *os.File, want, warnings string) {
	t.Helper()
	findings, err := inspect.Verify(t.Context(), f, r.Table.DiskBytes)
	if err != nil {
		t.Fatal(err)
	}
	var got, warned []string
	for _, finding := range findings {
		if got = append(got, finding.Code); finding.Warning {
			warned = append(warned, finding.Code)
		}
		if strings.Contains(finding.Text, "%!") {
			t.Errorf("%s: %s", finding.Code, finding.Text)
		}
	}
	if strings.Join(got, " ") != want || strings.Join(warned, " ") != warnings {
		t.Errorf("findings %v, warnings %v; want %q, %q", got, warned, want, warnings)
	}
}

// TestBootState changes the file of the record, and looks.
func TestBootState(t *testing.T) {
	spec := testSpec()
	f := build(t, spec)
	at := find(t, f, gpt.MiB, 9*gpt.MiB, []byte("RAYOSBST"))
	plain := make([]byte, record.FileBytes)
	if _, err := f.ReadAt(plain, at); err != nil {
		t.Fatal(err)
	}
	foreign, err := record.InitialFile(otherInstallation)
	if err != nil {
		t.Fatal(err)
	}
	save := func(b []byte, change func(*record.Record)) {
		r, err := record.Decode(b[record.CopyBytes:])
		if err != nil {
			t.Fatal(err)
		}
		change(&r)
		r.Sequence++
		one, err := record.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		copy(b, one[:])
	}
	for _, c := range []struct {
		name           string
		change         func(b []byte)
		want, warnings string
		status         record.Status
		inUse          string
	}{
		{"new", func([]byte) {}, "", "", record.Good, "B"},
		{"copy A", func(b []byte) { b[100] ^= 1 }, "boot-state-copy", "boot-state-copy", record.Degraded, "B"},
		{"copy B", func(b []byte) { b[5000] ^= 1 }, "boot-state-copy", "boot-state-copy", record.Degraded, "A"},
		{"both", func(b []byte) { b[100] ^= 1; b[5000] ^= 1 }, "boot-state-lost", "", record.Lost, ""},
		{"zeros", func(b []byte) { clear(b) }, "boot-state-lost", "", record.Lost, ""},
		{"newer", func(b []byte) { b[8]++; reseal(b[:record.CopyBytes]) }, "boot-state-newer", "", record.Newer, ""},
		{"foreign", func(b []byte) { copy(b, foreign) }, "boot-state-foreign", "", record.Foreign, ""},
		{"older copy foreign", func(b []byte) { copy(b, foreign[:record.CopyBytes]) }, "boot-state-copy", "boot-state-copy", record.Good, "B"},
		{"newer copy foreign", func(b []byte) { copy(b[record.CopyBytes:], foreign[record.CopyBytes:]) }, "boot-state-foreign", "", record.Foreign, ""},
		{"foreign of the same number", func(b []byte) { copy(b, foreign[record.CopyBytes:]) }, "boot-state-foreign", "", record.Foreign, ""},
		{"default", func(b []byte) { save(b, func(r *record.Record) { r.Default = "rayos-slot" }) }, "", "", record.Good, "A"},
		{"default that is gone", func(b []byte) { save(b, func(r *record.Record) { r.Default = "gone" }) }, "boot-state-default", "", record.Good, "A"},
		{"one-shot that is gone", func(b []byte) { save(b, func(r *record.Record) { r.OneShot = "gone" }) }, "boot-state-oneshot", "boot-state-oneshot", record.Good, "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bytes.Clone(plain)
			c.change(b)
			if _, err := f.WriteAt(b, at); err != nil {
				t.Fatal(err)
			}
			r, err := inspect.Read(f, spec.SizeBytes)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, f, c.want, c.warnings)
			inUse := ""
			for _, copy := range r.BootState.Copies {
				if copy.InUse {
					inUse += copy.Name
				}
			}
			if r.BootState.State != c.status || inUse != c.inUse || len(r.BootState.Copies) != 2 {
				t.Errorf("%v, in use %q; want %v, %q", r.BootState.State, inUse, c.status, c.inUse)
			}
		})
	}
}

// snapshot are the files of a golden snapshot that change may spoil.
func snapshot(t *testing.T, sequence uint64, options string, change func(manifest, part []byte)) []fat32.File {
	t.Helper()
	kernel := []byte("kernel of " + options)
	s := golden.Snapshot{
		Sequence: sequence, State: golden.Stable, Entry: "rayos", Title: strings.Repeat("RayOS ", 20), Options: options,
		Kernel: golden.NewPart(kernel), Initrd: golden.NewPart(nil),
	}
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	change(manifest[:], kernel)
	return []fat32.File{fat32.Bytes(path.Join(golden.Dir, s.Name()), manifest[:]), fat32.Bytes(path.Join(golden.Dir, s.Kernel.FileName()), kernel)}
}

func TestGoldenSnapshots(t *testing.T) {
	whole := func([]byte, []byte) {}
	for _, c := range []struct {
		name      string
		files     []fat32.File
		want      string
		snapshots int
	}{
		{"whole", slices.Concat(snapshot(t, 2, "b", whole), snapshot(t, 1, "a", whole)), "", 2},
		{"newest damaged", slices.Concat(snapshot(t, 2, "b", func(_, p []byte) { p[3] ^= 1 }), snapshot(t, 1, "a", whole)), "golden-snapshot", 2},
		{"only one, damaged", snapshot(t, 2, "b", func(_, p []byte) { p[3] ^= 1 }), "golden-snapshot golden-none", 1},
		{"torn manifest", slices.Concat(snapshot(t, 2, "b", func(m, _ []byte) { clear(m[256:]) }), snapshot(t, 1, "a", whole)), "golden-manifest", 1},
		{"newer manifest", snapshot(t, 2, "b", func(m, _ []byte) { m[8]++; reseal(m) }), "golden-manifest golden-none", 0},
		{"part missing", snapshot(t, 2, "b", whole)[:1], "golden-manifest golden-none", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec()
			spec.Payload = c.files
			f := build(t, spec)
			r, err := inspect.Read(f, spec.SizeBytes)
			if err != nil {
				t.Fatal(err)
			}
			warnings := ""
			if c.name == "torn manifest" {
				warnings = "golden-manifest"
			}
			check(t, r, f, c.want, warnings)
			if g := r.Golden; len(g.Snapshots) != c.snapshots || len(g.Problems) > 0 != strings.Contains(c.want, "golden-manifest") {
				t.Errorf("%+v", g)
			}
			if text := draw(t, r, false); strings.Contains(text, "cannot be used") != strings.Contains(c.want, "golden-snapshot") {
				t.Errorf("drawn as\n%s", text)
			}
		})
	}
}

// TestSnapshotInSlot looks at a snapshot whose kernel lies in a kernel slot.
func TestSnapshotInSlot(t *testing.T) {
	spec := testSpec()
	s := golden.Snapshot{Sequence: 1, State: golden.Stable, Title: "RayOS", Kernel: golden.NewPart(spec.System.Kernel), Initrd: golden.NewPart(nil)}
	s.Kernel.Slot, s.Kernel.OffsetBytes = 0, slots.AreaOffset(0)
	manifest, err := golden.EncodeManifest(s)
	if err != nil {
		t.Fatal(err)
	}
	spec.Payload = []fat32.File{fat32.Bytes(path.Join(golden.Dir, s.Name()), manifest[:])}
	f := build(t, spec)
	kernel := int64(401*gpt.MiB) + slots.AreaOffset(0)
	for _, want := range []string{"", "slot-image golden-snapshot golden-none"} {
		r, err := inspect.Read(f, spec.SizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, f, want, "")
		if text := draw(t, r, false); !strings.Contains(text, "kernel in kernel slot 0") {
			t.Errorf("drawn as\n%s", text)
		}
		flip(t, f, kernel+299_999)
	}
}

// TestStateIsNarrow draws what fills lines.
func TestStateIsNarrow(t *testing.T) {
	long := strings.Repeat("long-", 12)
	r := record.New(otherInstallation)
	r.Default, r.OneShot = long, long
	r.Open = record.Attempt{Kind: record.EntryAttempt, Entry: long, Stage: record.BootStage(markers.SubsystemsReady)}
	for range record.MaxEvents {
		r.AddEvent(record.Event{Kind: record.RecoveryTriggered, Subject: long, Cause: markers.CauseLoad, Stage: record.BootStage(markers.SubsystemsReady), Reason: markers.RecoverStateLost})
	}
	r.Sequence = 7
	one, err := record.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	spec := testSpec()
	entry := "title A\nlinux /EFI/BOOT/BOOTX64.EFI\nx-rayos-linux-sha256 1\n"
	spec.Entries = []fat32.File{fat32.Bytes(long+"+3.conf", []byte(entry))}
	spec.Payload = append(snapshot(t, 1, "a", func(_, part []byte) { part[0] ^= 1 }),
		fat32.Bytes(esp.InstallIDPath, []byte(otherInstallation+"\n")),
		fat32.Bytes(esp.BootStatePath, append(one[:], make([]byte, record.CopyBytes)...)))
	report, err := inspect.Read(build(t, spec), spec.SizeBytes)
	if err != nil {
		t.Fatal(err)
	}
	text := draw(t, report, false)
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > 80 || strings.HasSuffix(line, " ") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	for _, says := range []string{
		"copy A at byte 0: sequence 7, in use", "copy B at byte 4096: cannot be used", "(59 older events", "3 tries left", " bad ", "verify kernel: SHA-256 is",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("no %q in\n%s", says, text)
		}
	}
}

// TestNoState looks at disks without a record.
func TestNoState(t *testing.T) {
	spec := testSpec()
	spec.Payload = []fat32.File{fat32.Bytes(esp.BootStatePath, []byte("short"))}
	f := build(t, spec)
	r, err := inspect.Read(f, spec.SizeBytes)
	if err != nil || r.BootState.State != record.Lost || len(r.BootState.Copies) != 0 || r.Golden != nil {
		t.Errorf("%+v, %v", r.BootState, err)
	}
	check(t, r, f, "boot-state-lost", "")
	spec.Payload = []fat32.File{fat32.Bytes(esp.InstallIDPath, []byte("no ID"))}
	f = build(t, spec)
	if r, err = inspect.Read(f, spec.SizeBytes); err != nil || r.BootState.Error == "" {
		t.Errorf("%+v, %v", r.BootState, err)
	}
	check(t, r, f, "esp-install-id", "")
	if text := draw(t, r, false); !strings.Contains(text, "install ID is no GUID") {
		t.Errorf("drawn as\n%s", text)
	}
}
