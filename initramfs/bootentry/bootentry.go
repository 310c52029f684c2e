// Package bootentry registers what was installed with the machine's firmware, so that it is
// started before all else: a variable Boot#### and its place in BootOrder (UEFI 2.10 §3.3).
// How these change is decided in package bootoption.
package bootentry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rayos/rayboot/efi/bootoption"
	"github.com/rayos/rayboot/esp"
	"github.com/rayos/rayboot/gpt"
	"github.com/rayos/rayboot/initramfs/efivar"
)

// Dir is where the firmware's variables are, below the machine's root.
const Dir = "sys/firmware/efi/efivars"

// title is what the firmware's menu shows.
const title = "RayOS"

// ErrNoVariables says that the firmware does not let its variables be changed. What was
// installed starts nevertheless, by the removable path, where the firmware looks for it.
var ErrNoVariables = errors.New("the firmware keeps no boot entries that this system can change")

// Register registers the boot manager on an ESP, whose disk has sectors of this size in
// bytes. former are the IDs of the partitions that the disk had before. It returns the name
// of the variable.
func Register(root string, p gpt.Partition, sectorSize int, former []gpt.GUID) (name string, err error) {
	dir := filepath.Join(root, Dir)
	numbers, err := options(dir)
	if err != nil {
		return "", err
	}
	sector := uint64(sectorSize)
	option := bootoption.Option{
		Active: true, Title: title, Path: `\` + strings.ReplaceAll(esp.ManagerPath, "/", `\`),
		Partition: bootoption.Partition{Number: uint32(p.Number), StartLBA: uint64(p.StartBytes) / sector, SizeLBA: uint64(p.SizeBytes) / sector, ID: p.ID},
	}
	order, err := bootOrder(dir)
	if err != nil {
		return "", err
	}
	change, err := bootoption.Register(option, read(dir, numbers), numbers, order, former)
	if err != nil {
		return "", err
	}
	if err := apply(dir, option, change); err != nil {
		return "", err
	}
	return bootoption.Name(change.Number), nil
}

// apply writes the option before the order that refers to it.
func apply(dir string, option bootoption.Option, c bootoption.Change) error {
	value, err := option.Encode()
	if err != nil {
		return err
	}
	if err := efivar.Write(dir, bootoption.Name(c.Number), efivar.Global, value); err != nil {
		return unchangeable(err)
	}
	var order []byte
	for _, n := range c.Order {
		order = binary.LittleEndian.AppendUint16(order, n)
	}
	if err := efivar.Write(dir, "BootOrder", efivar.Global, order); err != nil {
		return unchangeable(err)
	}
	for _, n := range c.Remove {
		if err := efivar.Remove(dir, bootoption.Name(n), efivar.Global); err != nil {
			return err
		}
	}
	return nil
}

// unchangeable tells variables that nobody can change from failures.
func unchangeable(err error) error {
	for _, e := range []error{fs.ErrPermission, unix.EROFS, unix.EINVAL, unix.ENOSYS, errors.ErrUnsupported} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrNoVariables, err)
		}
	}
	return err
}

// variable are the names of boot options in efivarfs.
var variable = regexp.MustCompile(`^Boot([0-9A-F]{4})-` + efivar.Global + `$`)

// options lists the numbers of the boot options.
func options(dir string) (numbers []uint16, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil, fmt.Errorf("%w: it was not started by UEFI, or %s is not mounted", ErrNoVariables, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("list EFI variables: %w", err)
	}
	for _, e := range entries {
		m := variable.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		n, err := strconv.ParseUint(m[1], 16, 16)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, uint16(n))
	}
	return numbers, nil
}

// read decodes the options. Those that cannot be read are somebody else's.
func read(dir string, numbers []uint16) map[uint16]bootoption.Option {
	all := map[uint16]bootoption.Option{}
	for _, n := range numbers {
		value, err := efivar.Read(dir, bootoption.Name(n), efivar.Global)
		if err != nil {
			continue
		}
		if o, err := bootoption.Decode(value); err == nil {
			all[n] = o
		}
	}
	return all
}

// bootOrder reads BootOrder; without the variable, or with half a number, what there is.
func bootOrder(dir string) (order []uint16, err error) {
	value, err := efivar.Read(dir, "BootOrder", efivar.Global)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for ; len(value) >= 2; value = value[2:] {
		order = append(order, binary.LittleEndian.Uint16(value))
	}
	return order, err
}
