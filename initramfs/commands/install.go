package commands

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/install"
	"github.com/rayos/rayboot/initramfs/livedisk"
	"github.com/rayos/rayboot/initramfs/pid1"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/installer/answers"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
)

const installLong = `Install installs RayOS from the disk that this machine was booted from onto
another one: its boot manager, kernel, entries and kernel slots, with IDs of its
own. Without an option it leads you from the list of disks to an installed one.

Never written are the disk that the machine was booted from, disks that are in
use, and read-only ones. A disk that is a part of the machine needs --internal,
one that holds anything --erase. --keep-guests installs RayOS anew and keeps all
other partitions. If the power goes, the disk has its old partition table or the
new one with all that belongs to it. Without a terminal, confirm with --yes.`

const installExample = `  install
  install --list-disks
  install --to nvme0n1 --internal --dry-run
  install --to sdb --erase --yes 4C530001230101117382
  install --verify sdb`

// installFlags are the options of install.
type installFlags struct {
	list, dryRun, json, unattended, dialog bool
	to, verify, yes, layout                string
	consent                                plan.Consent
}

func newInstall(e *env) *cobra.Command {
	var f installFlags
	cmd := &cobra.Command{
		Use: "install", Long: installLong, Example: installExample,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           func(*cobra.Command, []string) error { return cli.Usage(f.check()) },
		RunE:              func(*cobra.Command, []string) error { return f.run(e) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.list, "list-disks", false, "list the disks, and what speaks against each")
	flags.StringVar(&f.to, "to", "", "the `DISK` to install onto")
	flags.StringVar(&f.verify, "verify", "", "check an installed `DISK`, and write nothing")
	flags.StringVar(&f.yes, "yes", "", "confirm by the disk's `SERIAL` number, or name")
	flags.BoolVar(&f.consent.Erase, "erase", false, "what lies on the disk may go")
	flags.BoolVar(&f.consent.Internal, "internal", false, "the disk may be a part of this machine")
	flags.BoolVar(&f.consent.Unknown, "unknown-transport", false, "it need not be known what the disk hangs on")
	flags.BoolVar(&f.consent.KeepGuests, "keep-guests", false, "install RayOS anew and keep all other partitions")
	flags.StringVar(&f.layout, "layout", "", "partitions to make, a TOML `FILE`")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show all that would be written, and write nothing")
	flags.BoolVar(&f.unattended, "unattended", false, "do what EFI/rayos/install.toml says")
	flags.BoolVar(&f.dialog, "dialog", false, "as without an option; then ask what to do next")
	jsonFlag(cmd, &f.json, "print JSON")
	if err := flags.MarkHidden("dialog"); err != nil {
		panic(err) // there is such an option
	}
	return cmd
}

// check finds options that contradict each other.
func (f *installFlags) check() error {
	modes := 0
	for _, on := range []bool{f.list, f.to != "", f.verify != "", f.unattended, f.dialog} {
		if on {
			modes++
		}
	}
	switch {
	case modes > 1:
		return errors.New("--list-disks, --to, --verify and --unattended are different things; choose one of them")
	case f.to == "" && (f.yes != "" || f.dryRun || f.layout != "" || f.consent != plan.Consent{}):
		return errors.New("name a disk with --to")
	case f.consent.KeepGuests && f.consent.Erase:
		return errors.New("--keep-guests keeps what --erase allows to go; choose one of them")
	}
	return nil
}

func (f *installFlags) run(e *env) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	boot, err := e.disk(ctx)
	if err != nil {
		return fmt.Errorf("find out what to install, and which disk must not be written: %w", err)
	}
	defer func() { err = errors.Join(err, boot.Close()) }()
	in := install.New("/", boot, e.stdout)
	in.Silent = f.json
	in.Update = isTerminal(e.stderr)
	switch {
	case f.list:
		return f.listDisks(e, in)
	case f.verify != "":
		return f.verifyDisk(ctx, e, in)
	case f.unattended:
		return unattended(ctx, e, in)
	case f.to != "":
		return f.install(ctx, e, in)
	}
	return f.talk(ctx, e, in, boot)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (f *installFlags) listDisks(e *env, in *install.Installer) error {
	list, err := in.Machine.List()
	if err != nil {
		return err
	}
	if f.json {
		return indented(e.stdout, list)
	}
	in.Detected(list)
	return disks.Print(e.stdout, list, true)
}

// errFindings says that a disk is not as it should be.
var errFindings = errors.New("it is not as it should be")

func (f *installFlags) verifyDisk(ctx context.Context, e *env, in *install.Installer) error {
	d, err := in.Find(f.verify)
	if err != nil {
		return err
	}
	findings, err := session.Verify(ctx, in.Machine, d)
	switch {
	case err != nil:
		return err
	case f.json:
		err = indented(e.stdout, struct {
			Disk     string            `json:"disk"`
			Findings []inspect.Finding `json:"findings"`
		}{d.Name, append([]inspect.Finding{}, findings...)})
	default:
		err = inspect.Print(e.stdout, d.Name, findings)
	}
	if err == nil && inspect.Problem(findings) != nil {
		err = fmt.Errorf("%s: %w", d.Name, errFindings)
	}
	return err
}

// install installs onto the disk that is named.
func (f *installFlags) install(ctx context.Context, e *env, in *install.Installer) error {
	order := install.Order{Disk: f.to, Layout: f.layout, Consent: f.consent, Yes: f.yes}
	if f.dryRun {
		s, err := in.Plan(order)
		if err != nil {
			return err
		}
		return f.show(ctx, e, s)
	}
	var ask install.Ask
	if isTerminal(e.stdin) {
		ask = asker(ctx, e.stdin, e.stderr)
	}
	report, err := in.Do(ctx, order, ask)
	if err == nil && f.json {
		err = indented(e.stdout, report)
	}
	return err
}

// show shows all that would be written.
func (f *installFlags) show(ctx context.Context, e *env, s *session.Session) error {
	steps, err := s.Job.Steps(ctx)
	if err != nil {
		return err
	}
	if f.json {
		report := s.Report()
		report.Steps = steps
		return indented(e.stdout, report)
	}
	if err := disks.PrintPlan(e.stdout, s.Plan, isTerminal(e.stderr)); err != nil {
		return err
	}
	return session.PrintSteps(e.stdout, steps)
}

// unattended does what the stick's file of answers says.
func unattended(ctx context.Context, e *env, in *install.Installer) error {
	then, err := in.Unattended(ctx)
	if err != nil {
		return err
	}
	asked := isTerminal(e.stdin) // by a person, not by process 1
	switch {
	case then == answers.PowerOff && asked:
		return endMachine(e, pid1.SignalPowerOff)
	case then == answers.Reboot && asked:
		return endMachine(e, pid1.SignalRestart)
	case then == answers.PowerOff:
		return exitStatus(pid1.ThenPowerOff)
	case then == answers.Reboot:
		return exitStatus(pid1.ThenRestart)
	}
	return nil
}

// exitStatus is a result that only the exit status tells.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// endMachine asks process 1 to end the machine in order; it ends this command, too.
func endMachine(e *env, signal syscall.Signal) error {
	if err := e.kernel.Kill(1, signal); err != nil {
		return fmt.Errorf("ask process 1: %w", err)
	}
	return nil
}

// talk leads the person at the terminal through the installation.
func (f *installFlags) talk(ctx context.Context, e *env, in *install.Installer, boot *livedisk.Disk) error {
	if !isTerminal(e.stdin) {
		return cli.Usage(errors.New("there is no terminal to ask at; name a disk with --to"))
	}
	if f.dialog {
		files, err := boot.ESP()
		if err != nil {
			return err
		}
		if _, err := fs.Stat(files, content.AnswersPath); err == nil {
			_, err := fmt.Fprintf(e.stdout, "This stick installs by itself, as its file %s says. install asks instead.\n", content.AnswersPath)
			return err
		}
	}
	ask := asker(ctx, e.stdin, e.stdout)
	done, err := in.Dialog(ctx, ask)
	if err != nil || !done || !f.dialog {
		return err
	}
	answer, err := ask("\nType p to power off, r to restart (take the stick out), or Enter for a shell: ")
	switch {
	case err != nil:
		return err
	case answer == "p":
		return endMachine(e, pid1.SignalPowerOff)
	case answer == "r":
		return endMachine(e, pid1.SignalRestart)
	}
	return nil
}
