package commands

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rayos/rayboot/bootmenu"
	"github.com/rayos/rayboot/initramfs/livedisk"
)

// checkColumns wants output that fits a screen of 80 columns.
func checkColumns(t *testing.T, line, output string) {
	t.Helper()
	for text := range strings.Lines(output) {
		if len(strings.TrimSuffix(text, "\n")) > 80 {
			t.Errorf("%s: more than 80 columns: %s", line, text)
		}
	}
}

// TestHelps reads the help of every command made with cobra, and of all its verbs.
func TestHelps(t *testing.T) {
	for name, c := range All() {
		if !c.Completes {
			continue
		}
		for _, args := range append([][]string{{}}, verbsOf(t, name)...) {
			line := name + " " + strings.Join(args, " ")
			status, help := runBare(c, name, append(args, "--help")...)
			if status != 0 || !strings.Contains(help, "Usage:\n") {
				t.Errorf("%s: status %d, %s", line, status, help)
			}
			checkColumns(t, line, help)
			if len(args) == 0 && (!strings.Contains(help, "Examples:\n") || !strings.Contains(help, exitStatuses)) {
				t.Errorf("%s: no examples, or no exit statuses:\n%s", line, help)
			}
		}
	}
}

// verbsOf asks a command for its verbs, as the shell does at Tab.
func verbsOf(t *testing.T, name string) (verbs [][]string) {
	t.Helper()
	_, answer := runBare(All()[name], name, "__completeNoDesc", "")
	for line := range strings.Lines(answer) {
		if verb := strings.TrimSpace(line); !strings.HasPrefix(verb, ":") && verb != "help" {
			verbs = append(verbs, []string{verb})
		}
	}
	return verbs
}

// runBare runs a command that needs nothing of the machine.
func runBare(c Command, name string, args ...string) (status int, stdout string) {
	var out, errs bytes.Buffer
	status = c.main(&env{name: name, args: args, stdout: &out, stderr: &errs})
	return status, out.String()
}

// TestTabAsks looks at what commands answer when the shell asks them. The shell
// drops what does not begin as the word does.
func TestTabAsks(t *testing.T) {
	root, id := bootDiskBelow(t)
	for line, want := range map[string]string{
		"log e":                    "export\n:4\n",
		"log show --l":             "--last\n--level\n:4\n",
		"log show --level w":       "trace\ndebug\ninfo\nwarn\nerror\nfatal\n:4\n",
		"log export --format c":    "text\njson\ncsv\n:4\n",
		"log level ":               "trace\ndebug\ninfo\nwarn\nerror\nfatal\n:4\n",
		"watchdog policy h":        "auto-reboot\ndump-then-reboot\nrecovery-boot\nhalt\n:4\n",
		"bootmgr set-default ":     "rayos\nother\n:4\n",
		"bootmgr list ":            ":4\n",
		"bootmgr recovery ":        "on\noff\n:4\n",
		"recovery restore ":        bootmenu.ShortID(id) + "\n:4\n",
		"recovery restore 1 ":      "rayos\nother\n:4\n",
		"stages --j":               "--json\n:4\n",
		"services --j":             "--json\n:4\n",
		"recovery drop --yes what": bootmenu.ShortID(id) + "\n:4\n",
	} {
		words := strings.Split(line, " ")
		var out, errs bytes.Buffer
		status := All()[words[0]].main(&env{
			name: words[0], args: append([]string{"__completeNoDesc"}, words[1:]...), stdout: &out, stderr: &errs,
			disk: func(ctx context.Context) (*livedisk.Disk, error) { return livedisk.Open(ctx, root, writableMount{}) },
		})
		if status != 0 || out.String() != want {
			t.Errorf("%s: status %d, %q, want %q; %s", line, status, out.String(), want, &errs)
		}
	}
}

func TestOnlyCobraCommandsAreAsked(t *testing.T) {
	for name, want := range map[string]bool{"log": true, "bootmgr": true, "ls": false, "grep": false, "nonsense": false} {
		if Completes(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
