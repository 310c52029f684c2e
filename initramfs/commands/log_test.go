package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rayos/rayboot/initramfs/bootfacts"
	"github.com/rayos/rayboot/initramfs/logstore"
	"github.com/rayos/rayboot/initramfs/packet"
	"github.com/rayos/rayboot/initramfs/ptytest"
	"github.com/rayos/rayboot/raylog"
)

// loggedMachine is a machine below a directory whose process 1 keeps a log in
// memory, with a line of an earlier boot and one of this.
func loggedMachine(t *testing.T) (root string, l *logstore.Log) {
	t.Helper()
	root = t.TempDir()
	facts := bootfacts.Facts{InstallID: installID, LogVolatile: "there is no disk"}
	place := logstore.InMemory(root)
	if err := errors.Join(facts.Write(root), place.Create()); err != nil {
		t.Fatal(err)
	}
	l, err := logstore.Open(place, raylog.InstallLogID(installID), raylog.BootID{2})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []raylog.Entry{
		{Level: raylog.Info, Source: "kernel", Message: "of an earlier boot", Boot: raylog.BootID{1}, Uptime: time.Second},
		{Level: raylog.Warn, Source: "init", Message: "of this boot", Uptime: 2 * time.Second},
	} {
		if err := l.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := packet.Listen(filepath.Join(root, logstore.SocketPath))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() {
		served <- listener.Serve(func(message []byte) []byte {
			return l.Answer(message, func(level raylog.Level, source, message string) raylog.Entry {
				return raylog.Entry{Level: level, Source: source, Message: message}
			})
		})
	}()
	t.Cleanup(func() {
		if err := errors.Join(listener.Close(), <-served, l.Close()); err != nil {
			t.Error(err)
		}
	})
	return root, l
}

// runLog runs a command line on the machine below root.
func runLog(root string, stdin, stdout *os.File, line string) (status int, out, errs string) {
	var outs, errors bytes.Buffer
	e := &env{
		name: "log", args: strings.Fields(line)[1:], stdin: stdin, stdout: &outs, stderr: &errors,
		logs: logs{
			open: func() (*raylog.Ring, func() error, error) { return openLog(root) },
			ask:  func(r logstore.Request) (raylog.Level, error) { return logstore.Ask(root, r) },
		},
	}
	if stdout != nil {
		e.stdout = stdout
	}
	status = All()["log"].main(e)
	return status, outs.String(), errors.String()
}

func TestLog(t *testing.T) {
	root, _ := loggedMachine(t)
	const both = "[RAYOS_LOG] Recent entries:\n-- boot 01000000\n[1000ms] INFO: kernel: of an earlier boot\n-- boot 02000000\n[2000ms] WARN: init: of this boot\nUsage: 0% (0.0 MB of 4 MB)\n"
	for _, c := range []struct {
		line           string
		status         int
		stdout, stderr string
	}{
		{"log", 0, logLong + exitStatuses, ""},
		{"log help", 0, "Available Commands:", ""},
		{"log show -h", 0, "--boot string", ""},
		{"log clear --help", 0, "-y, --yes", ""},
		{"log show", 0, both, ""},
		{"log show -n 1", 0, "-- boot 02000000\n[2000ms] WARN: init: of this boot\nUsage", ""},
		{"log show --boot -1", 0, "of an earlier boot", ""},
		{"log show --level warn --json", 0, `"level":"WARN","source":"init","message":"of this boot"`, ""},
		{"log show --source nobody", 0, "Recent entries:\nUsage", ""},
		{"log export --format csv", 0, "1,01000000000000000000000000000000,1000,,INFO,kernel,of an earlier boot,0,false\n", "[RAYOS_LOG:EXPORTED] records=2, format=csv\n"},
		{"log stats", 0, "Boots     2\n", ""},
		{"log stats --json", 0, `"records": 2`, ""},
		{"log level", 0, "The log keeps DEBUG and above", ""},
		{"log level trace", 0, "The log keeps TRACE and above", ""},
		{"log level --json", 0, `{"level":"TRACE"}`, ""},
		{"log shout", 2, "", "log: wrong usage: log has no command \"shout\"; did you mean show?\nsee log --help\n"},
		{"log show extra", 2, "", `unknown command "extra"`},
		{"log show --level loud", 2, "", "wrong usage"},
		{"log show --yes", 2, "", "unknown flag: --yes"},
		{"log show --boot 77", 1, "", "which knows 2 boots"},
		{"log export --format xml", 2, "", "choose one of"},
		{"log level loud", 2, "", "wrong usage"},
		{"log level info info", 2, "", "at most 1 arg"},
		{"log clear", 1, "", "add --yes to clear the log"},
		{"log clear --yes", 0, "The log is cleared.", ""},
		{"log add --level warn --source hand the fan is slow", 0, "", ""},
		{"log add plain --level x", 0, "", ""},
		{"log add", 2, "", "at least 1 arg"},
		{"log add --level loud x", 2, "", "wrong usage"},
		{"log show", 0, "[0ms] INFO: log: [RAYOS_LOG:CLEARED]\n[0ms] WARN: hand: the fan is slow\n[0ms] INFO: shell: plain --level x\nUsage", ""},
		{"log show --all -n 0", 0, "of an earlier boot", ""},
	} {
		status, out, errs := runLog(root, nil, nil, c.line)
		if status != c.status || !strings.Contains(out, c.stdout) || !strings.Contains(errs, c.stderr) || c.stderr == "" && errs != "" {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.line, status, out, errs)
		}
		if !strings.Contains(c.line, "--json") {
			checkColumns(t, c.line, out)
		}
		if strings.Contains(c.line, "--json") && !json.Valid([]byte(out)) {
			t.Errorf("%s: %s", c.line, out)
		}
	}
}

// TestLogAsks has a person confirm, or not.
func TestLogAsks(t *testing.T) {
	root, _ := loggedMachine(t)
	for answer, want := range map[string]int{"no": 1, "yes": 0} {
		terminal := ptytest.Open(t)
		far := terminal.Far()
		ended := make(chan int)
		go func() {
			status, _, _ := runLog(root, far, far, "log clear")
			ended <- status
		}()
		terminal.Expect("Type yes to do it: ")
		terminal.Type(answer + "\n")
		if status := <-ended; status != want {
			t.Errorf("answer %s: status %d", answer, status)
		}
	}
}

// TestLogFollows interrupts it when it has shown what came.
func TestLogFollows(t *testing.T) {
	root, l := loggedMachine(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ended := make(chan int)
	go func() {
		status, _, _ := runLog(root, nil, w, "log follow")
		ended <- status
		w.Close()
	}()
	var seen strings.Builder
	chunk := make([]byte, 4096)
	for n := 0; !strings.Contains(seen.String(), "line 2"); {
		length, err := r.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(chunk[:length])
		if n < 3 && strings.Contains(seen.String(), "of this boot") {
			if err := l.Append(raylog.Entry{Level: raylog.Warn, Source: "test", Message: fmt.Sprintf("line %d", n)}); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	if err := interruptSelf(); err != nil {
		t.Fatal(err)
	}
	if status := <-ended; status != statusInterrupted {
		t.Errorf("status %d", status)
	}
}

func TestLogWithoutProcess1(t *testing.T) {
	status, _, errs := runLog(t.TempDir(), nil, nil, "log show")
	if status != 1 || !strings.Contains(errs, "the newest lines may be missing") || !strings.Contains(errs, "boot facts") {
		t.Errorf("status %d, %s", status, errs)
	}
}

// interruptSelf is what a terminal does at Ctrl-C.
func interruptSelf() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return self.Signal(os.Interrupt)
}
