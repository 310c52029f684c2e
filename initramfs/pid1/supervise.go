package pid1

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/initramfs/guests"
	"github.com/rayos/rayboot/initramfs/service"
	"github.com/rayos/rayboot/markers"
	"github.com/rayos/rayboot/raylog"
)

// servicesTimeout is how long all services together have to end with the machine.
const servicesTimeout = 60 * time.Second

// report is what the main loop is told of a service: it was started, or it has ended by
// itself.
type report struct {
	name  string
	ended *service.Ended // nil for a start
}

// makeServices makes the supervisor, which has no services yet.
func (b *boot) makeServices(cgroups string) {
	b.reports, b.told, b.pressed, b.ending = make(chan report), make(chan string), make(chan struct{}), make(chan struct{})
	b.services = service.New(service.Config{
		Clock: clock{}, Launch: b.launch, Cgroups: cgroups, Watchdog: b.guard.Guard,
		Log: func(name, line string) {
			if name == guests.Service {
				name, line = guests.Source(line)
			}
			b.journal.add(entryNow(raylog.Info, name, line))
		},
		Report: func(name string, e *service.Ended) {
			select {
			case b.reports <- report{name, e}:
			case <-b.ending:
			}
		},
	})
}

// clock is the time that services are kept by.
type clock struct{}

func (clock) Now() time.Duration { return uptime() }

func (clock) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

// launch starts a process of a service, which the main loop reaps.
func (b *boot) launch(path string, argv []string, attr *os.ProcAttr) (int, func() (syscall.WaitStatus, error), error) {
	child, err := b.children.Start(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	return child.PID, func() (syscall.WaitStatus, error) { return child.Wait(), nil }, nil
}

// cgroupMount is where the control groups of services are.
var cgroupMount = mountPoint{"cgroup2", "/sys/fs/cgroup", "cgroup2", secure, ""}

// mountCgroups makes control groups usable and returns their folder; empty where the
// kernel has none.
func (b *boot) mountCgroups() (string, error) {
	if err := b.mount(cgroupMount); err != nil {
		return "", fmt.Errorf("%w; services have no limits", err)
	}
	folder := filepath.Join(b.root, cgroupMount.target)
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil || fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return "", errors.Join(errors.New("control groups are not of version 2; services have no limits"), err)
	}
	for _, controller := range []string{"cpu", "memory", "pids"} {
		err := os.WriteFile(filepath.Join(folder, "cgroup.subtree_control"), []byte("+"+controller), 0)
		if err != nil {
			return folder, fmt.Errorf("control groups: %w; services have no limits of %s", err, controller)
		}
	}
	return folder, nil
}

// serviceReport follows what a service does. restart is true where the machine is to be
// restarted, as it is of no use without the service.
func (b *boot) serviceReport(s *shells, r report) (restart bool) {
	e := r.ended
	if e == nil {
		b.judgeHealth()
		return false
	}
	if e.Err == nil && e.Next == service.Rests {
		b.say("%v", e)
	} else {
		b.warn("%v", e)
	}
	if console, ok := strings.CutPrefix(e.Name, shellPrefix); ok {
		delete(s.ready, console)
		b.shellTrouble = b.shellTrouble || e.Failing && len(s.ready) == 0
	}
	if e.Next == service.Failed {
		restart = b.serviceFailed(*e)
	}
	b.judgeHealth()
	s.refresh()
	return restart
}

// judgeHealth lets the time until GOLDEN run only while a shell answers and all critical
// services run.
func (b *boot) judgeHealth() {
	if b.shellTrouble || !b.services.Healthy() {
		b.stages.Trouble()
	} else {
		b.stages.Recovered(b.now())
	}
}

// serviceFailed records that a service has failed, which is a recovery event of its own.
// Before the boot is good, it fails with a critical service.
func (b *boot) serviceFailed(e service.Ended) (restart bool) {
	reason := "it ended in order"
	if e.Err != nil {
		reason = e.Err.Error()
	}
	b.line(markers.ServiceFailed{Service: e.Name, Critical: e.Critical, Starts: e.Starts, Reason: firstLine(reason)}.Marker().String())
	err := b.change(func(r record.Record, n record.Nonce) (record.Record, bool) {
		r, restart = bootmenu.FailService(r, n, e.Name, e.Critical)
		return r, true
	})
	switch {
	case err != nil && b.attempt.looked == nil:
		b.warn("that service %s has failed could not be recorded: %v", e.Name, err)
		restart = false
	case restart:
		b.warn("the boot has failed, as service %s is critical; the machine restarts, and the boot manager counts the failure", e.Name)
	case e.Critical:
		b.warn("service %s is critical; the machine stays up, as %s: see log show --source %s, then services start %s",
			e.Name, b.whyNoFailure(), e.Name, e.Name)
	}
	return restart
}

func (b *boot) whyNoFailure() string {
	if b.stages.Reached(markers.Golden) {
		return "this boot was good already"
	}
	return "this boot is not counted"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return cmp.Or(line, text)
}

// stopServices ends all services, the last one first, and reaps their processes.
func (b *boot) stopServices() {
	close(b.ending)
	ctx, cancel := context.WithTimeout(context.Background(), servicesTimeout)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- b.services.StopAll(ctx) }()
	look := time.NewTicker(endPoll)
	defer look.Stop()
	for {
		select {
		case err := <-stopped:
			if err != nil {
				b.warn("%v", err)
			}
			return
		case <-look.C:
			if _, err := b.children.Reap(); err != nil {
				b.warn("%v", err)
			}
		}
	}
}

// terminate asks a process to end when the context does, and makes it if it does not.
func terminate(ctx context.Context, pid int, ended <-chan syscall.WaitStatus) syscall.WaitStatus {
	select {
	case status := <-ended:
		return status
	case <-ctx.Done():
	}
	_ = unix.Kill(-pid, unix.SIGTERM) // it may have ended
	select {
	case status := <-ended:
		return status
	case <-time.After(service.DefaultStop):
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
	return <-ended
}
