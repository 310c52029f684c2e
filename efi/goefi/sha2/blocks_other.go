//go:build !amd64

package sha2

// hasExtensions is false where crypto/sha256 needs no help.
func hasExtensions() bool { return false }

func digestBlocks(*[8]uint32, []byte) { panic("sha2: this processor's extensions are not used") }
