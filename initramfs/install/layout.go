package install

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rayos/rayboot/gpt/sketch"
	"github.com/rayos/rayboot/installer/content"
	"github.com/rayos/rayboot/installer/layout"
	"github.com/rayos/rayboot/installer/plan"
)

// readLayout reads a file with a layout; without a name it is the standard one.
func readLayout[F fs.File](open func(string) (F, error), name string) (plan.Layout, error) {
	if name == "" {
		return nil, nil
	}
	f, err := open(name)
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	defer f.Close()
	wishes, err := layout.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return wishes, nil
}

// layoutSuffix ends the names of files with layouts.
const layoutSuffix = ".toml"

// layouts are the names of the layouts that a stick offers.
func layouts(stick fs.FS) (names []string, err error) {
	files, err := fs.ReadDir(stick, content.LayoutsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), layoutSuffix); ok && !f.IsDir() {
			names = append(names, name)
		}
	}
	return names, err
}

// chooseLayout asks for one of the layouts that the stick offers. Where it has none, there is
// nothing to ask.
func (i *Installer) chooseLayout(ask Ask) (plan.Layout, error) {
	stick, err := i.Boot.ESP()
	if err != nil {
		return nil, err
	}
	names, err := layouts(stick)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	i.say("\nThe stick has these layouts besides the standard one:")
	for _, name := range names {
		i.say("  " + sketch.OneLine(name))
	}
	answer, err := ask("Which one is to be used (Enter: the standard one)? ")
	switch {
	case err != nil || answer == "":
		return nil, err
	case !slices.Contains(names, answer):
		return nil, fmt.Errorf("the stick has no layout %s; %w", sketch.OneLine(answer), errBack)
	}
	return readLayout(stick.Open, path.Join(content.LayoutsDir, answer+layoutSuffix))
}
