// Package icount counts the instructions that a guest executes in QEMU's software emulation, by a plugin that is compiled on the
// spot. The count hardly depends on what else the host does, as time would.
package icount

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed plugin/icount.c
var source []byte

// Where things lie in the plugin's file, in numbers of eight bytes.
const (
	atCount    = 0
	atMarks    = 1
	firstMark  = 2
	numberSize = 8
)

// Counter counts the instructions of one machine at a time, which must have one processor.
type Counter struct {
	plugin, file string
}

// New compiles the plugin in folder, where its file will be too. It needs gcc.
func New(ctx context.Context, folder string) (*Counter, error) {
	c := &Counter{plugin: filepath.Join(folder, "icount.so"), file: filepath.Join(folder, "count")}
	cmd := exec.CommandContext(ctx, "gcc", "-O2", "-shared", "-fPIC", "-x", "c", "-o", c.plugin, "-")
	cmd.Stdin = bytes.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the counting plugin: %w %s", err, out)
	}
	return c, nil
}

// Arguments make a QEMU with -accel tcg count. The count begins at 0 when it starts.
func (c *Counter) Arguments() []string { return []string{"-plugin", c.plugin + ",count=" + c.file} }

// Now returns the count so far.
func (c *Counter) Now() (uint64, error) {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return 0, fmt.Errorf("read the count: %w", err)
	}
	if len(data) < firstMark*numberSize {
		return 0, errors.New("read the count: the plugin has not written it")
	}
	return number(data, atCount), nil
}

// Marks returns the count at each mark, an instruction that plugin/icount.c describes. What more marks there are than the
// plugin's file has room for is an error.
func (c *Counter) Marks() ([]uint64, error) {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return nil, fmt.Errorf("read the marks: %w", err)
	}
	return marks(data)
}

func marks(data []byte) ([]uint64, error) {
	room := len(data)/numberSize - firstMark
	if room < 0 {
		return nil, errors.New("read the marks: the plugin has not written them")
	}
	n := number(data, atMarks)
	if n > uint64(room) {
		return nil, fmt.Errorf("read the marks: there are %d, the plugin keeps %d", n, room)
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = number(data, firstMark+i)
	}
	return all, nil
}

func number(data []byte, index int) uint64 {
	return binary.NativeEndian.Uint64(data[index*numberSize:])
}
