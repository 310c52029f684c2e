package pid1

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/ptytest"
)

const kernelText, initrdText = "a kernel", "an initrd"

func bootedPart(path, content string) golden.BootedPart {
	return golden.BootedPart{Paths: []string{path}, Slot: -1, LengthBytes: int64(len(content)), SHA256: golden.Sum([]byte(content))}
}

var booted = golden.Booted{
	Title: "RayOS", Options: "panic=10",
	Kernel: bootedPart("EFI/rayos/vmlinuz", kernelText), Initrd: bootedPart("EFI/rayos/initrd", initrdText),
}

// snapshotted is a machine of which a snapshot can be taken, up to
// SUBSYSTEMS_READY.
func snapshotted(t *testing.T, cmdline string, booted golden.Booted, r record.Record) (*boot, *ptytest.Terminal) {
	t.Helper()
	files := bootedMachine()
	files["proc/cmdline"] = cmdline
	files[attemptVariable] = efiText(nonce.String())
	files[bootedVariable] = efiText(booted.Encode())
	files["esp/EFI/rayos/vmlinuz"] = kernelText
	files["esp/EFI/rayos/initrd"] = initrdText
	return attemptedWith(t, files, r)
}

func (b *boot) snapshots(t *testing.T) []golden.Snapshot {
	t.Helper()
	all, problems := golden.List(os.DirFS(filepath.Join(b.root, "esp")))
	if problems != nil {
		t.Error(problems)
	}
	return all
}

