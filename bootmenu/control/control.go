// Package control owns what operators ask of the boot manager: the commands
// bootmgr and recovery. The runtime's shell runs them on the machine that is up,
// rayimg on disks and images; both are a [Machine], and all else is here, so that
// an answer is the same on both sides. It is pure.
package control

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/rayos/rayboot/bootmenu/record"
	"github.com/rayos/rayboot/golden"
	"github.com/rayos/rayboot/gpt/slots"
)

// Machine is a disk of RayOS: of the machine that is up, or in an image.
type Machine interface {
	// ESP returns the EFI System Partition.
	ESP() (fs.FS, error)
	// Slots returns the table of kernel slots and the partition that they lie in;
	// without slots if there is none.
	Slots() (slots.Table, io.ReaderAt, error)
	// Load reads the boot-state record.
	Load() (record.Loaded, error)
	// Update changes the record and makes it durable; change reports whether there
	// is anything to change, and Update reports the same.
	Update(change func(record.Record) (record.Record, bool)) (changed bool, err error)
	// Default returns the default entry that was set in the machine's EFI variables,
	// which wins over the record's; empty if there is none, or no machine.
	Default() (string, error)
	// ForgetDefault removes it.
	ForgetDefault() error
	// GoldenKey returns the key that the boot manager wants golden snapshots to be
	// signed with, nil if it wants no signature.
	GoldenKey() (ed25519.PublicKey, error)
}

// Store is the store of golden snapshots of the machine that is up.
type Store interface {
	golden.Volume
	// Replace replaces a file of the ESP with all of content or not at all.
	Replace(name string, content []byte) error
	// Snapshot takes a golden snapshot of the system that runs, and reports whether
	// there was none of it yet.
	Snapshot() (s golden.Snapshot, made bool, err error)
}

// Call is one use of a command.
type Call struct {
	Machine Machine
	Store   Store     // nil on an image: verbs that change snapshots are not for it
	Args    []string  // behind the verb
	JSON    bool      // for machines
	Yes     bool      // do not ask
	Out     io.Writer // for the answer
	// Ask asks a person and returns the answer; nil where nobody can be asked.
	Ask func(question string) (string, error)
}

// Command is a verb of bootmgr or recovery.
type Command struct {
	Name   string
	Args   string // as usage shows them, such as "ENTRY"
	Short  string // one line
	Alive  bool   // it is for the machine that is up, and needs a Store
	Writes bool   // it changes the record
	Asks   bool   // it changes what cannot be brought back, and asks before
	Run    func(*Call) error

	least, most int // arguments
}

// ErrUsage is in the chain of errors about the arguments.
var ErrUsage = errors.New("wrong usage")

// CheckArgs reports what is wrong with the number of arguments.
func (c *Command) CheckArgs(args []string) error {
	if n := len(args); n < c.least || n > c.most {
		return fmt.Errorf("%w: %s wants %s", ErrUsage, c.Name, orNothing(c.Args))
	}
	return nil
}

// Do runs the command.
func (c *Command) Do(call *Call) error {
	if err := c.CheckArgs(call.Args); err != nil {
		return err
	}
	return c.Run(call)
}

func orNothing(args string) string {
	if args == "" {
		return "no arguments"
	}
	return args
}

// Find returns the command with a name, nil if there is none.
func Find(commands []Command, name string) *Command {
	if i := slices.IndexFunc(commands, func(c Command) bool { return c.Name == name }); i >= 0 {
		return &commands[i]
	}
	return nil
}

// say prints a line for people. With JSON it prints nothing: the answer is an
// object then.
func (c *Call) say(format string, args ...any) error {
	_, err := fmt.Fprintf(c.Out, format+"\n", args...)
	return err
}

// done answers a command that changes something.
func (c *Call) done(changed bool, what string) error {
	if c.JSON {
		return printJSON(c.Out, struct {
			Changed bool   `json:"changed"`
			Text    string `json:"text"`
		}{changed, what})
	}
	return c.say("%s", what)
}

var errNobody = errors.New("nobody can be asked here: add --yes to do it without asking")

// confirm asks whether something that cannot be brought back is to be done.
func (c *Call) confirm(what string) error {
	if c.Yes {
		return nil
	}
	if c.Ask == nil {
		return errNobody
	}
	answer, err := c.Ask(what + " Type yes to do it: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was done: the answer was not yes")
	}
	return nil
}
