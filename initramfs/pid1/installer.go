package pid1

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/installer/content"
)

// Command lines of the installer: what the shells of consoles begin with, and what process 1
// starts where the stick has a file of answers.
const (
	installDialog     = "install --dialog"
	installUnattended = "--unattended"
)

// Exit statuses by which the installer that process 1 has started asks for what is to happen
// then. It does not ask by a signal: all that it has said is to be seen first.
const (
	ThenPowerOff = 10
	ThenRestart  = 11
)

// startInstaller installs without questions where the stick says how. Its lines go to all
// consoles and into the log. It is started once; how it ends is told, and the shells stay.
func (b *boot) startInstaller() {
	if !b.args.Install {
		return
	}
	if _, err := os.Stat(filepath.Join(b.root, espDir, content.AnswersPath)); err != nil {
		return // the shells ask
	}
	b.say("installing as %s of the boot disk says", content.AnswersPath)
	go b.install(b.told)
}

// install runs the installer and passes on what it says.
func (b *boot) install(lines chan<- string) {
	failed := func(err error) { lines <- fmt.Sprintf("rayos: the installer: %v", err) }
	ours, theirs, err := os.Pipe()
	if err != nil {
		failed(err)
		return
	}
	defer ours.Close()
	nothing, err := os.Open(filepath.Join(b.root, "dev/null"))
	if err != nil {
		failed(err)
		return
	}
	child, err := b.children.Start(b.program, []string{"install", installUnattended}, &os.ProcAttr{
		Dir: filepath.Join(b.root, "root"), Env: []string{"HOME=/root", "PATH=/bin", "USER=root", "TERM=dumb"},
		Files: []*os.File{nothing, theirs, theirs},
	})
	theirs.Close()
	nothing.Close()
	if err != nil {
		failed(err)
		return
	}
	for scan := bufio.NewScanner(ours); scan.Scan(); {
		lines <- scan.Text()
	}
	switch status := child.Wait(); { // what has failed the installer has said itself
	case status.Signaled():
		failed(fmt.Errorf("killed by signal %d (%v)", status.Signal(), status.Signal()))
	case status.ExitStatus() == ThenPowerOff:
		err = unix.Kill(os.Getpid(), SignalPowerOff)
	case status.ExitStatus() == ThenRestart:
		err = unix.Kill(os.Getpid(), SignalRestart)
	}
	if err != nil {
		failed(err)
	}
}
