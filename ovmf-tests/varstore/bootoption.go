package varstore

import (
	"encoding/binary"

	"github.com/rayos/rayboot/efi/bootoption"
)

// BootOption returns the variable Boot#### of that number, with a command line as the data that the program gets.
func BootOption(number uint16, o bootoption.Option, commandLine string) (Variable, error) {
	if commandLine != "" {
		o.Data = UTF16(commandLine)
	}
	data, err := o.Encode()
	return Variable{Name: bootoption.Name(number), Vendor: GlobalVariable, Attributes: NonVolatile, Data: data}, err
}

// BootOrder returns the variable BootOrder (UEFI 2.10 §3.3).
func BootOrder(numbers ...uint16) Variable {
	var data []byte
	for _, n := range numbers {
		data = binary.LittleEndian.AppendUint16(data, n)
	}
	return Variable{Name: "BootOrder", Vendor: GlobalVariable, Attributes: NonVolatile, Data: data}
}
