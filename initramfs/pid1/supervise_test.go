package pid1

import (
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/bootstate"
	"github.com/rayos/rayboot/initramfs/esptest"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// events are the kinds and subjects of the events in the record.
func (b *boot) events(t *testing.T) (all []string) {
	t.Helper()
	loaded, err := bootstate.Load(b.device("vda1"), installID)
	if err != nil || loaded.Problem != nil {
		t.Fatal(err, loaded.Problem)
	}
	for _, e := range loaded.Record.Events {
		all = append(all, e.Kind.String()+" "+e.Subject)
	}
	return all
}

// withServices is a machine with a recorded attempt whose initramfs defines services.
func withServices(t *testing.T, cmdline string, definitions map[string]string) map[string]string {
	t.Helper()
	files := bootedMachine()
	files["proc/cmdline"] = cmdline
	files[attemptVariable] = efiText(nonce.String())
	for name, text := range definitions {
		files["etc/rayos/services/"+name] = text
	}
	return files
}

// TestCriticalServiceFails has a boot fail with a service, and the machine restart.
func TestCriticalServiceFails(t *testing.T) {
	files := withServices(t, "rayos.golden_after=86400", map[string]string{
		"web.conf": "program /bin/false\nrestart never\ncritical yes\n",
	})
	b, terminal := attemptedWith(t, files, esptest.Attempted(installID, "rayos", nonce))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	defer signal.Stop(ended)
	command := make(chan int)
	go func() { command <- b.serve(nil, ended) }()
	terminal.Expect(`[RAYOS_SERVICE:FAILED] service=web, critical=yes, starts=1, reason="exit status 1"`)
	terminal.Expect("the boot has failed, as service web is critical; the machine restarts")
	if got := <-command; got != unix.LINUX_REBOOT_CMD_RESTART {
		t.Errorf("command %#x", got)
	}
	b.stopServices()
	b.closeAttempt()
	if open := b.openNow(t); open.Kind != record.EntryAttempt || open.Cause != markers.CauseService {
		t.Errorf("the attempt is %+v: the boot manager would not count it", open)
	}
	if got := b.events(t); !slices.Equal(got, []string{"service-failed web"}) {
		t.Errorf("events %q", got)
	}
}

// TestServiceFails has a boot become good although a service has failed.
func TestServiceFails(t *testing.T) {
	files := withServices(t, "rayos.golden_after=1", map[string]string{"extra.conf": "program /no/such/program\nrestart never\n"})
	b, terminal := attemptedWith(t, files, esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("[RAYOS_SERVICE:FAILED] service=extra, critical=no")
	terminal.Expect("[RAYOS_BOOTMGR:BOOT_SUCCESS] entry=rayos\r\n")
	stop(SignalPowerOff)
	if got := b.events(t); !slices.Equal(got, []string{"service-failed extra"}) {
		t.Errorf("events %q", got)
	}
}

// TestCriticalServiceOfUncountedBoot keeps the machine up, which is not good then.
func TestCriticalServiceOfUncountedBoot(t *testing.T) {
	files := withServices(t, "rayos.golden_after=86400", map[string]string{"web.conf": "program /no/such/program\nrestart never\ncritical yes\n"})
	delete(files, attemptVariable)
	b, terminal := attemptedWith(t, files, esptest.Attempted(installID, "rayos", nonce))
	stop := serve(t, b)
	terminal.Expect("service web is critical; the machine stays up, as this boot is not counted: see log show --source web")
	terminal.Expect("rayos# ")
	stop(SignalPowerOff)
	if _, waits := b.stages.Due(b.now()); waits {
		t.Error("GOLDEN is near without the critical service")
	}
}

// TestDefinedServices starts services in order, skips one, tells what is wrong, keeps what
// they write, and ends them in the reverse order.
func TestDefinedServices(t *testing.T) {
	const talks = "program /bin/sh talks\n"
	files := withServices(t, "rayos.golden_after=86400 rayos.skip=unwanted", map[string]string{
		"a.conf": talks + "after b\n", "b.conf": talks, "unwanted.conf": talks, "bad.conf": "nonsense\n", "lost.conf": talks + "after gone\n",
		"not-one.txt": talks,
	})
	files["talks"] = "echo up; trap 'echo bye; exit' TERM; while :; do sleep 0.05; done\n"
	b, terminal := attemptedWith(t, files, esptest.Attempted(installID, "rayos", nonce))
	for _, name := range []string{"a", "b"} { // the folder is known only now
		file := "etc/rayos/services/" + name + ".conf"
		write(t, filepath.Join(b.root, file), files[file]+"dir "+b.root+"\n")
	}
	stop := serve(t, b)
	terminal.Expect("rayos: service bad: line 1: nonsense: ")
	terminal.Expect("service lost is not started")
	terminal.Expect("rayos: service unwanted: skipped, as the kernel command line says")
	terminal.Expect("rayos# ")
	var said []string
	for deadline := time.Now().Add(time.Minute); len(said) < 2; said = b.said(t, "a", "b") {
		if time.Now().After(deadline) {
			t.Fatalf("the services said %q", said)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := b.services.States(); len(got) != 3 || got[0].Name != "b" || got[1].Name != "a" || got[1].PID == 0 {
		t.Errorf("services %+v", got)
	}
	stop(SignalPowerOff)
	said = b.said(t, "a", "b")
	if a, b := slices.Index(said, "a: bye"), slices.Index(said, "b: bye"); a < 0 || b < a {
		t.Errorf("they did not end in the reverse order: %q", said)
	}
}

// said returns what stands in the log of some sources.
func (b *boot) said(t *testing.T, sources ...string) (lines []string) {
	t.Helper()
	if err := b.journal.flush(); err != nil {
		t.Fatal(err)
	}
	ring, done, err := logstore.OpenReader(logstore.InMemory(b.root), raylog.InstallLogID(installID))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	reader := ring.Reader(raylog.Query{})
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		if slices.Contains(sources, r.Source) {
			lines = append(lines, r.Source+": "+r.Message)
		}
	}
	return lines
}
