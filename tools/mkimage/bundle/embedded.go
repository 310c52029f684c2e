//go:build bundled

package bundle

import _ "embed"

//go:embed BOOTX64.EFI
var bootManager []byte

//go:embed runtime.cpio.zst
var runtime []byte
