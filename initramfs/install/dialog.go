package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
)

// Ask asks the person before the machine for a line.
type Ask func(question string) (string, error)

// errBack goes back to the choice of a disk.
var errBack = errors.New("nothing was written")

// Dialog leads a person from the list of disks to an installed one: a disk is selected, what
// speaks against it is allowed or not, the disk is shown before and after, and confirmed by
// its serial number. done says that RayOS is installed; without it, the person has left.
func (i *Installer) Dialog(ctx context.Context, ask Ask) (done bool, err error) {
	for {
		list, err := i.Machine.List()
		if err != nil {
			return false, err
		}
		i.Detected(list)
		fmt.Fprintf(i.Out, "\nInstall RayOS from %s onto another disk. Ctrl-C leaves at any time.\n\n", i.Boot.Name())
		list.Disks = plan.Preferred(list.Disks)
		if err := disks.Print(i.Out, list, false); err != nil {
			return false, err
		}
		answer, err := ask("\nName of the disk to install onto (Enter: look again, q: leave): ")
		switch {
		case err != nil:
			return false, err
		case answer == "q":
			return false, nil
		case answer == "":
			continue
		}
		err = i.onto(ctx, answer, ask)
		switch {
		case err == nil:
			return true, nil
		case ctx.Err() != nil:
			return false, err
		}
		fmt.Fprintf(i.Out, "\n%v\n", err)
	}
}

// onto installs onto the disk with a name.
func (i *Installer) onto(ctx context.Context, name string, ask Ask) error {
	disk, err := i.Find(name)
	if err != nil {
		return i.failed("", err)
	}
	consent, err := consents(disk, ask)
	if err != nil {
		return i.failed(disk.Name, err)
	}
	wishes, err := i.chooseLayout(ask)
	if err != nil {
		return i.failed(disk.Name, err)
	}
	_, err = i.carryOut(ctx, disk, wishes, consent, func() error { return confirmed(disk, ask) })
	return i.failed(disk.Name, err)
}

// consents asks for what is needed to write a disk. What nobody can allow is told by the
// plan; there is nothing to ask then.
func consents(d plan.Disk, ask Ask) (c plan.Consent, err error) {
	reasons := d.Refusals(plan.Consent{}, nil)
	if slices.ContainsFunc(reasons, func(r plan.Refusal) bool { return r.Consent == "" }) {
		return c, d.Refuse(plan.Consent{}, nil)
	}
	for _, r := range reasons {
		text, _, _ := strings.Cut(r.Text, "; add ")
		switch r.Consent {
		case plan.OptionInternal:
			c.Internal, err = yes(ask, d.Name+": "+text)
		case plan.OptionUnknown:
			c.Unknown, err = yes(ask, d.Name+": "+text)
		case plan.OptionErase:
			err = data(ask, d.Name+": "+text, &c)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

// yes asks whether a disk is meant nevertheless.
func yes(ask Ask, text string) (bool, error) {
	answer, err := ask("\n" + text + ".\nIs it meant? Type yes: ")
	if err == nil && answer != "yes" {
		err = errBack
	}
	return err == nil, err
}

// data asks what becomes of the data on a disk.
func data(ask Ask, text string, c *plan.Consent) error {
	answer, err := ask("\n" + text + ".\nType erase to lose all of it, or keep to install RayOS anew beside its guests: ")
	switch {
	case err != nil:
		return err
	case answer == "erase":
		c.Erase = true
	case answer == "keep":
		c.KeepGuests = true
	default:
		return errBack
	}
	return nil
}

// print says what was installed, and what is not as it should be.
func (i *Installer) print(s *session.Session, report session.Report) error {
	if i.Silent {
		return nil
	}
	if _, err := fmt.Fprint(i.Out, s.Done(*report.Written)); err != nil {
		return err
	}
	if report.BootEntry != "" {
		fmt.Fprintf(i.Out, "the firmware starts it first: %s\n", report.BootEntry)
	}
	for _, w := range report.Warnings {
		fmt.Fprintln(i.Out, "warning: "+w)
	}
	return nil
}
