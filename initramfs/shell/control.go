package shell

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// readyTimeout is how long the prompt waits for process 1.
const readyTimeout = 5 * time.Second

// control is the shell's end of the control channel; file is nil in a shell
// that was not started by process 1.
type control struct{ file *os.File }

// take takes the channel out of the environment, so that no command inherits
// it.
func (c *control) take() error {
	text, ok := os.LookupEnv(ControlVariable)
	if !ok {
		return nil
	}
	if err := os.Unsetenv(ControlVariable); err != nil {
		return err
	}
	fd, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s=%q: %w", ControlVariable, text, err)
	}
	syscall.CloseOnExec(fd)
	c.file = os.NewFile(uintptr(fd), "control")
	return nil
}

// attach tells process 1 that the shell is ready, waits for its answer, and
// from then on shows the prompt again whenever process 1 asks.
func (c *control) attach(e *editor) error {
	if c.file == nil {
		return nil
	}
	if _, err := c.file.Write([]byte{Refresh}); err != nil {
		return err
	}
	if err := c.file.SetReadDeadline(time.Now().Add(readyTimeout)); err != nil {
		return err
	}
	answer := make([]byte, 16)
	if _, err := c.file.Read(answer); err != nil {
		return fmt.Errorf("no answer from process 1: %w", err)
	}
	if err := c.file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	go func() {
		for {
			n, err := c.file.Read(answer)
			if err != nil {
				return // process 1 has closed it: this shell is at its end
			}
			c.reply(answer[:n], e)
		}
	}()
	return nil
}

// reply does what process 1 asks for, once for each thing that it asked for more
// often. That an answer cannot be written is for process 1 to notice.
func (c *control) reply(asked []byte, e *editor) {
	if bytes.IndexByte(asked, Ping) >= 0 {
		_, _ = c.file.Write([]byte{Ping})
	}
	if bytes.IndexByte(asked, Refresh) >= 0 {
		e.Refresh()
	}
}
