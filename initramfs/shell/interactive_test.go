package shell

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/initramfs/ptytest"
)

// asShell makes the test program the shell itself.
const asShell = "RAYOS_TEST_SHELL"

func TestMain(m *testing.M) {
	if os.Getenv(asShell) != "" {
		os.Exit(run([]string{"sh"}, &session{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, ask: testAsk}))
	}
	os.Exit(m.Run())
}

// terminalSession is a shell on a terminal, as process 1 starts it.
type terminalSession struct {
	*ptytest.Terminal
	t       *testing.T
	cmd     *exec.Cmd
	control *os.File // our end; nil without a control channel
}

func startShell(t *testing.T, withControl bool) *terminalSession {
	t.Helper()
	s := &terminalSession{Terminal: ptytest.Open(t), t: t}
	far := s.Far()
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = []string{asShell + "=1", "PATH=/usr/bin:/bin", "TERM=vt102"}
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = far, far, far
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if withControl {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.control = os.NewFile(uintptr(pair[0]), "control")
		theirs := os.NewFile(uintptr(pair[1]), "control")
		defer theirs.Close()
		t.Cleanup(func() { s.control.Close() })
		s.cmd.ExtraFiles = []*os.File{theirs}
		s.cmd.Env = append(s.cmd.Env, ControlVariable+"=3")
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill() // a test that failed has left it
			_ = s.cmd.Wait()
		}
	})
	return s
}

// end waits for the shell's end.
func (s *terminalSession) end() (status int) {
	s.t.Helper()
	err := s.cmd.Wait()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		s.t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode()
}

func TestInteractive(t *testing.T) {
	s := startShell(t, false)
	s.Expect(prompt)
	s.Type("echo $((6*7))\r")
	s.Expect("\n42\r\n" + prompt)
	s.Type("x=kept\n") // a line feed ends a line as well, as from a pipe
	s.Expect(prompt)
	s.Type("if true\rthen echo $x; fi\r")
	s.Expect(morePrompt)
	s.Expect("\nkept\r\n" + prompt)
	s.Type("echo wrong\x7f\x7f\x7f\x7f\x7fright\r")
	s.Expect("\nright\r\n" + prompt)
	s.Type("\x1b[A\r") // the line before
	s.Expect("\nright\r\n" + prompt)
	s.Type("fi\r")
	s.Expect("sh: ")
	s.Expect(prompt)
	s.Type("exit 5\r")
	if status := s.end(); status != 5 {
		t.Errorf("exit status %d, want 5", status)
	}
}

func TestEndOfInputEndsTheShell(t *testing.T) {
	s := startShell(t, false)
	s.Expect(prompt)
	s.Type("\x04")
	if status := s.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestInterrupt(t *testing.T) {
	s := startShell(t, false)
	s.Expect(prompt)
	s.Type("echo no\x03")
	s.Expect("^C")
	s.Expect(prompt)
	s.Type("for i in 1 2\r")
	s.Expect(morePrompt)
	s.Type("\x03")
	s.Expect(prompt)
	s.Type("echo started; sleep 1000; echo not reached\r")
	s.Expect("\nstarted")
	s.Type("\x03")
	if before := s.Expect(prompt); strings.Contains(before, "not reached") {
		t.Error("the rest of the interrupted line was run")
	}
	s.Type("echo alive\r")
	s.Expect("\nalive\r\n")
}

func TestBackground(t *testing.T) {
	s := startShell(t, false)
	s.Expect(prompt)
	s.Type("(sleep 0.3; echo from behind) & echo line done\r")
	s.Expect("\nline done\r\n" + prompt)
	s.Expect("from behind")
}

// TestPing asks shells for a sign of life while they wait for a line and while a
// command runs, together with a request for the prompt.
func TestPing(t *testing.T) {
	s := startShell(t, true)
	if err := s.control.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := s.control.Read(one); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ask, typed, shown string }{
		{"r", "", prompt}, {"p", "", ""}, {"rp", "sleep 1000\r", "sleep 1000"}, {"pr", "", ""},
	} {
		if _, err := s.control.Write([]byte(c.ask)); err != nil {
			t.Fatal(err)
		}
		if c.ask != "r" {
			if n, err := s.control.Read(one); n != 1 || err != nil || one[0] != Ping {
				t.Fatalf("%q is answered by %q, %v", c.ask, one[:n], err)
			}
		}
		s.Type(c.typed)
		s.Expect(c.shown)
	}
}

func TestControlChannel(t *testing.T) {
	s := startShell(t, true)
	if err := s.control.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	ready := make([]byte, 1)
	if _, err := s.control.Read(ready); err != nil {
		t.Fatal(err)
	}
	refresh := func() {
		t.Helper()
		if _, err := s.control.Write([]byte{Refresh}); err != nil {
			t.Fatal(err)
		}
	}
	s.Type("typed ahead")
	refresh()
	if before := s.Expect(prompt); strings.Contains(before, prompt) {
		t.Errorf("a prompt before process 1 has answered: %q", before)
	}
	s.Expect("typed ahead")
	refresh()
	s.Expect(prompt + "typed ahead") // shown again, with what was typed
	s.Type("\x03")
	s.Expect("^C")
	s.Expect(prompt)
	s.Type("echo fd=[$RAYOS_CONTROL_FD]; ls -l /proc/self/fd; echo end\r")
	if out := s.Expect("\nend\r\n"); !strings.Contains(out, "fd=[]") || strings.Contains(out, "socket:") {
		t.Errorf("commands inherit the control channel: %q", out)
	}
}
