package commands

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// runCommand runs a command on a machine whose log is below root, and whose
// services are these.
func runCommand(root, line string, states []service.State) (status int, out, errs string) {
	var outs, problems bytes.Buffer
	args := strings.Fields(line)
	status = All()[args[0]].main(&env{
		name: args[0], args: args[1:], stdout: &outs, stderr: &problems,
		logs: logs{
			open: func() (*raylog.Ring, func() error, error) { return openLog(root) },
			ask:  func(r logstore.Request) (raylog.Level, error) { return logstore.Ask(root, r) },
		},
		services: func() ([]byte, error) { return json.Marshal(states) },
	})
	return status, outs.String(), problems.String()
}

func TestStages(t *testing.T) {
	root, l := loggedMachine(t)
	digest := strings.Repeat("ab", 32)
	for i, message := range []string{
		pid1.KernelLine + digest,
		markers.BootStageReached{Stage: markers.KernelLoaded, Seq: 0, Entry: "rayos"}.Marker().String(),
		"rayos: something else",
		markers.BootStageReached{Stage: markers.MemoryReady, Seq: 1, Entry: "rayos"}.Marker().String(),
		markers.BootmgrBootSuccess{Entry: "rayos"}.Marker().String(),
	} {
		e := raylog.Entry{Level: raylog.Info, Source: "init", Message: message, Uptime: time.Duration(i) * time.Second}
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	status, out, errs := runCommand(root, "stages", nil)
	want := "BOOT      ENTRY  STAGE          AT       KERNEL\n" +
		"02000000  rayos  KERNEL_LOADED  1000 ms  abababababababab\n" +
		"02000000  rayos  MEMORY_READY   3000 ms  abababababababab\n"
	if status != 0 || out != want || errs != "" {
		t.Errorf("status %d, %s\n%s", status, out, errs)
	}
	if _, out, _ = runCommand(root, "stages --json", nil); !json.Valid([]byte(out)) || !strings.Contains(out, digest) {
		t.Errorf("%s", out)
	}
	if status, _, _ := runCommand(root, "stages extra", nil); status != 2 {
		t.Errorf("status %d", status)
	}
}

func TestStagesAreLimited(t *testing.T) {
	root, l := loggedMachine(t)
	for boot := range byte(30) {
		for _, stage := range markers.BootStages() {
			e := raylog.Entry{Level: raylog.Info, Source: "init", Boot: raylog.BootID{boot + 1}, Message: markers.BootStageReached{Stage: stage}.Marker().String()}
			if err := l.Append(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, out, _ := runCommand(root, "stages", nil)
	if lines := strings.Count(out, "\n"); lines != maxStages+1 || !strings.Contains(out, "1e000000") || strings.Contains(out, "\n01000000") {
		t.Errorf("%d lines:\n%s", lines, out)
	}
}

func TestServices(t *testing.T) {
	states := []service.State{
		{Name: "shell:ttyS0", Running: true, Starts: 1, Since: 5 * time.Second},
		{Name: "shell:tty0", Starts: 3, Since: 90 * time.Second, LastEnd: "exit status 1"},
	}
	_, out, _ := runCommand("", "services", states)
	want := "SERVICE      STATE  STARTS  SINCE  LAST END\nshell:ttyS0  runs   1       5 s    -\nshell:tty0   waits  3       90 s   exit status 1\n"
	if out != want {
		t.Errorf("got\n%s", out)
	}
	if _, out, _ = runCommand("", "services --json", states); !json.Valid([]byte(out)) || !strings.Contains(out, `"lastEnd": "exit status 1"`) {
		t.Errorf("%s", out)
	}
}
