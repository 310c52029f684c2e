package commands

import (
	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control/cli"
)

// exitStatuses ends the help of the commands of this machine.
const exitStatuses = "\n\nExit status: 0 done, 1 not done, 2 wrong usage, 130 interrupted."

// fromCobra makes a command of a cobra command, of which the shell learns what Tab
// completes. create only builds: the machine is for the functions that cobra runs.
// This is how a command gets verbs, options of more than one letter, or --json.
func fromCobra(summary string, create func(e *env) *cobra.Command) Command {
	return Command{Summary: summary, Completes: true, run: func(e *env) error {
		root := create(e)
		root.Short = cli.Sentence(summary)
		if root.Long == "" {
			root.Long = root.Short + "."
		}
		root.Long += exitStatuses
		root.CompletionOptions.DisableDefaultCmd = true // the shell of this machine asks without a script
		cli.Finish(root)
		root.SetArgs(append([]string{}, e.args...)) // nil would be the arguments of the process
		root.SetIn(e.stdin)
		root.SetOut(e.stdout)
		root.SetErr(e.stderr)
		return root.Execute()
	}}
}

// jsonFlag adds the option --json.
func jsonFlag(cmd *cobra.Command, asJSON *bool, usage string) {
	cmd.Flags().BoolVar(asJSON, "json", false, usage)
}

// oneOf completes one of some words.
func oneOf(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// complete completes the value of an option.
func complete(cmd *cobra.Command, option string, words []string) {
	if err := cmd.RegisterFlagCompletionFunc(option, oneOf(words...)); err != nil {
		panic(err) // the command has no such option
	}
}
