package watchdog

import (
	"fmt"
	"io"
	"strings"
)

// Status is how things stand, for people and programs. Times are in milliseconds.
type Status struct {
	State     string   `json:"state"`
	Device    string   `json:"device"` // the module that drives the timer; empty before it was armed
	Policy    string   `json:"policy"`
	Timeout   int64    `json:"timeoutMilliseconds"`
	Remaining int64    `json:"remainingMilliseconds"` // until the timer resets the machine, if it is not fed
	Failures  int      `json:"consecutiveFailures"`   // time-outs in a row
	Services  []string `json:"services"`              // who must be alive
	Dead      []string `json:"dead"`                  // those that are not
}

// Status tells how things stand.
func (g *Guard) Status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.config.Now()
	s := Status{
		State: g.machine.State().String(), Device: g.module, Policy: g.machine.Policy().String(),
		Timeout: g.machine.Timeout().Milliseconds(), Remaining: g.machine.Remaining(now).Milliseconds(),
		Failures: g.machine.Timeouts(), Services: g.services.Names(), Dead: []string{},
	}
	for _, d := range g.services.Dead(now) {
		s.Dead = append(s.Dead, d.Name)
	}
	return s
}

// Write writes the status for people.
func (s Status) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "[RAYOS_WATCHDOG] Status:\nState: %s\nTimeout: %d ms\nTime Remaining: %d ms\nConsecutive Failures: %d\n",
		s.State, s.Timeout, s.Remaining, s.Failures)
	fmt.Fprintf(&b, "Device: %s\nPolicy: %s\nServices: %s\n", orNone(s.Device), s.Policy, orNone(strings.Join(s.Services, ", ")))
	if len(s.Dead) > 0 {
		fmt.Fprintf(&b, "Dead: %s\n", strings.Join(s.Dead, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
