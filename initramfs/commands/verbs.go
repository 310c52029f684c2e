package commands

import (
	"maps"
	"slices"

	"github.com/rayos/rayboot/bootmenu/control"
)

// Verbs returns the verbs of a command, for completion; nil if it has none.
func Verbs(command string) []string {
	switch command {
	case "bootmgr":
		return verbNames(control.Bootmgr())
	case "recovery":
		return verbNames(control.Recovery())
	case "watchdog":
		var names []string
		for _, v := range watchdogVerbs {
			names = append(names, v.name)
		}
		return names
	case "log":
		return slices.Sorted(maps.Keys(logVerbs))
	}
	return nil
}

func verbNames(verbs []control.Command) (names []string) {
	for _, v := range verbs {
		names = append(names, v.Name)
	}
	return names
}
