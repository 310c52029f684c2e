package esp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Reasons for which a Type #1 entry is refused.
var (
	ErrNoImage     = errors.New("has no linux, efi or uki line")
	ErrUnsupported = errors.New("is not supported")
)

// ParseType1 reads a Type #1 entry (UAPI BLS §Type #1 Boot Loader Entry Keys) of
// at most [MaxConfBytes]. fileName is the name of its file without directories.
//
// Keys: title, version, machine-id, sort-key, linux, efi, uki, initrd and options
// (any number of each, in order), devicetree, architecture, x-rayos-*. If linux,
// efi and uki are mixed, or a key is repeated, the last line counts. Unknown keys
// and keys without a value are ignored, as the specification wants it; only
// profile is refused unless 0, because it would boot something else.
func ParseType1(fileName string, data []byte) (Entry, error) {
	e := Entry{Kind: Type1}
	name, err := ParseFileName(fileName)
	if err != nil {
		return Entry{}, err
	}
	if err := checkText(data); err != nil {
		return Entry{}, err
	}
	e.setFileName(name)
	for kv := range lines(data) {
		if kv.value == "" {
			continue
		}
		if err := e.set(kv.key, kv.value); err != nil {
			return Entry{}, fmt.Errorf("line %d: %s: %w", kv.line, kv.key, err)
		}
	}
	if e.Image() == "" && len(e.Private) == 0 {
		return Entry{}, ErrNoImage
	}
	return e, nil
}

// set takes one line of a Type #1 entry.
func (e *Entry) set(key, value string) error {
	switch key {
	case "title":
		e.Title = printable(value)
	case "version":
		e.Version = printable(value)
	case "machine-id":
		e.MachineID = printable(value)
	case "sort-key":
		e.SortKey = printable(value)
	case "architecture":
		e.Architecture = Architecture(printable(value))
	case "options":
		return e.addOptions(value)
	case "profile":
		if value != "0" {
			return fmt.Errorf("profile %s of a unified kernel image %w", quoted(value), ErrUnsupported)
		}
	case "linux", "efi", "uki", "initrd", "devicetree":
		return e.setPath(key, value)
	default:
		if strings.HasPrefix(key, PrivatePrefix) {
			e.Private = append(e.Private, Private{printable(key), printable(value)})
		}
	}
	return nil
}

func (e *Entry) setPath(key, value string) error {
	path, err := cleanPath(value)
	if err != nil {
		return err
	}
	switch key {
	case "linux":
		e.Linux, e.EFI, e.UKI = path, "", ""
	case "efi":
		e.Linux, e.EFI, e.UKI = "", path, ""
	case "uki":
		e.Linux, e.EFI, e.UKI = "", "", path
	case "initrd":
		e.Initrd = append(e.Initrd, path)
	case "devicetree":
		e.DeviceTree = path
	}
	return nil
}

// addOptions appends to the command line. Tabs separate words of a command line
// as spaces do, so they become that.
func (e *Entry) addOptions(value string) error {
	value = strings.ReplaceAll(value, "\t", " ")
	if !utf8.ValidString(value) || strings.ContainsFunc(value, isUnprintable) {
		return fmt.Errorf("command line %s has characters that cannot be shown", quoted(value))
	}
	if e.Options != "" {
		e.Options += " "
	}
	e.Options += value
	return nil
}

// FormatType1 writes a Type #1 entry, so that [ParseType1] with the same file
// name gives back its keys. It fails for an entry that ParseType1 would refuse or
// read differently, as one whose title has a line break.
func FormatType1(e Entry) ([]byte, error) {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", key, value)
		}
	}
	path := func(key, value string) {
		if value != "" {
			line(key, "/"+value)
		}
	}
	line("title", e.Title)
	line("version", e.Version)
	line("machine-id", e.MachineID)
	line("sort-key", e.SortKey)
	line("architecture", string(e.Architecture))
	path("linux", e.Linux)
	path("efi", e.EFI)
	path("uki", e.UKI)
	for _, initrd := range e.Initrd {
		path("initrd", initrd)
	}
	path("devicetree", e.DeviceTree)
	line("options", e.Options)
	for _, p := range e.Private {
		line(p.Key, p.Value)
	}
	text := []byte(b.String())
	if err := checkFormatted(e, text); err != nil {
		return nil, fmt.Errorf("format entry %s: %w", printable(e.ID), err)
	}
	return text, nil
}

// checkFormatted reads text back and compares.
func checkFormatted(e Entry, text []byte) error {
	got, err := ParseType1("x"+suffixType1, text)
	if err != nil {
		return err
	}
	if !sameKeys(e, got) {
		return errors.New("a value has a line break, leading or trailing space or characters that cannot be shown")
	}
	return nil
}

// sameKeys reports whether two Type #1 entries have the same lines.
func sameKeys(a, b Entry) bool {
	return a.Title == b.Title && a.Version == b.Version && a.MachineID == b.MachineID && a.SortKey == b.SortKey &&
		a.Linux == b.Linux && a.EFI == b.EFI && a.UKI == b.UKI && slices.Equal(a.Initrd, b.Initrd) &&
		a.Options == b.Options && a.DeviceTree == b.DeviceTree && a.Architecture == b.Architecture &&
		slices.Equal(a.Private, b.Private)
}
