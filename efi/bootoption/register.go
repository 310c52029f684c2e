package bootoption

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rayos/rayboot/gpt"
)

// ErrFull says that no number is free for another boot option.
var ErrFull = errors.New("the firmware has no room for another boot option")

// Change is how the variables become: the option goes to a number, and the numbers that the
// firmware tries are in another order.
type Change struct {
	Number uint16
	Order  []uint16
	// Remove are further options for the same place, which would be started twice.
	Remove []uint16
}

// Register puts an option before all others. options are those that there are, by number, as
// far as they can be read; order is BootOrder, used are the numbers of all variables Boot####.
// An option for the same file is replaced if it is on the same partition, or on one of the
// former ones that the disk had before it was partitioned anew. All others stay as they are.
func Register(o Option, options map[uint16]Option, used, order []uint16, former []gpt.GUID) (Change, error) {
	var ours []uint16
	for _, number := range slices.Sorted(maps.Keys(options)) {
		p := options[number].Partition
		same := !p.ID.IsZero() && (p.ID == o.Partition.ID || slices.Contains(former, p.ID))
		if same && strings.EqualFold(options[number].Path, o.Path) {
			ours = append(ours, number)
		}
	}
	if len(ours) == 0 {
		n, err := free(used)
		if err != nil {
			return Change{}, err
		}
		ours = []uint16{n}
	}
	c := Change{Number: ours[0], Remove: ours[1:], Order: []uint16{ours[0]}}
	for _, n := range order {
		if !slices.Contains(ours, n) {
			c.Order = append(c.Order, n)
		}
	}
	return c, nil
}

// free finds a number that no variable has.
func free(used []uint16) (uint16, error) {
	for n := range 1 << 16 {
		if !slices.Contains(used, uint16(n)) {
			return uint16(n), nil
		}
	}
	return 0, ErrFull
}

// Name is the name of the variable that holds the option with a number, such as Boot000A
// (UEFI 2.10 §3.3).
func Name(number uint16) string { return fmt.Sprintf("Boot%04X", number) }
