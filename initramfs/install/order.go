package install

import (
	"context"
	"errors"
	"os"

	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/session"
	"github.com/rayos/rayboot/markers"
)

// Order is an installation that somebody asks for by a command.
type Order struct {
	Disk    string // its name
	Layout  string // path of the file with its layout; empty for the standard one
	Consent plan.Consent
	Yes     string // confirms the disk in advance; empty: a person is asked
}

// Plan prepares an order without carrying it out.
func (i *Installer) Plan(o Order) (*session.Session, error) {
	disk, err := i.Find(o.Disk)
	if err != nil {
		return nil, err
	}
	wishes, err := readLayout(os.Open, o.Layout)
	if err != nil {
		return nil, err
	}
	return i.prepare(disk, wishes, o.Consent)
}

// Do carries out an order. ask is nil where there is nobody to confirm it. One that is refused
// or fails leaves its marker.
func (i *Installer) Do(ctx context.Context, o Order, ask Ask) (session.Report, error) {
	disk, err := i.Find(o.Disk)
	if err != nil {
		return session.Report{}, i.failed("", err)
	}
	report, err := i.do(ctx, disk, o, ask)
	return report, i.failed(disk.Name, err)
}

func (i *Installer) do(ctx context.Context, disk plan.Disk, o Order, ask Ask) (session.Report, error) {
	if err := session.Confirmable(disk, o.Yes, ask != nil); err != nil {
		return session.Report{}, err
	}
	var confirm func() error
	if o.Yes == "" {
		confirm = func() error { return confirmed(disk, ask) }
	}
	wishes, err := readLayout(os.Open, o.Layout)
	if err != nil {
		return session.Report{}, err
	}
	return i.carryOut(ctx, disk, wishes, o.Consent, confirm)
}

// confirmed asks for what only somebody types who has read which disk it is.
func confirmed(d plan.Disk, ask Ask) error {
	typed, err := ask(session.Question("install", d))
	if err != nil {
		return err
	}
	if !d.Confirms(typed, false) {
		return session.ErrNotConfirmed
	}
	return nil
}

// carryOut installs onto a disk, from the plan to the end. confirm is nil where it was
// confirmed in advance.
func (i *Installer) carryOut(ctx context.Context, d plan.Disk, l plan.Layout, c plan.Consent, confirm func() error) (session.Report, error) {
	s, err := i.prepare(d, l, c)
	if err != nil {
		return session.Report{}, err
	}
	if !i.Silent {
		if err := disks.PrintPlan(i.Out, s.Plan, i.Update); err != nil {
			return session.Report{}, err
		}
	}
	if confirm != nil {
		if err := confirm(); err != nil {
			return session.Report{}, err
		}
	}
	report, err := i.run(ctx, s)
	if err != nil {
		return report, begun{err}
	}
	i.complete(s, report)
	return report, i.print(s, report)
}

// begun is an error of an installation that was begun: it has failed, also if a person has ended it.
type begun struct{ error }

func (b begun) Unwrap() error { return b.error }

// failed emits the marker of an installation that was refused or has failed, and passes its
// error on. A person who has left before anything was written has not failed.
func (i *Installer) failed(disk string, err error) error {
	var b begun
	left := errors.Is(err, errBack) || errors.Is(err, context.Canceled) && !errors.As(err, &b)
	if err != nil && !left {
		i.emit(markers.InstallerFailed{Disk: disk, Reason: err.Error()})
	}
	return err
}
