package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/guest"
	"github.com/rayos/rayboot/initramfs/guests"
)

const guestLong = `Guest starts and stops the guests of this machine: Linux on partition 4 and
Windows on partition 5 of its disk, each in a QEMU of its own. The command show
puts one on the screen. What a guest says on its serial console is in the log:
log show --source linux. What it gets of the machine is in the file
EFI/rayos/guests.toml of the ESP.`

const (
	guestLook = 500 * time.Millisecond // how often is looked at what becomes of a guest
	mostLate  = 5                      // answers in a row that may be late; each is waited for 10 s
)

func newGuest(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "guest",
		Long:    guestLong,
		Example: "  guest list\n  guest start linux\n  guest status linux --json\n  guest stop linux\n  guest stop linux --force",
	}
	cmd.AddCommand(newGuestList(e), newGuestStatus(e), newGuestStart(e), newGuestStop(e))
	return cmd
}

func guestNames() (names []string) {
	for _, name := range guest.Names() {
		names = append(names, string(name))
	}
	return names
}

func newGuestList(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "list",
		Short:             "Show how all guests stand",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return e.listGuests(asJSON) },
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

// listGuests shows all guests.
func (e *env) listGuests(asJSON bool) error {
	a, err := e.guests(guests.Request{Verb: guests.VerbList})
	switch {
	case err != nil:
		return err
	case asJSON:
		return indented(e.stdout, a.Guests)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "GUEST\tSTATE\tPID\tMEMORY\tCPUS\tSCREEN")
	for _, s := range a.Guests {
		pid := "-"
		if s.Running {
			pid = fmt.Sprint(s.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d MiB\t%d\t%s\n", s.Name, s.Condition, pid, s.MemoryMiB, s.CPUs, screenText(s))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range a.Guests {
		if s.Problem != "" && !s.Running {
			fmt.Fprintf(e.stdout, "%s: %s\n", s.Name, s.Problem)
		}
	}
	return nil
}

func screenText(s guests.State) string {
	switch {
	case s.Shown:
		return fmt.Sprintf("%dx%d, shown", s.Width, s.Height)
	case s.Picture:
		return fmt.Sprintf("%dx%d", s.Width, s.Height)
	}
	return "-"
}

func newGuestStatus(e *env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:       "status GUEST",
		Short:     "Show all about one guest; exit status 1 if it does not run",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: guestNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := e.guests(guests.Request{Verb: guests.VerbList})
			if err != nil {
				return err
			}
			s, err := a.Find(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = indented(e.stdout, s)
			} else {
				err = e.guestStatus(s)
			}
			if err == nil && !s.Running {
				return errNoMatch
			}
			return err
		},
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

func (e *env) guestStatus(s guests.State) error {
	how := "in software emulation"
	if s.KVM {
		how = "on KVM"
	}
	text := fmt.Sprintf("%s: %s for %v", s.Name, s.Condition, s.For.Round(time.Second))
	if s.Running {
		text += fmt.Sprintf(", as process %d, %s", s.PID, how)
	}
	text += fmt.Sprintf("\n  %d MiB of memory, processors: %d, starts: %d\n", s.MemoryMiB, s.CPUs, s.Starts)
	if s.Problem != "" {
		text += "  " + s.Problem + "\n"
	}
	if s.Picture {
		text += fmt.Sprintf("  screen: %s; %d frames, %.1f a second\n  latency: %.1f ms, of 99 %% at most %.1f ms\n",
			screenText(s), s.Frames, s.Rate, s.P50, s.P99)
	}
	_, err := fmt.Fprint(e.stdout, text)
	return err
}

func newGuestStart(e *env) *cobra.Command {
	return &cobra.Command{
		Use:       "start GUEST",
		Short:     "Start a guest, without showing it",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: guestNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := e.guests(guests.Request{Verb: guests.VerbStart, Guest: args[0]})
			if err != nil {
				return err
			}
			s, err := a.Find(args[0])
			if err != nil {
				return err
			}
			if !s.Running {
				return fmt.Errorf("guest %s does not run: %s; see log show --source %s", s.Name, orDash(s.Problem), s.Name)
			}
			return e.guestStatus(s)
		},
	}
}

func newGuestStop(e *env) *cobra.Command {
	r := guests.Request{Verb: guests.VerbStop}
	cmd := &cobra.Command{
		Use:       "stop GUEST",
		Short:     "Have a guest's system end, and its QEMU after 30 s if it does not",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: guestNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			r.Guest = args[0]
			if _, err := e.guests(r); err != nil {
				return err
			}
			return e.follow(args[0], func(s guests.State) (bool, error) {
				if s.Running || slices.Contains([]string{guests.Stopping, guests.Waits}, s.Condition) {
					return false, nil
				}
				_, err := fmt.Fprintf(e.stdout, "%s has ended.\n", s.Name)
				return true, err
			})
		},
	}
	cmd.Flags().BoolVar(&r.Force, "force", false, "end its QEMU at once: what its system has not\nwritten out is lost")
	return cmd
}

// follow looks at a guest until look says that it has seen enough, or the user interrupts.
func (e *env) follow(name string, look func(guests.State) (done bool, err error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for late := 0; ; {
		a, err := e.guests(guests.Request{Verb: guests.VerbList})
		if errors.Is(err, os.ErrDeadlineExceeded) && late < mostLate {
			late++ // a guest that begins may leave the machine little time
			continue
		}
		if err != nil {
			return err
		}
		late = 0
		s, err := a.Find(name)
		if err != nil {
			return err
		}
		if done, err := look(s); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(guestLook):
		}
	}
}
