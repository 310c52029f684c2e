package commands

import (
	"slices"
	"testing"
)

func TestVerbs(t *testing.T) {
	for command, verb := range map[string]string{"bootmgr": "set-oneshot", "recovery": "restore", "watchdog": "policy", "log": "export"} {
		if verbs := Verbs(command); !slices.Contains(verbs, verb) {
			t.Errorf("%s has no %s: %v", command, verb, verbs)
		}
		if _, ok := All()[command]; !ok {
			t.Errorf("there is no command %s", command)
		}
	}
	if verbs := Verbs("ls"); verbs != nil {
		t.Errorf("ls has verbs: %v", verbs)
	}
}
