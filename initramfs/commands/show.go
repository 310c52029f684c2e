package commands

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control/cli"
	"github.com/rayos/rayboot/initramfs/guests"
)

const showLong = `Show puts the screen of a guest on the machine's own screen, and gives it
keyboard and mouse. A guest that does not run is started. Ctrl+Alt+Esc comes
back to the console; the guest goes on.

  linux, windows  this guest
  all             all guests, in turns: Ctrl+Alt+Esc goes to the next one, and
                  after the last one to the console
  none            the console
  list            which guests there are, and which one is shown

With --screenshot, what a guest shows goes into a file (PNG or PPM) instead.`

// showWait is how long is waited for a guest's first picture by default.
const showWait = 5 * time.Minute

// Words that show takes beside the guests.
const (
	showNone = "none"
	showList = "list"
)

func newShow(e *env) *cobra.Command {
	var file string
	var wait time.Duration
	var asJSON bool
	words := append(guestNames(), guests.All, showNone, showList)
	cmd := &cobra.Command{
		Use:       "show [WHAT]",
		Long:      showLong,
		Example:   "  show linux\n  show none\n  show list\n  show --screenshot /tmp/linux.png linux",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: words,
		RunE: func(_ *cobra.Command, args []string) error {
			what := strings.Join(args, "")
			switch {
			case file != "":
				return e.screenshot(file, what)
			case asJSON && what != "" && what != showList:
				return cli.Usage(fmt.Errorf("--json is for show list"))
			case what == "" || what == showList:
				return e.listGuests(asJSON)
			case what == showNone:
				return e.showNone()
			case what == guests.All:
				return e.showAll(wait)
			}
			return e.showGuest(what, wait)
		},
	}
	cmd.Flags().StringVar(&file, "screenshot", "", "write what a guest shows to this file, by default of\nthe guest that is shown")
	cmd.Flags().DurationVar(&wait, "wait", showWait, "wait so long for its first picture")
	jsonFlag(cmd, &asJSON, "print the list as JSON")
	return cmd
}

// showGuest shows a guest, and says what happens in the words that scripts look for.
func (e *env) showGuest(name string, wait time.Duration) error {
	fmt.Fprintf(e.stdout, "[RAYOS_PRESENTATION] Initializing %s desktop presentation\n", title(name))
	if _, err := e.guests(guests.Request{Verb: guests.VerbShow, Guest: name}); err != nil {
		return err
	}
	return e.awaitShown(name, wait)
}

func (e *env) awaitShown(name string, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	return e.follow(name, func(s guests.State) (done bool, err error) {
		switch {
		case s.Shown:
			_, err := fmt.Fprintf(e.stdout, "%s desktop now visible (native scanout, no VNC required)\n", title(name))
			return true, err
		case !s.Running && s.Condition != guests.Waits:
			return false, fmt.Errorf("%w: guest %s has ended: %s; see log show --source %s", errNotShown, name, orDash(s.Problem), name)
		case time.Now().After(deadline):
			return false, fmt.Errorf("%w: guest %s runs and has drawn nothing within %v; it is shown as soon as it does; log show --source %s tells what it is at", errNotShown, name, wait, name)
		}
		return false, nil
	})
}

// title is the name of a guest at the beginning of a sentence.
func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// showAll shows all guests in turns, the first one now.
func (e *env) showAll(wait time.Duration) error {
	fmt.Fprintln(e.stdout, "[RAYOS_PRESENTATION] Initializing presentation of all guests")
	a, err := e.guests(guests.Request{Verb: guests.VerbShow, Guest: guests.All})
	if err != nil {
		return err
	}
	for _, s := range a.Guests {
		if s.Name != a.Wanted && !s.Running {
			fmt.Fprintf(e.stdout, "Not shown: %s: %s\n", s.Name, orDash(s.Problem))
		}
	}
	if err := e.awaitShown(a.Wanted, wait); err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, "Ctrl+Alt+Esc shows the next guest, and after the last one the console.")
	return err
}

func (e *env) showNone() error {
	a, err := e.guests(guests.Request{Verb: guests.VerbList})
	if err != nil {
		return err
	}
	if _, err := e.guests(guests.Request{Verb: guests.VerbHide}); err != nil {
		return err
	}
	said := "No guest was shown."
	if i := slices.IndexFunc(a.Guests, func(s guests.State) bool { return s.Shown }); i >= 0 {
		said = title(a.Guests[i].Name) + " is not shown any more; it goes on."
	}
	_, err = fmt.Fprintln(e.stdout, said)
	return err
}

func (e *env) screenshot(file, name string) error {
	if slices.Contains([]string{guests.All, showNone, showList}, name) {
		return cli.Usage(fmt.Errorf("--screenshot is of one guest, not of %s", name))
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if _, err := e.guests(guests.Request{Verb: guests.VerbScreenshot, Guest: name, File: file}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "Written: %s\n", file)
	return err
}

// errNotShown is in the chain of the error where a guest that was to be shown is not.
var errNotShown = errors.New("nothing is shown")
