// Package kmsg follows the kernel's log record by record, from the first that the
// kernel still has (Documentation/ABI/testing/dev-kmsg of Linux).
package kmsg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Record is one message of the kernel's log.
type Record struct {
	Priority int           // 0 emergency to 7 debug, as of syslog(3)
	Facility int           // 0: the kernel; others are of programs that write to the log
	Sequence uint64        // one more for each record
	Time     time.Duration // since the start of the machine
	Text     string
}

// maxRecord is more than the kernel returns for one record (PRINTKRB_RECORD_MAX).
const maxRecord = 16 << 10

// Parse reads what one read of /dev/kmsg returns. Lines behind the first, which
// name the device, are left out.
func Parse(b []byte) (r Record, err error) {
	head, rest, ok := bytes.Cut(b, []byte(";"))
	if !ok {
		return Record{}, errors.New("kernel log record: no text")
	}
	fields := strings.Split(string(head), ",")
	if len(fields) < 3 {
		return Record{}, fmt.Errorf("kernel log record: %d fields in front of the text, want 3 or more", len(fields))
	}
	prefix, err := strconv.ParseUint(fields[0], 10, 31)
	if err != nil {
		return Record{}, fmt.Errorf("kernel log record: priority: %w", err)
	}
	if r.Sequence, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return Record{}, fmt.Errorf("kernel log record: sequence: %w", err)
	}
	micros, err := strconv.ParseUint(fields[2], 10, 53)
	if err != nil {
		return Record{}, fmt.Errorf("kernel log record: time: %w", err)
	}
	text, _, _ := bytes.Cut(rest, []byte("\n"))
	r.Priority, r.Facility = int(prefix&7), int(prefix>>3)
	r.Time, r.Text = time.Duration(micros)*time.Microsecond, unescape(string(text))
	return r, nil
}

// unescape turns \x09 and its like, as which the kernel writes all that is not
// printable, back into characters.
func unescape(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		if strings.HasPrefix(s, `\x`) && len(s) >= 4 {
			if c, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				b.WriteByte(byte(c))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}

// Follow calls take for each record of the log at path, those that are there and
// those that come, until ctx ends; then it returns nil. lost is called with the
// number of records that were overwritten before they were read.
func Follow(ctx context.Context, path string, take func(Record), lost func(n uint64)) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("follow the kernel's log: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer func() {
		if stop() {
			f.Close()
		}
	}()
	buffer := make([]byte, maxRecord)
	var next uint64
	for began := false; ; {
		n, err := f.Read(buffer)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.EPIPE):
			continue // the record was overwritten; the next read is of the oldest that there is
		case err != nil:
			return fmt.Errorf("follow the kernel's log: %w", err)
		}
		r, err := Parse(buffer[:n])
		if err != nil {
			return err
		}
		if began && r.Sequence > next {
			lost(r.Sequence - next)
		}
		began, next = true, r.Sequence+1
		take(r)
	}
}
