package watchdog

import (
	"fmt"
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

// String returns the status for people, in lines.
func (s Status) String() string {
	lines := []string{
		"[RAYOS_WATCHDOG] Status:",
		"State: " + s.State,
		fmt.Sprintf("Timeout: %d ms", s.Timeout),
		fmt.Sprintf("Time Remaining: %d ms", s.Remaining),
		fmt.Sprintf("Consecutive Failures: %d", s.Failures),
		"Device: " + orNone(s.Device),
		"Policy: " + s.Policy,
		"Services: " + orNone(strings.Join(s.Services, ", ")),
	}
	if len(s.Dead) > 0 {
		lines = append(lines, "Dead: "+strings.Join(s.Dead, ", "))
	}
	return strings.Join(lines, "\n")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
