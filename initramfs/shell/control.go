package shell

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// readyTimeout is how long the prompt waits for process 1.
const readyTimeout = 5 * time.Second

// attachControl tells process 1 that the shell is ready, waits for its answer,
// and from then on shows the prompt again whenever process 1 asks. A shell that
// was not started by process 1 has no control channel.
func attachControl(e *editor) error {
	text, ok := os.LookupEnv(ControlVariable)
	if !ok {
		return nil
	}
	if err := os.Unsetenv(ControlVariable); err != nil {
		return err
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("control channel: %s=%q: %w", ControlVariable, text, err)
	}
	syscall.CloseOnExec(fd)
	control := os.NewFile(uintptr(fd), "control")
	if _, err := control.Write([]byte{Refresh}); err != nil {
		return fmt.Errorf("control channel: %w", err)
	}
	if err := control.SetReadDeadline(time.Now().Add(readyTimeout)); err != nil {
		return fmt.Errorf("control channel: %w", err)
	}
	answer := make([]byte, 16)
	if _, err := control.Read(answer); err != nil {
		return fmt.Errorf("control channel: no answer from process 1: %w", err)
	}
	go func() {
		if control.SetReadDeadline(time.Time{}) != nil {
			return
		}
		for {
			if _, err := control.Read(answer); err != nil {
				return // process 1 has closed it: this shell is at its end
			}
			e.Refresh()
		}
	}()
	return nil
}
