// Command showguest is /init of the guests of the tests and the benchmark of
// presentation. It loads the modules of its initrd and does what show= on the
// kernel's command line says: text writes on the text console; panic has the kernel
// panic; flips:N:WxH flips full pages, N of them, the pixels of each of one value that
// is its number; paced:N:WxH:FIRST does so with numbers from FIRST on, and waits for a
// byte on the serial port for each page.
// What it has done it says on the first serial port.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func main() {
	if err := run(); err != nil {
		say("failed: %v", err)
	}
	for {
		_ = unix.Pause() // process 1 must not end, and returns from this only to wait again
	}
}

func say(format string, a ...any) {
	if port, err := os.OpenFile("/dev/ttyS0", os.O_WRONLY, 0); err == nil {
		fmt.Fprintf(port, "SHOWGUEST "+format+"\r\n", a...)
		_ = port.Close() // who waits for the line misses it
	}
}

func run() error {
	for _, m := range [][2]string{{"devtmpfs", "/dev"}, {"proc", "/proc"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	if err := loadModules(); err != nil {
		return err
	}
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	for word := range strings.FieldsSeq(string(cmdline)) {
		var n, width, height, first int
		switch word {
		case "show=text":
			return text()
		case "show=panic":
			return os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
		}
		if _, err := fmt.Sscanf(word, "show=flips:%d:%dx%d", &n, &width, &height); err == nil {
			return flips(n, width, height, 1, nil)
		}
		if _, err := fmt.Sscanf(word, "show=paced:%d:%dx%d:%d", &n, &width, &height, &first); err == nil {
			return paced(n, width, height, first)
		}
	}
	return fmt.Errorf("nothing to do in %q", cmdline)
}

// paced flips pages as fast as the host says that it has seen them.
func paced(n, width, height, first int) error {
	port, err := os.OpenFile("/dev/ttyS0", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer port.Close()
	if _, err := term.MakeRaw(int(port.Fd())); err != nil {
		return fmt.Errorf("set up the serial port: %w", err)
	}
	return flips(n, width, height, first, port)
}

// loadModules loads the modules in the order of the initrd's list.
func loadModules() error {
	lists, err := filepath.Glob("/lib/modules/*/load.list")
	if err != nil || len(lists) != 1 {
		return fmt.Errorf("%d lists of modules: %w", len(lists), err)
	}
	list, err := os.ReadFile(lists[0])
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(list)) {
		name := strings.Fields(line)[1]
		f, err := os.Open(filepath.Join(filepath.Dir(lists[0]), name))
		if err != nil {
			return err
		}
		if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && err != unix.EEXIST {
			return fmt.Errorf("load %s: %w", name, err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// text fills a part of the console with text, without its blinking cursor.
func text() error {
	for range 100 {
		if _, err := os.Stat("/dev/fb0"); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	console, err := os.OpenFile("/dev/tty1", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer console.Close()
	fmt.Fprint(console, "\x1b[?25l\x1b[2J\x1b[H")
	for i := range 12 {
		fmt.Fprintf(console, "\x1b[3%dm%2d: The quick brown fox jumps over the lazy dog 0123456789\r\n", 1+i%7, i)
	}
	say("text is written")
	return nil
}
