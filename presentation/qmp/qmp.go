// Package qmp is a client of the QEMU Machine Protocol: it runs commands and hears events over one connection to a
// monitor. It owns the framing and the matching of answers to commands; which commands there are is the callers' business.
//
// QEMU, docs/interop/qmp-spec: every message is one line of JSON. A message of more than [MaxMessage] bytes ends the
// connection: what is at the other end may be a machine that has gone wrong.
package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// MaxMessage bounds one message of the monitor, in bytes. The longest that QEMU 10 sends, its own schema, has 0.3 MB.
const MaxMessage = 4 << 20

// Event is an asynchronous message of QEMU, such as RESET or SHUTDOWN.
type Event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// Error is QEMU's answer to a command that it could not do.
type Error struct {
	Class       string `json:"class"`
	Description string `json:"desc"`
}

func (e *Error) Error() string { return e.Description }

// Client is a connection in command mode. Its methods may be called from several goroutines.
type Client struct {
	conn    io.ReadWriteCloser
	onEvent func(Event)
	ended   chan struct{} // closed when nothing more can be read
	readErr error         // why; read only after ended

	mu      sync.Mutex // guards writing to conn and the fields below
	lastID  int
	waiting map[int]chan response
}

type request struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        int    `json:"id"`
}

type response struct {
	ID     int             `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *Error          `json:"error"`
	Event
}

// New takes a fresh connection to a monitor through its greeting into command mode. onEvent may be nil; it is called for
// every event, in order, by one goroutine that must not be held up. The client owns conn if the error is nil.
func New(conn io.ReadWriteCloser, onEvent func(Event)) (*Client, error) {
	if onEvent == nil {
		onEvent = func(Event) {}
	}
	c := &Client{conn: conn, onEvent: onEvent, ended: make(chan struct{}), waiting: map[int]chan response{}}
	messages := bufio.NewScanner(conn)
	messages.Buffer(make([]byte, 0, 4096), MaxMessage)
	var greeting struct {
		QMP *struct{} `json:"QMP"`
	}
	if err := next(messages, &greeting); err != nil {
		return nil, fmt.Errorf("read the monitor's greeting: %w", err)
	}
	if greeting.QMP == nil {
		return nil, errors.New("read the monitor's greeting: this is no QMP monitor")
	}
	go c.read(messages)
	if err := c.Execute(context.Background(), "qmp_capabilities", nil, nil); err != nil {
		return nil, err
	}
	return c, nil
}

// next decodes the next message. The end of the connection is io.EOF.
func next(messages *bufio.Scanner, to any) error {
	if !messages.Scan() {
		if err := messages.Err(); err != nil {
			return fmt.Errorf("message of the monitor: %w", err)
		}
		return io.EOF
	}
	if err := json.Unmarshal(messages.Bytes(), to); err != nil {
		return fmt.Errorf("message of the monitor: %w", err)
	}
	return nil
}

func (c *Client) read(messages *bufio.Scanner) {
	defer close(c.ended)
	for {
		var r response
		if c.readErr = next(messages, &r); c.readErr != nil {
			return
		}
		if r.Event.Name != "" {
			c.onEvent(r.Event)
			continue
		}
		c.mu.Lock()
		answer := c.waiting[r.ID]
		delete(c.waiting, r.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- r
		}
	}
}

// Execute runs one command and decodes what it returns into result, which may be nil. A refusal is an *[Error].
func (c *Client) Execute(ctx context.Context, command string, arguments, result any) error {
	id, answer, err := c.send(command, arguments)
	if err != nil {
		return fmt.Errorf("monitor command %s: %w", command, err)
	}
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	select {
	case r := <-answer:
		if r.Error != nil {
			return fmt.Errorf("monitor command %s: %w", command, r.Error)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(r.Return, result); err != nil {
			return fmt.Errorf("monitor command %s: %w", command, err)
		}
		return nil
	case <-c.ended:
		return fmt.Errorf("monitor command %s: %w", command, c.readErr)
	case <-ctx.Done():
		return fmt.Errorf("monitor command %s: %w", command, context.Cause(ctx))
	}
}

func (c *Client) send(command string, arguments any) (int, chan response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	line, err := json.Marshal(request{Execute: command, Arguments: arguments, ID: c.lastID})
	if err != nil {
		return 0, nil, err
	}
	answer := make(chan response, 1)
	c.waiting[c.lastID] = answer
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		delete(c.waiting, c.lastID)
		return 0, nil, err
	}
	return c.lastID, answer, nil
}

// Done returns a channel that is closed when the connection has ended, after the last event.
func (c *Client) Done() <-chan struct{} { return c.ended }

// Close ends the connection; QEMU itself goes on.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.ended
	return err
}
