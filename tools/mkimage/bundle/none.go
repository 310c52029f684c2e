//go:build !bundled

package bundle

var bootManager, runtime []byte
