package children_test

import (
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/children"
)

// TestMain makes the test process inherit orphans as process 1 does, and reaps
// on SIGCHLD as it does.
func TestMain(m *testing.M) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// reaping calls Reap on each SIGCHLD until the test ends.
func reaping(t *testing.T) *children.Table {
	t.Helper()
	table := &children.Table{}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	t.Cleanup(func() { signal.Stop(ended); close(ended) })
	go func() {
		for range ended {
			if _, err := table.Reap(); err != nil {
				t.Error(err)
			}
		}
	}()
	return table
}

func start(t *testing.T, table *children.Table, script string, files ...*os.File) *children.Child {
	t.Helper()
	c, err := table.Start("/bin/sh", []string{"sh", "-c", script}, &os.ProcAttr{Files: append([]*os.File{nil, nil, nil}, files...)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEachWaitGetsItsOwnStatus(t *testing.T) {
	table := reaping(t)
	var started []*children.Child
	for i := range 20 {
		started = append(started, start(t, table, "exit "+strconv.Itoa(i)))
	}
	for i, c := range started {
		if status := c.Wait(); status.ExitStatus() != i {
			t.Errorf("process %d: exit status %d", i, status.ExitStatus())
		}
	}
	if status := start(t, table, "kill -9 $$").Wait(); status.Signal() != syscall.SIGKILL {
		t.Errorf("killed process: status %v", status)
	}
}

// TestOrphansAreReaped leaves a grandchild behind and looks for its remains.
func TestOrphansAreReaped(t *testing.T) {
	table := reaping(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	start(t, table, "sleep 0.1 & echo $! >&3", w).Wait()
	w.Close()
	line := make([]byte, 32)
	n, err := r.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	stat := "/proc/" + strings.TrimSpace(string(line[:n])) + "/stat"
	for range 1000 {
		if _, err := os.Stat(stat); os.IsNotExist(err) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the orphan was not reaped")
}

func TestReapSaysWhetherChildrenRun(t *testing.T) {
	table := &children.Table{}
	if running, err := table.Reap(); running || err != nil {
		t.Errorf("without children: %v, %v", running, err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c, err := table.Start("/bin/cat", []string{"cat"}, &os.ProcAttr{Files: []*os.File{r, os.Stdout}}) // cat ends at once if it has no output
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	if running, err := table.Reap(); !running || err != nil {
		t.Errorf("with a child: %v, %v", running, err)
	}
	w.Close() // the child ends
	for running := true; running; time.Sleep(time.Millisecond) {
		if running, err = table.Reap(); err != nil {
			t.Fatal(err)
		}
	}
	c.Wait()
}

func TestStartFails(t *testing.T) {
	if _, err := (&children.Table{}).Start("/no/such/program", nil, &os.ProcAttr{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
