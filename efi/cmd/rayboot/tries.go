package main

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/rayos/rayboot/esp"
)

// countTry counts one try down in the name of the entry's file, and tells the
// system that is going to be started which file it is to bless (Boot Loader
// Interface, LoaderBootCountPath).
func (m *manager) countTry(id string) error {
	from := m.files[id]
	name, err := esp.ParseFileName(path.Base(from))
	if err != nil {
		return fmt.Errorf("count a try of %s: %w", id, err)
	}
	next, ok := name.NextTry()
	if !ok {
		// A person starts an entry without tries: there is nothing to count.
		return m.setBootCountPath(from)
	}
	to := path.Join(path.Dir(from), next.String())
	if err := m.volume.files.Rename(from, to); err != nil {
		return errors.Join(fmt.Errorf("count a try of %s: %w", id, err), m.setBootCountPath(from))
	}
	m.files[id] = to
	if source, ok := m.sources[id].(fileSource); ok && source.image == from {
		source.image = to // a unified kernel image is the entry's file itself
		m.sources[id] = source
	}
	return m.setBootCountPath(to)
}

func (m *manager) setBootCountPath(file string) error {
	return m.setLoaderStrings(map[string]string{"LoaderBootCountPath": `\` + strings.ReplaceAll(file, "/", `\`)})
}
