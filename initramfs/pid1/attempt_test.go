package pid1

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/ptytest"
	"github.com/rayos/rayboot/markers"
)

var nonce = record.Nonce{0xc0, 0xff, 0xee}

const (
	attemptVariable = "sys/firmware/efi/efivars/RayosAttempt-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"
	bootedVariable  = "sys/firmware/efi/efivars/RayosBooted-8ab58d92-6c5e-4d5c-9a51-6c1f7c5a2d10"
)

// attempted is a machine whose boot manager has recorded r on vda1, up to
// SUBSYSTEMS_READY.
func attempted(t *testing.T, cmdline string, r record.Record) (*boot, *ptytest.Terminal) {
	t.Helper()
	files := bootedMachine()
	files["proc/cmdline"] = cmdline
	files[attemptVariable] = efiText(nonce.String())
	return attemptedWith(t, files, r)
}

func attemptedWith(t *testing.T, files map[string]string, r record.Record) (*boot, *ptytest.Terminal) {
	t.Helper()
	b, k, terminal := newMachine(t, files)
	addDisk(t, b.root)
	k.onMount = mountESP(t, installID)
	esptest.Write(t, b.device("vda1"), r)
	b.bringUp()
	return b, terminal
}

func (b *boot) openNow(t *testing.T) record.Attempt {
	t.Helper()
	loaded, err := bootstate.Load(b.device("vda1"), installID)
	if err != nil || loaded.Problem != nil {
		t.Fatal(err, loaded.Problem)
	}
	return loaded.Record.Open
}

// TestGoodBoot follows the record through a whole boot.
func TestGoodBoot(t *testing.T) {
	b, terminal := attempted(t, "rayos.golden_after=0", esptest.Attempted(installID, "rayos", nonce))
	terminal.Expect("[RAYOS_BOOT_MARKER:SUBSYSTEMS_READY]")
	if got := b.openNow(t).Stage; got != record.BootStage(markers.SubsystemsReady) {
		t.Errorf("stage %v in the record at SUBSYSTEMS_READY", got)
	}
	stop := serve(t, b)
	terminal.Expect("[RAYOS_BOOT_MARKER:SHELL_READY]")
	out := terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos\r\n")
	if got := b.openNow(t); got.Kind != record.NoAttempt {
		t.Errorf("BOOT_SUCCESS, and the attempt is still open: %+v", got)
	}
	if strings.Contains(out, "not counted") {
		t.Errorf("a counted boot is said not to be:\n%s", out)
	}
	stop(SignalPowerOff)
}

func TestStageIsRecordedAtShellReady(t *testing.T) {
	b, terminal := attempted(t, "rayos.golden_after=86400", esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("[RAYOS_BOOT_MARKER:SHELL_READY]")
	if got := b.openNow(t).Stage; got != record.BootStage(markers.ShellReady) {
		t.Errorf("stage %v in the record at SHELL_READY", got)
	}
	stop(SignalRestart)
	if got := b.openNow(t).Kind; got == record.NoAttempt {
		t.Error("the attempt is closed before the processes have ended")
	}
	b.closeAttempt()
	if got := b.openNow(t).Kind; got != record.NoAttempt {
		t.Error("an orderly end leaves the attempt open")
	}
}

// TestBootThatCannotBeBlessed has a disk that can be read and not written.
func TestBootThatCannotBeBlessed(t *testing.T) {
	b, terminal := attempted(t, "rayos.golden_after=0", esptest.Attempted(installID, "rayos", nonce))
	if err := os.Rename(b.device("vda1"), b.device("gone")); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, b)
	terminal.Expect("SHELL_READY could not be recorded: boot state: open ")
	terminal.Expect("GOLDEN] seq=4")
	terminal.Expect("rayos: the boot manager cannot be told that this boot is good, and will count it as failed: boot state: open ")
	terminal.Type("echo no more $((1+1))\r")
	if rest := terminal.Expect("no more 2"); strings.Contains(rest, "BOOT_SUCCESS") {
		t.Errorf("BOOT_SUCCESS without a blessing:\n%s", rest)
	}
	stop(SignalRestart)
}

// TestUncountedBoots are good with nothing to bless, and say once why.
func TestUncountedBoots(t *testing.T) {
	other := esptest.Attempted(installID, "rayos", record.Nonce{1})
	b, terminal := attempted(t, "rayos.golden_after=0", other)
	stop := serve(t, b)
	out := terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS]")
	if strings.Count(out, "this boot is not counted: the boot manager has not recorded it") != 1 || strings.Contains(out, "could not be recorded") {
		t.Errorf("the console says:\n%s", out)
	}
	if got := b.openNow(t); got != other.Open {
		t.Errorf("the attempt of another boot was changed: %+v", got)
	}
	stop(syscall.SIGINT)
}

// TestRecordThatIsLost is of a machine whose boot may be counted: nobody knows.
func TestRecordThatIsLost(t *testing.T) {
	b, terminal := attempted(t, "rayos.golden_after=0", esptest.Attempted("99999999-2222-3333-4444-555555555555", "rayos", nonce))
	stop := serve(t, b)
	out := terminal.Expect("will count it as failed: boot state: it is of the installation")
	if strings.Count(out, "rayos: what becomes of this boot cannot be recorded: boot state: it is of the installation") != 1 {
		t.Errorf("the console says:\n%s", out)
	}
	stop(syscall.SIGINT)
}

func TestAttemptWithoutDisk(t *testing.T) {
	files := bootedMachine()
	files[attemptVariable] = efiText(nonce.String())
	b, _, terminal := newMachine(t, files)
	b.bringUp()
	terminal.Expect("what becomes of this boot cannot be recorded: the boot disk was not found\r\n")
	if b.bless() == nil {
		t.Error("blessed without a disk")
	}
}

func TestBadHandOver(t *testing.T) {
	files := bootedMachine()
	files[attemptVariable] = efiText("no nonce")
	files[bootedVariable] = efiText("TITLE=x\n")
	b, _, terminal := newMachine(t, files)
	b.bringUp()
	out := terminal.Expect("SUBSYSTEMS_READY]")
	for _, text := range []string{"parse attempt: 8 characters", "cannot be read: SNAPSHOT is missing", "this boot is not counted: the boot loader handed over no attempt"} {
		if !strings.Contains(out, text) {
			t.Errorf("the console does not say %q:\n%s", text, out)
		}
	}
}
