// Command bench-log measures the runtime's persistent log beside what the device
// can do, in the same run and by turns: durable appends beside synchronous writes
// of 4 KiB, grouped appends beside plain large writes. The log and the plain writes
// have a file each, of the log's real size, written once before. Each way is
// measured in many short turns, so that what else the machine does hits all of
// them; the median counts.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rayos/rayboot/gpt/slots"
	"github.com/rayos/rayboot/raylog"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench-log:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench-log", flag.ContinueOnError)
	flags.SetOutput(stderr)
	folder := flags.String("dir", ".", "folder on the device that is measured")
	turns := flags.Int("turns", 100, "how often each way is measured")
	capacity := flags.Int("capacity", slots.LogBytes/raylog.RecordBytes, "records that the log has room for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *turns < 1 || *capacity < grouped {
		return fmt.Errorf("at least one turn is needed, and a log that has room for %d records", grouped)
	}
	dir, err := os.MkdirTemp(*folder, ".bench-log-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{
		logPath: filepath.Join(dir, "log"), plainPath: filepath.Join(dir, "plain"),
		sizeBytes: int64(*capacity) * raylog.RecordBytes,
	}
	r, err := b.run(*turns)
	if err != nil {
		return err
	}
	return r.report(stdout)
}
