// Package session carries an installation from its plan to its end, on a host and on a
// machine that was booted from a stick alike. What is written comes in with the job.
package session

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/inspect"
	"github.com/rayos/rayboot/installer/disks"
	"github.com/rayos/rayboot/installer/plan"
	"github.com/rayos/rayboot/installer/write"
)

// ErrNotConfirmed ends an installation that nobody has confirmed.
var ErrNotConfirmed = errors.New("not confirmed; nothing was written")

// Session is one installation.
type Session struct {
	Machine   *disks.Machine
	Plan      plan.Plan
	Job       write.Job
	InstallID gpt.GUID
}

// Report is printed as JSON.
type Report struct {
	Plan      plan.Plan     `json:"plan"`
	InstallID gpt.GUID      `json:"installID"`
	Steps     []write.Step  `json:"steps,omitempty"` // of a dry run
	Written   *write.Report `json:"written,omitempty"`
	BootEntry string        `json:"bootEntry,omitempty"` // the firmware's variable
	Warnings  []string      `json:"warnings,omitempty"`
	PeakBytes int64         `json:"peakBytes,omitempty"` // memory that the installer took at most
}

// Report is what there is to report before anything was written.
func (s *Session) Report() Report { return Report{Plan: s.Plan, InstallID: s.InstallID} }

// Confirmable says whether a disk is confirmed in advance, by the value of --yes, or can be at
// a terminal.
func Confirmable(d plan.Disk, yes string, terminal bool) error {
	switch {
	case yes != "" && !d.Confirms(yes, true):
		return fmt.Errorf("--yes %s does not confirm %s, whose serial number is %q; nothing was written", yes, d.Name, d.Confirmation())
	case yes == "" && !terminal:
		return fmt.Errorf("there is no terminal to confirm %s at; add --yes and its serial number, which is %q", d.Name, d.Confirmation())
	}
	return nil
}

// Question asks for what confirms a disk, to do what the verb says.
func Question(verb string, d plan.Disk) string {
	what := "name"
	if d.Serial != "" {
		what = "serial number"
	}
	return fmt.Sprintf("\nTo %s, type the disk's %s, %s: ", verb, what, sketch.OneLine(d.Confirmation()))
}

// Write writes the disk, if it is still the one that the plan was made for. Of what goes wrong
// when the disk is complete already, note is told. progress may be nil.
func (s *Session) Write(ctx context.Context, progress func(write.Progress), note func(string)) (report write.Report, err error) {
	disk, err := write.Open(s.Plan.Disk)
	if err != nil {
		return report, err
	}
	written := false
	defer func() {
		if closeErr := disk.Close(written); written && closeErr != nil {
			note(closeErr.Error())
		} else {
			err = errors.Join(err, closeErr)
		}
	}()
	now, err := s.Machine.Again(s.Plan.Disk)
	if err != nil {
		return report, err
	}
	if err := s.Plan.Check(now); err != nil {
		return report, err
	}
	report, err = write.Run(ctx, disk, s.Job, progress)
	written = err == nil
	return report, err
}

// Verify looks at a disk as a whole, as package inspect does.
func Verify(ctx context.Context, m *disks.Machine, d plan.Disk) (findings []inspect.Finding, err error) {
	f, err := m.Open(d.Path)
	if err != nil {
		return nil, err
	}
	findings, err = inspect.Verify(ctx, f, d.SizeBytes)
	if err = errors.Join(err, f.Close()); err != nil {
		err = fmt.Errorf("verify %s: %w", d.Name, err)
	}
	return findings, err
}

// VerifyWritten says what is wrong with a disk that was just written.
func VerifyWritten(ctx context.Context, m *disks.Machine, d plan.Disk) error {
	findings, err := Verify(ctx, m, d)
	if err != nil {
		return err
	}
	if err := inspect.Problem(findings); err != nil {
		return fmt.Errorf("verify %s: %w; install it again; if that does not help, correct what is installed, or use another disk", d.Name, err)
	}
	return nil
}

// Done says in words what was installed.
func (s *Session) Done(report write.Report) string {
	return fmt.Sprintf("%s: RayOS is installed; %s were written, read back and compared\ndisk ID %s\ninstall ID %s\n",
		s.Plan.Disk.Name, sketch.Bytes(report.WrittenBytes), s.Plan.DiskID, s.InstallID)
}

// PrintSteps lists all that would be written, in order.
func PrintSteps(w io.Writer, steps []write.Step) error {
	if _, err := fmt.Fprintln(w, "\nThis would be written, in this order:"); err != nil {
		return err
	}
	for _, s := range steps {
		if _, err := fmt.Fprintln(w, sketch.OneLine(s.Name)); err != nil {
			return err
		}
		for _, e := range s.Extents {
			if _, err := fmt.Fprintf(w, "%16d to %16d  %10s\n", e.OffsetBytes, e.EndBytes()-1, sketch.Bytes(e.LengthBytes)); err != nil {
				return err
			}
		}
	}
	return nil
}
