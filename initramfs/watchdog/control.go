package watchdog

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rayos/rayboot/markers"
)

// Request is one thing that is asked of the guard.
type Request struct {
	Verb   string `json:"verb"`             // one of the constants
	Policy string `json:"policy,omitempty"` // of VerbPolicy: the name of the policy, or empty to change nothing
}

// The verbs. Each is answered with how things stand then.
const (
	VerbStatus = "status"
	VerbArm    = "arm"
	VerbDisarm = "disarm"
	VerbKick   = "kick"
	VerbPolicy = "policy"
)

// Answer is how things stand after a request.
type Answer struct {
	Problem string `json:"problem,omitempty"` // why it was not done; empty if it was
	Status  Status `json:"status"`
}

// Serve answers requests until the listener is closed.
func (g *Guard) Serve(l *Listener) {
	for {
		c, err := l.accept()
		if errors.Is(err, errClosed) {
			return
		}
		if err != nil {
			g.config.Say(fmt.Sprintf("command watchdog: %v", err))
			return
		}
		go g.serve(c)
	}
}

// serve answers one connection. Who does not listen gets no answer.
func (g *Guard) serve(c *connection) {
	defer c.Close()
	message, err := c.receive()
	if err != nil {
		return
	}
	if answer, err := json.Marshal(g.answer(message)); err == nil {
		_ = c.send(answer)
	}
}

// answer does what a message asks for.
func (g *Guard) answer(message []byte) Answer {
	var request Request
	err := json.Unmarshal(message, &request)
	if err == nil {
		err = g.do(request)
	}
	answer := Answer{Status: g.Status()}
	if err != nil {
		answer.Problem = err.Error()
	}
	return answer
}

func (g *Guard) do(r Request) error {
	switch r.Verb {
	case VerbStatus:
		return nil
	case VerbArm:
		return g.Arm(markers.ArmedCommand)
	case VerbDisarm:
		return g.Disarm()
	case VerbKick:
		return g.Kick()
	case VerbPolicy:
		if r.Policy == "" {
			return nil
		}
		p, err := ParsePolicy(r.Policy)
		if err != nil {
			return err
		}
		return g.SetPolicy(p)
	}
	return fmt.Errorf("the watchdog knows no %q", r.Verb)
}

// Ask asks process 1 and returns how things stand then. The error is why it was
// not done, or that nobody answers.
func Ask(root string, r Request) (Status, error) {
	answer, err := ask(root, r)
	if err != nil {
		return Status{}, fmt.Errorf("ask process 1: %w", err)
	}
	if answer.Problem != "" {
		return answer.Status, errors.New(answer.Problem)
	}
	return answer.Status, nil
}

func ask(root string, r Request) (answer Answer, err error) {
	message, err := json.Marshal(r)
	if err != nil {
		return Answer{}, err
	}
	c, err := dial(root)
	if err != nil {
		return Answer{}, err
	}
	defer c.Close()
	if err := c.send(message); err != nil {
		return Answer{}, err
	}
	if message, err = c.receive(); err != nil {
		return Answer{}, err
	}
	err = json.Unmarshal(message, &answer)
	return answer, err
}
