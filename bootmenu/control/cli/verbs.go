package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rayos/rayboot/bootmenu/control"
)

// Side is where the verbs of package control are run.
type Side struct {
	// Operand is what stands before a verb's own arguments, such as "DISK"; empty
	// on the machine that is up, which is the only one that has a [control.Store].
	Operand string
	// Open opens the machine; operand is empty where there is none. Where it fails,
	// nothing is left to be closed.
	Open func(cmd *cobra.Command, operand string, writes bool) (call *control.Call, done func() error, err error)
}

// Add adds the verbs that can be run on this side to a command.
func (s Side) Add(cmd *cobra.Command, verbs []control.Command) {
	for _, verb := range verbs {
		if !verb.Alive || s.Operand == "" {
			cmd.AddCommand(s.command(verb))
		}
	}
}

// operands is how many arguments stand before the verb's own.
func (s Side) operands() int {
	if s.Operand == "" {
		return 0
	}
	return 1
}

func (s Side) command(verb control.Command) *cobra.Command {
	var asJSON, yes bool
	cmd := &cobra.Command{
		Use:   strings.Join(strings.Fields(verb.Name+" "+s.Operand+" "+verb.Args), " "),
		Short: Sentence(verb.Short),
		Args:  cobra.MinimumNArgs(s.operands()),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			operand, args := s.split(args)
			if err := verb.CheckArgs(args); err != nil {
				return err
			}
			call, done, err := s.Open(cmd, operand, verb.Writes)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			call.Args, call.JSON, call.Yes, call.Out = args, asJSON, yes, cmd.OutOrStdout()
			return verb.Do(call)
		},
		ValidArgsFunction: s.completion(verb),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	if verb.Asks {
		cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do it without asking")
	}
	return cmd
}

func (s Side) split(args []string) (operand string, rest []string) {
	n := s.operands()
	return strings.Join(args[:n], ""), args[n:]
}

// completion completes what a verb's usage names: an entry, a snapshot, or one of
// some words.
func (s Side) completion(verb control.Command) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		names := strings.Fields(strings.Map(dropBrackets, verb.Args))
		at := len(args) - s.operands()
		switch {
		case at < 0:
			return nil, cobra.ShellCompDirectiveDefault // the operand is a file
		case at >= len(names):
			return nil, cobra.ShellCompDirectiveNoFileComp
		case strings.Contains(names[at], "|"):
			return strings.Split(names[at], "|"), cobra.ShellCompDirectiveNoFileComp
		}
		operand, _ := s.split(args)
		call, done, err := s.Open(cmd, operand, false)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		list := control.EntryIDs
		if names[at] == "SNAPSHOT" {
			list = control.SnapshotIDs
		}
		ids, err := list(call.Machine)
		if errors.Join(err, done()) != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

func dropBrackets(r rune) rune {
	if slices.Contains([]rune("[]"), r) {
		return -1
	}
	return r
}

// Sentence begins a text with a capital letter, as the help of a command has it.
func Sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
