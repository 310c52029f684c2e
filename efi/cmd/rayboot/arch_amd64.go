package main

import (
	"debug/pe"

	"github.com/rayos/rayboot/esp"
)

// The machine, as boot entries and as images name it.
const (
	architecture = esp.X64
	peMachine    = pe.IMAGE_FILE_MACHINE_AMD64
)
