package inspect

import (
	"fmt"
	"io"
	"slices"

	"github.com/rayos/rayboot/gpt/sketch"
)

// Finding is one problem of a disk. Code is stable and meant for programs: it
// begins with gpt-, fat-, esp-, slot-, boot-state-, golden-, log- or guest-. Text is for people.
type Finding struct {
	Code    string `json:"code"`
	Text    string `json:"text"`
	Warning bool   `json:"warning,omitempty"` // nobody needs to do anything about it
}

// Problem is the first finding that is not a warning, nil where there is none.
func Problem(findings []Finding) error {
	i := slices.IndexFunc(findings, func(f Finding) bool { return !f.Warning })
	if i < 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", findings[i].Code, findings[i].Text)
}

// Print writes a line for each finding, and one for the disk of that name.
func Print(w io.Writer, name string, findings []Finding) error {
	problems, warnings := 0, 0
	for _, f := range findings {
		warning := ""
		if f.Warning {
			warning = "warning: "
			warnings++
		} else {
			problems++
		}
		if _, err := fmt.Fprintf(w, "%s: %s%s\n", f.Code, warning, sketch.OneLine(f.Text)); err != nil {
			return err
		}
	}
	summary := plural(problems, "problem")
	if warnings > 0 {
		summary += ", " + plural(warnings, "warning")
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", name, summary)
	return err
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
