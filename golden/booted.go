package golden

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Booted is what the boot manager tells the system that it starts about itself:
// what was verified and runs.
type Booted struct {
	Title    string
	Snapshot Digest // ID of the golden snapshot that was started; zero if none was
	Kernel   BootedPart
	Initrd   BootedPart // LengthBytes 0: there is none
	Options  string
}

// BootedPart is where a kernel or an initrd came from, and what it was.
type BootedPart struct {
	Paths       []string // slash paths on the ESP; several are joined, each padded with zeros to a multiple of 4 bytes
	Slot        int      // kernel slot, with no Paths
	OffsetBytes int64    // within partition 2, with no Paths
	LengthBytes int64
	SHA256      Digest // of all of it
}

// MaxBootedBytes bounds the text form.
const MaxBootedBytes = 8192

// errBooted is in the chain of the errors of ParseBooted.
var errBooted = errors.New("what the boot manager says of itself cannot be read")

// fields are the parts of the text form, in order.
func (b *Booted) fields() []field {
	return append(append([]field{
		{"TITLE", textValue{&b.Title}},
		{"SNAPSHOT", digestValue{&b.Snapshot}},
		{"OPTIONS", textValue{&b.Options}},
	}, b.Kernel.fields("KERNEL_")...), b.Initrd.fields("INITRD_")...)
}

func (p *BootedPart) fields(prefix string) []field {
	return []field{
		{prefix + "PATHS", pathsValue{&p.Paths}},
		{prefix + "SLOT", intValue{&p.Slot}},
		{prefix + "OFFSET", int64Value{&p.OffsetBytes}},
		{prefix + "BYTES", int64Value{&p.LengthBytes}},
		{prefix + "SHA256", digestValue{&p.SHA256}},
	}
}

type field struct {
	key   string
	value interface {
		String() string
		parse(string) error
	}
}

type (
	textValue   struct{ p *string }
	pathsValue  struct{ p *[]string }
	digestValue struct{ p *Digest }
	intValue    struct{ p *int }
	int64Value  struct{ p *int64 }
)

func (v textValue) String() string   { return *v.p }
func (v pathsValue) String() string  { return strings.Join(*v.p, "|") } // no FAT name has a bar
func (v digestValue) String() string { return v.p.String() }
func (v intValue) String() string    { return strconv.Itoa(*v.p) }
func (v int64Value) String() string  { return strconv.FormatInt(*v.p, 10) }

func (v textValue) parse(s string) error { *v.p = s; return nil }

func (v pathsValue) parse(s string) error {
	if s != "" {
		*v.p = strings.Split(s, "|")
	}
	return nil
}

func (v digestValue) parse(s string) (err error) { *v.p, err = ParseDigest(s); return err }
func (v intValue) parse(s string) (err error)    { *v.p, err = strconv.Atoi(s); return err }
func (v int64Value) parse(s string) (err error) {
	*v.p, err = strconv.ParseInt(s, 10, 64)
	if err == nil && *v.p < 0 {
		err = errors.New("is negative")
	}
	return err
}

// Encode is the text form: a line KEY=VALUE for each field, in a fixed order. A
// line break within a value becomes a space.
func (b Booted) Encode() string {
	var text strings.Builder
	for _, f := range b.fields() {
		value := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' || r == 0 {
				return ' '
			}
			return r
		}, f.value.String())
		text.WriteString(f.key + "=" + value + "\n")
	}
	return text.String()
}

// ParseBooted reads what Encode writes.
func ParseBooted(text string) (b Booted, err error) {
	if len(text) > MaxBootedBytes {
		return Booted{}, fmt.Errorf("%w: %d bytes, at most %d are possible", errBooted, len(text), MaxBootedBytes)
	}
	rest := text
	for _, f := range b.fields() {
		line, after, ok := strings.Cut(rest, "\n")
		value, found := strings.CutPrefix(line, f.key+"=")
		if !ok || !found {
			return Booted{}, fmt.Errorf("%w: %s is missing", errBooted, f.key)
		}
		if err := f.value.parse(value); err != nil {
			return Booted{}, fmt.Errorf("%w: %s: %w", errBooted, f.key, err)
		}
		rest = after
	}
	if rest != "" {
		return Booted{}, fmt.Errorf("%w: something follows %s", errBooted, "the last line")
	}
	return b, nil
}
