package commands

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/pid1"
)

// answerTimeout is how long process 1 has to end this very command.
const answerTimeout = 20 * time.Second

func poweroff(e *env) error {
	return power(e, pid1.SignalPowerOff, unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func reboot(e *env) error {
	return power(e, pid1.SignalRestart, unix.LINUX_REBOOT_CMD_RESTART)
}

// power asks process 1 to end the machine in order, or does it at once.
func power(e *env, signal syscall.Signal, command int) error {
	f := e.flags("[-f]")
	force := f.Bool("f", false, "at once: write the disks' data out, end no process, unmount nothing; a boot that was not good yet counts as failed")
	if err := e.parse(f, 0, 0); err != nil {
		return err
	}
	if *force {
		e.kernel.Sync()
		return e.kernel.Power(command)
	}
	if err := e.kernel.Kill(1, signal); err != nil {
		return fmt.Errorf("ask process 1: %w; %s -f does it without", err, e.name)
	}
	time.Sleep(answerTimeout)
	return errors.New("process 1 does not answer; " + e.name + " -f does it without")
}

func syncDisks(e *env) error {
	if err := e.parse(e.flags(""), 0, 0); err != nil {
		return err
	}
	e.kernel.Sync()
	return nil
}
