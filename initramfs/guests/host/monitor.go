package host

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/presentation/input"
	"github.com/rayos/rayboot/presentation/qmp"
	"github.com/rayos/rayboot/presentation/screendump"
)

const (
	monitorTimeout = 5 * time.Second
	mouseAge       = 5 * time.Second // after it, QEMU is asked again which kind of mouse the guest has
	internalError  = "internal-error"
)

// connect connects to the monitor of a QEMU that has been started, and holds on to it until that ends.
func (g *hosted) connect(pid int) {
	path := filepath.Join(g.host.machine.folder(g.config.Name), "monitor.sock")
	for g.host.service(g.name()).PID == pid {
		client, err := g.dial(path)
		if err != nil {
			time.Sleep(lookEvery) // it is not there yet
			continue
		}
		g.setMonitor(client)
		g.check(client, pid)
		if g.config.Name == guest.Windows { // whose screen nobody tells of
			err := screendump.Serve(context.Background(), client, g.name(), g.host.display.Source(g.name()))
			if err != nil {
				g.host.complain.say("the screen of guest %s: %v", g.name(), err)
			}
		}
		<-client.Done()
		g.setMonitor(nil)
		_ = client.Close() // QEMU has gone
		return
	}
}

func (g *hosted) dial(path string) (*qmp.Client, error) {
	conn, err := net.DialTimeout("unix", path, monitorTimeout)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(monitorTimeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var client *qmp.Client
	client, err = qmp.New(conn, func(e qmp.Event) {
		if e.Name == "STOP" { // as QEMU does at what KVM calls an internal error
			pid := g.host.service(g.name()).PID
			go func() {
				if c := g.client(); c != nil {
					g.check(c, pid)
				}
			}()
		}
	})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return client, conn.SetDeadline(time.Time{})
}

func (g *hosted) setMonitor(c *qmp.Client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.monitor, g.keyboard = c, nil
}

func (g *hosted) client() *qmp.Client {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.monitor
}

// check ends a machine that stands still for ever because of KVM; it is then started again without.
func (g *hosted) check(c *qmp.Client, pid int) {
	ctx, cancel := context.WithTimeout(context.Background(), monitorTimeout)
	defer cancel()
	var status struct{ Status string }
	if err := c.Execute(ctx, "query-status", nil, &status); err != nil || status.Status != internalError {
		return // one that does not answer is about to end
	}
	g.mu.Lock()
	g.noKVM = true
	g.mu.Unlock()
	g.host.tell.say("guest %s: KVM does not work for it here; it is started again, emulated in software", g.name())
	_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
}

// Send hands keys and movements to the guest. One whose monitor is not there yet gets none.
func (g *hosted) Send(events []input.Event) error {
	g.mu.Lock()
	client, keyboard := g.monitor, g.keyboard
	old := time.Since(g.asked) > mouseAge
	g.mu.Unlock()
	if client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), monitorTimeout)
	defer cancel()
	var err error
	switch {
	case keyboard == nil:
		keyboard, err = input.NewMonitor(ctx, client)
	case old:
		err = keyboard.Refresh(ctx)
	}
	if err != nil {
		return err
	}
	keyboard.SetSize(g.host.pictureSize(g.name()))
	g.mu.Lock()
	if old || g.keyboard == nil {
		g.asked = time.Now()
	}
	g.keyboard = keyboard
	g.mu.Unlock()
	return keyboard.Send(events)
}
