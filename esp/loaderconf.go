package esp

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MenuMode says whether the menu is shown.
type MenuMode int

// The modes of the menu (loader.conf(5), timeout).
const (
	MenuUnset    MenuMode = iota // loader.conf does not say
	MenuTimeout                  // shown for LoaderConf.TimeoutSeconds, not at all if that is 0
	MenuForce                    // shown until the user chooses
	MenuHidden                   // not shown unless a key is pressed; the same as a time of 0
	MenuDisabled                 // not shown whatever is pressed
)

// menuWords are the values of timeout that are no numbers.
var menuWords = map[string]MenuMode{
	"menu-force": MenuForce, "menu-hidden": MenuHidden, "menu-disabled": MenuDisabled,
}

// MaxTimeoutSeconds bounds the time for which the menu is shown; loader.conf may
// ask for more and gets this.
const MaxTimeoutSeconds = 1<<16 - 1

// LoaderConf holds what loader.conf says. The zero value says nothing.
type LoaderConf struct {
	Menu           MenuMode
	TimeoutSeconds int // 0 to MaxTimeoutSeconds; for MenuTimeout only

	// Default is a glob pattern for the ID of the default entry, in lower case; see
	// MatchID. It is empty if there is none.
	Default string

	NoEditor    bool   // the command line must not be edited
	ConsoleMode string // 0, 1, 2 ..., auto, max or keep; empty if loader.conf does not say
}

// keysOfOthers are keys of loader.conf(5) that ask for what this boot manager
// does not do. That is no problem to report.
var keysOfOthers = []string{
	"auto-entries", "auto-firmware", "auto-poweroff", "auto-reboot", "beep", "log-level", "random-seed-mode",
	"reboot-for-bitlocker", "reboot-on-error", "secure-boot-enroll", "secure-boot-enroll-action",
	"secure-boot-enroll-timeout-sec",
}

// maxLineProblems is how many lines of loader.conf are reported one by one.
const maxLineProblems = 16

// ParseLoaderConf reads loader.conf (loader.conf(5)) of at most [MaxConfBytes].
// The keys timeout, default, editor and console-mode are taken; if one is
// repeated, the last line counts. A line that cannot be used is reported and
// ignored, the rest counts.
func ParseLoaderConf(data []byte) (LoaderConf, []Problem) {
	var c LoaderConf
	if err := checkText(data); err != nil {
		return c, []Problem{{LoaderConfPath, fmt.Errorf("%w; it is ignored", err)}}
	}
	var problems []Problem
	for kv := range lines(data) {
		err := c.set(kv.key, kv.value)
		if err == nil || len(problems) > maxLineProblems {
			continue
		}
		if len(problems) == maxLineProblems {
			err = errors.New("more lines from here on cannot be used")
		}
		problems = append(problems, Problem{LoaderConfPath, fmt.Errorf("line %d: %w", kv.line, err)})
	}
	return c, problems
}

// set takes one line of loader.conf.
func (c *LoaderConf) set(key, value string) error {
	if value == "" {
		return fmt.Errorf("%s has no value; the line is ignored", key)
	}
	switch key {
	case "timeout":
		return c.setTimeout(value)
	case "default":
		return c.setDefault(value)
	case "editor":
		yes, err := parseBool(value)
		if err != nil {
			return fmt.Errorf("editor: %w; the line is ignored", err)
		}
		c.NoEditor = !yes
	case "console-mode":
		_, err := strconv.ParseUint(value, 10, 31)
		if err != nil && !slices.Contains([]string{"auto", "max", "keep"}, value) {
			return fmt.Errorf("console-mode %s is neither a number nor auto, max or keep; the line is ignored", quoted(value))
		}
		c.ConsoleMode = value
	default:
		if !slices.Contains(keysOfOthers, key) {
			return fmt.Errorf("unknown key %s; the line is ignored", quoted(key))
		}
	}
	return nil
}

func (c *LoaderConf) setTimeout(value string) error {
	if mode, ok := menuWords[value]; ok {
		c.Menu, c.TimeoutSeconds = mode, 0
		return nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("timeout %s is neither a number of seconds nor menu-force, menu-hidden or menu-disabled; the line is ignored", quoted(value))
	}
	c.Menu, c.TimeoutSeconds = MenuTimeout, int(min(n, MaxTimeoutSeconds))
	if n > MaxTimeoutSeconds {
		return fmt.Errorf("timeout is longer than %d s; that is taken instead", MaxTimeoutSeconds)
	}
	return nil
}

func (c *LoaderConf) setDefault(value string) error {
	if strings.HasPrefix(value, "@") {
		return fmt.Errorf("default %s %w; the first entry is the default", quoted(value), ErrUnsupported)
	}
	if strings.ContainsFunc(value, isUnprintable) {
		return fmt.Errorf("default %s has characters that no entry ID has; the line is ignored", quoted(value))
	}
	if err := checkPattern(value); err != nil {
		return fmt.Errorf("default %s: %w; the line is ignored", quoted(value), err)
	}
	c.Default = strings.ToLower(value)
	return nil
}

// parseBool reads a boolean of loader.conf(5).
func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, nil
	case "0", "no", "n", "false", "f", "off":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither yes nor no", quoted(s))
}

// FormatLoaderConf writes loader.conf, so that [ParseLoaderConf] gives back c. It
// fails if c holds what ParseLoaderConf would not take.
func FormatLoaderConf(c LoaderConf) ([]byte, error) {
	var b strings.Builder
	if c.Menu == MenuTimeout {
		fmt.Fprintf(&b, "timeout %d\n", c.TimeoutSeconds)
	}
	for word, mode := range menuWords {
		if c.Menu == mode {
			b.WriteString("timeout " + word + "\n")
		}
	}
	if c.Default != "" {
		b.WriteString("default " + c.Default + "\n")
	}
	if c.NoEditor {
		b.WriteString("editor no\n")
	}
	if c.ConsoleMode != "" {
		b.WriteString("console-mode " + c.ConsoleMode + "\n")
	}
	text := []byte(b.String())
	got, problems := ParseLoaderConf(text)
	if len(problems) > 0 {
		return nil, fmt.Errorf("format loader.conf: %w", problems[0].Err)
	}
	if got != c {
		return nil, fmt.Errorf("format loader.conf: %+v would be read as %+v", c, got)
	}
	return text, nil
}
