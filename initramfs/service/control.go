package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rayos/rayboot/initramfs/packet"
)

// SocketPath is where process 1 listens for the command services, below the machine's
// root.
const SocketPath = "run/rayos/services.sock"

// Verbs of a [Request].
const (
	VerbList    = "list"
	VerbAdd     = "add" // and start it
	VerbStart   = "start"
	VerbStop    = "stop"
	VerbRestart = "restart"
	VerbRemove  = "remove"
)

// Request asks a supervisor to do something.
type Request struct {
	Verb   string      `json:"verb"`
	Name   string      `json:"name,omitempty"`   // of the service
	Define *Definition `json:"define,omitempty"` // for VerbAdd
}

type answer struct {
	Error  string  `json:"error,omitempty"`
	States []State `json:"states"`
}

// answerTimeout is how long a supervisor works on an answer; who asks waits for 10 s.
const answerTimeout = 8 * time.Second

// Answer does what is asked for and tells how the services stand.
func (s *Supervisor) Answer(question []byte) []byte {
	var r Request
	err := json.Unmarshal(question, &r)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
		defer cancel()
		err = s.do(ctx, r)
	}
	text, err := json.Marshal(answer{text(err), s.States()})
	if err != nil {
		panic(err) // states can be marshalled
	}
	if len(text) > packet.MaxBytes {
		return []byte(`{"error":"there are too many services for one answer"}`)
	}
	return text
}

func (s *Supervisor) do(ctx context.Context, r Request) error {
	switch r.Verb {
	case VerbList:
		return nil
	case VerbAdd:
		if r.Define == nil {
			return errors.New("no service is defined")
		}
		if err := s.Add(r.Define.Spec()); err != nil {
			return err
		}
		return s.Start(r.Define.Name)
	case VerbStart:
		return s.Start(r.Name)
	case VerbStop:
		return s.Stop(ctx, r.Name)
	case VerbRestart:
		return s.Restart(ctx, r.Name)
	case VerbRemove:
		return s.Remove(ctx, r.Name)
	}
	return fmt.Errorf("there is no request %q", r.Verb)
}

// Ask asks process 1 of the machine below root, and returns how its services stand.
func Ask(root string, r Request) ([]State, error) {
	question, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	text, err := packet.Ask(filepath.Join(root, SocketPath), question)
	if err != nil {
		return nil, err
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("answer of process 1: %w", err)
	}
	if a.Error != "" {
		return a.States, errors.New(a.Error)
	}
	return a.States, nil
}
