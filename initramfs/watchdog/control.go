package watchdog

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rayos/rayboot/initramfs/packet"
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

// SocketPath is where process 1 listens for the command watchdog, below the
// machine's root. A [Request] in JSON is answered by an [Answer].
const SocketPath = "run/rayos/watchdog.sock"

// Listen makes the socket below root.
func Listen(root string) (*packet.Listener, error) {
	l, err := packet.Listen(filepath.Join(root, SocketPath))
	if err != nil {
		return nil, fmt.Errorf("command watchdog: %w", err)
	}
	return l, nil
}

// Serve answers requests until the listener is closed.
func (g *Guard) Serve(l *packet.Listener) {
	err := l.Serve(func(message []byte) []byte {
		answer, err := json.Marshal(g.answer(message))
		if err != nil {
			panic(err) // an Answer can be marshalled
		}
		return answer
	})
	if err != nil {
		g.config.Say(fmt.Sprintf("command watchdog: %v", err))
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
	question, err := json.Marshal(r)
	if err != nil {
		return Status{}, err
	}
	message, err := packet.Ask(filepath.Join(root, SocketPath), question)
	if err != nil {
		return Status{}, err
	}
	var answer Answer
	if err := json.Unmarshal(message, &answer); err != nil {
		return Status{}, fmt.Errorf("answer of process 1: %w", err)
	}
	if answer.Problem != "" {
		return answer.Status, errors.New(answer.Problem)
	}
	return answer.Status, nil
}
