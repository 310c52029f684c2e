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

// runCommand runs a command on a machine whose log and services are below root.
func runCommand(root, line string) (status int, out, errs string) {
	var outs, problems bytes.Buffer
	args := strings.Fields(line)
	status = All()[args[0]].main(&env{
		name: args[0], args: args[1:], stdout: &outs, stderr: &problems,
		logs: logs{
			open: func() (*raylog.Ring, func() error, error) { return openLog(root) },
			ask:  func(r logstore.Request) (raylog.Level, error) { return logstore.Ask(root, r) },
		},
		services: func(r service.Request) ([]service.State, error) { return service.Ask(root, r) },
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
	status, out, errs := runCommand(root, "stages")
	want := "BOOT      ENTRY  STAGE          AT       KERNEL\n" +
		"02000000  rayos  KERNEL_LOADED  1000 ms  abababababababab\n" +
		"02000000  rayos  MEMORY_READY   3000 ms  abababababababab\n"
	if status != 0 || out != want || errs != "" {
		t.Errorf("status %d, %s\n%s", status, out, errs)
	}
	if _, out, _ = runCommand(root, "stages --json"); !json.Valid([]byte(out)) || !strings.Contains(out, digest) {
		t.Errorf("%s", out)
	}
	if status, _, _ := runCommand(root, "stages extra"); status != 2 {
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
	_, out, _ := runCommand(root, "stages")
	if lines := strings.Count(out, "\n"); lines != maxStages+1 || !strings.Contains(out, "1e000000") || strings.Contains(out, "\n01000000") {
		t.Errorf("%d lines:\n%s", lines, out)
	}
}
