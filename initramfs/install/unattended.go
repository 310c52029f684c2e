package install

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rayos/rayboot/installer/answers"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/plan"
)

// ErrAgain says that this very stick has installed the disk before.
var ErrAgain = errors.New("this stick has installed it already")

// Unattended installs as the stick's file of answers says, and returns what is to happen then.
// A disk that this stick has installed already is not installed again: a machine whose
// firmware starts the stick before the disk would never come to an end.
func (i *Installer) Unattended(ctx context.Context) (then string, err error) {
	disk, then, err := i.unattended(ctx)
	return then, i.failed(disk, err)
}

func (i *Installer) unattended(ctx context.Context) (disk, then string, err error) {
	files, err := i.Boot.ESP()
	if err != nil {
		return "", "", err
	}
	f, err := files.Open(content.AnswersPath)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	a, err := answers.Read(f)
	if err != nil {
		return "", "", err
	}
	list, err := i.Machine.List()
	if err != nil {
		return "", "", err
	}
	i.Detected(list)
	target, err := a.Choose(list.Disks, len(list.More) > 0)
	if err != nil {
		return "", "", err
	}
	if err := i.again(target); err != nil {
		return target.Name, "", err
	}
	if _, err := i.carryOut(ctx, target, a.Layout, a.Consent, nil); err != nil {
		return target.Name, "", err
	}
	return target.Name, a.Then, nil
}

// again refuses a disk that was installed from this stick.
func (i *Installer) again(d plan.Disk) error {
	if len(d.Content.GUIDTable.Partitions) == 0 {
		return nil
	}
	f, err := i.Machine.Open(d.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if from := content.Origin(f, d.Content.GUIDTable); from == "" || !strings.EqualFold(from, i.Boot.InstallID()) {
		return nil
	}
	return fmt.Errorf("%s: %w, so nothing was written; remove the stick, or install by hand", d.Name, ErrAgain)
}
