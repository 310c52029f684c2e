//go:build ovmf

package ovmftests

import (
	"path"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// TestBootLoopCutShort has an entry whose file is half there. It is counted and passed over at each start, without a
// reset, and disabled at the third.
func TestBootLoopCutShort(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "a", image: "half.efi"}, {name: "b", options: "SUBSYSTEMS_READY SHELL_READY close reset"}},
		files:   map[string]string{"half.efi": firstHalf(t, app(t, "payload"))},
	}.disk(t)
	m := start(t, disk)
	for count := 1; count <= 3; count++ {
		m.Expect(selected("a"), failed("a", count, "load", "load-refused"))
		if count == 3 {
			m.Expect(disabled("a", 1))
		}
		m.Expect(selected("b"), says("reset"))
	}
	m.Finish(harness.Marker("[RAYOS_BOOTMGR:SELECTED] entry=b, reason=first"))
}

// TestBootLoopFlippedByte has a pinned image in which one byte has changed, and, as the control, the same image for an
// entry that pins nothing.
func TestBootLoopFlippedByte(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "a", image: "flipped.efi", pinned: true, options: "reset"}, {name: "b", image: "flipped.efi", options: good}},
		files:   map[string]string{"flipped.efi": flipped(t, app(t, "payload"))},
	}.disk(t)
	m := start(t, disk)
	m.Expect(selected("a"), failed("a", 1, "verify", "load-refused"), selected("b"), blessed)
	m.ExpectOff()
	m.Never(says("reset"))
}

// TestBootLoopPinned is the other control: the pinned image as it should be.
func TestBootLoopPinned(t *testing.T) {
	t.Parallel()
	m := start(t, loop{entries: []loopEntry{{name: "a", pinned: true, options: good}}}.disk(t))
	m.Expect(selected("a"), blessed)
	m.ExpectOff()
}

// TestBootLoopSecureBoot has an image that the firmware refuses.
func TestBootLoopSecureBoot(t *testing.T) {
	t.Parallel()
	disk := loop{
		entries: []loopEntry{{name: "a", options: "reset"}, {name: "b", image: "signed.efi", options: good}},
		files: map[string]string{
			"EFI/BOOT/BOOTX64.EFI": signed(t, "BOOTX64.EFI", harness.Artifact(t, "BOOTX64.EFI")),
			"signed.efi":           signed(t, "payload", app(t, "payload")),
		},
	}.disk(t)
	m := startSecure(t, disk)
	m.Expect(selected("a"), failed("a", 1, "load", "load-refused"), selected("b"), blessed)
	m.ExpectOff()
}

// operator is the record of a machine that somebody sends into recovery.
var operator = record.Record{Recovery: markers.RecoverOperator}

// damagedGolden is a golden snapshot whose kernel has changed under its name.
func damagedGolden(t *testing.T, sequence uint64) map[string]string {
	t.Helper()
	files := goldenFiles(t, sequence, good)
	s := loopGolden(t, sequence, good)
	files[path.Join(golden.Dir, s.Kernel.FileName())] = flipped(t, app(t, "payload"))
	return files
}

// TestBootLoopGoldenDamaged uses the next older snapshot: the newest names a kernel that is not there.
func TestBootLoopGoldenDamaged(t *testing.T) {
	t.Parallel()
	newest := loopGolden(t, 9, "reset")
	newest.Kernel.SHA256[0] ^= 1
	manifest, err := golden.EncodeManifest(newest)
	if err != nil {
		t.Fatal(err)
	}
	disk := loop{
		entries: []loopEntry{{name: "a", options: "reset"}}, goldens: []string{good}, record: &operator,
		files: map[string]string{
			path.Join(golden.Dir, newest.Name()):            harness.WriteFile(t, string(manifest[:])),
			path.Join(golden.Dir, newest.Kernel.FileName()): app(t, "payload"),
		},
	}.disk(t)
	m := start(t, disk)
	m.Expect(
		harness.Pattern(`^\[RAYOS_BOOTMGR:GOLDEN_REFUSED\] .*SHA-256 is`),
		fallback(1, "operator"), blessed,
	)
	m.ExpectOff()
	m.Never(says("reset"))
}

// TestBootLoopNoGolden stops at the menu, with and without damaged snapshots, and stays there.
func TestBootLoopNoGolden(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{"missing": nil, "damaged": damagedGolden(t, 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := loop{entries: []loopEntry{{name: "a", options: "reset"}}, files: files}.disk(t)
			m := start(t, disk)
			for count := 1; count <= 3; count++ {
				m.Expect(selected("a"), failed("a", count, "start", cause(count)))
			}
			if files != nil {
				m.Expect(harness.Marker("[RAYOS_BOOTMGR:GOLDEN_REFUSED]"))
			}
			m.Expect(harness.Marker("[RAYOS_BOOTMGR:STOPPED]"), menuWaits)
			m.Reset()
			m.Expect(harness.Marker("[RAYOS_BOOTMGR:STOPPED]"))
			m.Finish(menuWaits)
			if n := m.Count(says("reset")); n != 3 {
				t.Errorf("%d starts", n)
			}
		})
	}
}