// TestSnapshot follows a snapshot through a whole boot, and a second boot of the
// same system.
func TestSnapshot(t *testing.T) {
	b, terminal := snapshotted(t, "rayos.golden_after=1", booted, esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("[RAYOS_BOOT_MARKER:SHELL_READY]")
	terminal.Expect("state=candidate\r\n")
	all := b.snapshots(t)
	if len(all) != 1 || all[0].State != golden.Candidate || all[0].Entry != "rayos" || all[0].Title != "RayOS" || all[0].Options != "panic=10" {
		t.Fatalf("snapshots %+v", all)
	}
	if got, err := os.ReadFile(filepath.Join(b.root, "esp", golden.Dir, all[0].Initrd.FileName())); string(got) != initrdText || err != nil {
		t.Errorf("initrd %q, %v", got, err)
	}
	terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos\r\n")
	terminal.Expect("[RAYOS_BOOTMGR:SNAPSHOT] snapshot=" + bootmenu.ShortID(all[0].ID()) + ", state=stable\r\n")
	if all := b.snapshots(t); len(all) != 1 || all[0].State != golden.Stable {
		t.Errorf("snapshots %+v", all)
	}
	if facts, err := bootfacts.Read(b.root); err != nil || facts.Good == "" || facts.NoSnapshot != "" {
		t.Errorf("facts %+v, %v", facts, err)
	}
	stop(SignalRestart)
	b.snapshot.stop()
	if readOnly, _ := b.espMount.ReadOnly(); !readOnly {
		t.Error("the ESP is left writable")
	}
	b.startSnapshot()
	b.snapshot.keep()
	<-b.snapshot.done // it has nothing to say
}

// TestSnapshotOfABootThatIsNotGood stays a candidate, however the boot ends.
func TestSnapshotOfABootThatIsNotGood(t *testing.T) {
	b, terminal := snapshotted(t, "rayos.golden_after=86400", booted, esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("state=candidate\r\n")
	stop(SignalPowerOff)
	b.snapshot.stop()
	if all := b.snapshots(t); len(all) != 1 || all[0].State != golden.Candidate {
		t.Errorf("snapshots %+v", all)
	}
}

// TestPromotionWaitsForTheBlessing has a boot that is good and cannot be blessed.
func TestPromotionWaitsForTheBlessing(t *testing.T) {
	b, terminal := snapshotted(t, "rayos.golden_after=1", booted, esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("state=candidate\r\n")
	if err := os.Remove(b.device("vda1")); err != nil {
		t.Fatal(err)
	}
	terminal.Expect("will count it as failed")
	stop(SignalPowerOff)
	b.snapshot.stop()
	if all := b.snapshots(t); len(all) != 1 || all[0].State != golden.Candidate {
		t.Errorf("snapshots %+v", all)
	}
}

// TestSnapshotThatFails has a kernel that was replaced since it was booted, and
// one that is gone.
func TestSnapshotThatFails(t *testing.T) {
	gone := booted
	gone.Kernel = bootedPart("EFI/rayos/gone", kernelText)
	changed := booted
	changed.Kernel = bootedPart("EFI/rayos/vmlinuz", "another ")
	for says, booted := range map[string]golden.Booted{"no such file": gone, golden.ErrChanged.Error(): changed} {
		b, terminal := snapshotted(t, "rayos.golden_after=1", booted, esptest.Attempted(installID, "rayos", nonce))
		stop := serve(t, b)
		out := terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS]")
		if !strings.Contains(out, "rayos: no golden snapshot could be taken of this boot: ") || !strings.Contains(out, says) {
			t.Errorf("the console does not say %q:\n%s", says, out)
		}
		stop(syscall.SIGINT)
		b.snapshot.stop()
		if all := b.snapshots(t); len(all) > 0 {
			t.Errorf("snapshots %+v", all)
		}
	}
}

// TestBootsWithoutSnapshot say why, once.
func TestBootsWithoutSnapshot(t *testing.T) {
	counted := esptest.Attempted(installID, "rayos", nonce)
	ofGolden := counted
	ofGolden.Open.Kind, ofGolden.Open.Entry, ofGolden.Open.Snapshot = record.GoldenAttempt, "", golden.Sum(nil)
	for _, c := range []struct {
		cmdline, says string
		r             record.Record
	}{
		{"rayos.golden_after=0 rayos.safe", "safe mode is not what should be started after a failure", counted},
		{"rayos.golden_after=0", "it is golden snapshot " + bootmenu.ShortID(golden.Sum(nil)) + " itself", ofGolden},
		{"rayos.golden_after=0", "it is not counted", record.New(installID)},
	} {
		b, terminal := snapshotted(t, c.cmdline, booted, c.r)
		stop := serve(t, b)
		out := terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS]")
		if strings.Count(out, "rayos: no golden snapshot is taken of this boot: "+c.says+"\r\n") != 1 {
			t.Errorf("the console does not say once %q:\n%s", c.says, out)
		}
		stop(syscall.SIGINT)
		b.snapshot.stop()
		if _, err := os.Stat(filepath.Join(b.root, "esp", golden.Dir)); err == nil {
			t.Errorf("%s: the store was made", c.says)
		}
	}
	b, _ := attempted(t, "", counted)
	if got := b.notSnapshotted(); got != "the boot manager did not say what it started" {
		t.Errorf("without a hand-over: %q", got)
	}
}

// TestBootManagerThatAcceptsOnlySigned: what would never be used is not taken by
// itself, but a person may take it and have it signed.
func TestBootManagerThatAcceptsOnlySigned(t *testing.T) {
	b, terminal := snapshotted(t, "rayos.golden_after=0", booted, esptest.Attempted(installID, "rayos", nonce))
	write(t, filepath.Join(b.root, "sys/firmware/efi/efivars/RayosGoldenKey-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"), efiText(strings.Repeat("a5", 32)))
	stop := serve(t, b)
	out := terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS]")
	if strings.Count(out, "rayos: no golden snapshot is taken of this boot: the boot manager accepts only signed ones") != 1 {
		t.Errorf("the console does not say once why:\n%s", out)
	}
	if facts, err := bootfacts.Read(b.root); err != nil || facts.NoSnapshot != "" {
		t.Errorf("facts %+v, %v", facts, err)
	}
	stop(syscall.SIGINT)
	b.snapshot.stop()
	if _, err := os.Stat(filepath.Join(b.root, "esp", golden.Dir)); err == nil {
		t.Error("the store was made")
	}
}

// TestRestartDuringASnapshot has somebody else at the ESP when the machine is to
// be restarted.
func TestRestartDuringASnapshot(t *testing.T) {
	b, terminal := snapshotted(t, "rayos.golden_after=0", booted, esptest.Attempted(installID, "rayos", nonce))
	lock := filepath.Join(b.root, "run/rayos/esp.lock")
	write(t, lock, "")
	f, err := os.Open(lock)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, b)
	terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS]") // does not wait
	stop(SignalRestart)
	b.snapshot.stop()
	if all := b.snapshots(t); len(all) > 0 {
		t.Errorf("snapshots %+v", all)
	}
}

func TestLowPriority(t *testing.T) {
	got := make(chan int)
	before := nice(t)
	go func() {
		if err := lowPriority(); err != nil {
			t.Error(err)
		}
		got <- nice(t)
	}()
	if nice := <-got; nice != niceLowest {
		t.Errorf("nice %d", nice)
	}
	if after := nice(t); after != before {
		t.Errorf("nice of another thread was %d, is %d", before, after)
	}
}

// nice returns the calling thread's (getpriority(2), "C library/kernel
// differences").
func nice(t *testing.T) int {
	kernelValue, err := unix.Getpriority(unix.PRIO_PROCESS, callingThread)
	if err != nil {
		t.Error(err)
	}
	return 20 - kernelValue
}
