package shell

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// asking asks a command what its last argument may become; words[0] is its name.
// files says that it may also be the name of a file.
type asking func(words []string) (candidates []string, files bool)

// completeVerb is how cobra commands are asked, by the scripts that cobra makes for
// other shells and by this one: the command line follows, the word to complete last.
const completeVerb = "__completeNoDesc"

// Bits of cobra's answer, the number behind the colon of its last line.
const (
	directiveError  = 1
	directiveNoFile = 4
)

// askTimeout is how long a command may think; Tab completes nothing then.
const askTimeout = 5 * time.Second

// askCommand asks those commands which can be asked. It is a process of its own, so
// that a disk that hangs does not hang the shell.
func askCommand(completes func(command string) bool) asking {
	return func(words []string) ([]string, bool) {
		if !completes(words[0]) {
			return nil, true
		}
		ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
		defer cancel()
		answer, err := exec.CommandContext(ctx, words[0], append([]string{completeVerb}, words[1:]...)...).Output()
		if err != nil {
			return nil, false // there is nothing that could be completed
		}
		return parseAnswer(string(answer))
	}
}

// parseAnswer reads candidates, one on a line, and then the directive.
func parseAnswer(answer string) (candidates []string, files bool) {
	lines := strings.Split(strings.TrimSuffix(answer, "\n"), "\n")
	last := len(lines) - 1
	number, ok := strings.CutPrefix(lines[last], ":")
	directive, err := strconv.Atoi(number)
	if !ok || err != nil || directive&directiveError != 0 {
		return nil, false
	}
	return lines[:last], directive&directiveNoFile == 0
}
