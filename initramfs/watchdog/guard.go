package watchdog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rayos/rayboot/markers"
)

// Source is the timer of a machine.
type Source struct {
	Module string // that drives it
	Open   func() (Timer, error)
}

// Config is what a [Guard] needs of the machine. None of its functions may call
// the guard.
type Config struct {
	Now  func() time.Duration        // monotonic
	Find func() (Source, error)      // the timer that is to be used
	Say  func(text string)           // writes a line for people
	Emit func(m markers.Emitter)     // writes a marker
	Act  func(o Orders, dead []Dead) // does what is to be done when time is up
}

// Guard keeps the watchdog of the machine. Its methods may be called by several
// goroutines.
type Guard struct {
	config Config

	mu       sync.Mutex
	machine  Machine
	services Services
	timer    Timer  // nil while it is not open
	module   string // that drives it
	kicked   bool   // that it is fed was said
	unfed    bool   // that it cannot be fed was said
	ending   bool   // the machine ends in order: nobody is watched any more
}

// New returns a guard that watches nothing yet.
func New(c Config) *Guard { return &Guard{config: c} }

// period is the time between two looks at the services. While all are alive, each
// feeds the timer.
const period = 2 * time.Second

// Run keeps the timer fed until the context ends.
func (g *Guard) Run(ctx context.Context) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.Tick()
		}
	}
}

// Tick looks at the services, and feeds the timer or does what is to be done.
func (g *Guard) Tick() {
	if orders, dead, act := g.look(); act {
		g.config.Act(orders, dead)
	}
}

func (g *Guard) look() (Orders, []Dead, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.config.Now()
	dead := g.services.Dead(now)
	switch g.tick(now, len(dead) == 0) {
	case Feed:
		g.feed(markers.KickedFirst)
	case Act:
		orders, act := g.machine.Begin(now)
		g.expired(orders, dead)
		return orders, dead, act
	}
	return Orders{}, nil, false
}

func (g *Guard) tick(now time.Duration, alive bool) Action {
	if g.ending {
		return Wait
	}
	return g.machine.Tick(now, alive)
}

// feed feeds the timer, and says so the first time or when somebody asked for it.
func (g *Guard) feed(why markers.KickReason) {
	if err := g.timer.Feed(); err != nil {
		if !g.unfed {
			g.config.Say(err.Error())
		}
		g.unfed = true
		return
	}
	g.unfed = false
	if !g.kicked || why != markers.KickedFirst {
		g.config.Emit(markers.WatchdogKicked{Device: g.module, Reason: why})
	}
	g.kicked = true
}

// expired says that time is up, and leaves the timer as the orders need it.
func (g *Guard) expired(o Orders, dead []Dead) {
	g.config.Emit(markers.WatchdogExpired{
		Service: dead[0].Name, Policy: g.machine.Policy().String(), Count: g.machine.Timeouts(), Limit: FailAfter,
	})
	switch {
	case o.Halt:
		g.stop()
	case o.Fed():
		if err := g.timer.Feed(); err != nil {
			g.config.Say(err.Error())
		}
	}
}

// stop stops the timer. One that does not stop is as good as armed for ever.
func (g *Guard) stop() {
	err := g.timer.Stop()
	g.timer = nil
	if err != nil {
		g.config.Say(err.Error())
	}
}

// ErrLate is the error of changes after time is up.
var ErrLate = errors.New("it is too late: the watchdog has expired and resets the machine")

// ErrDisarmed is the error of feeding a watchdog that is not armed.
var ErrDisarmed = errors.New("the watchdog is not armed")

// Arm opens the timer and begins to feed it. One that is armed is fed.
func (g *Guard) Arm(why markers.ArmReason) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.machine.late() || g.ending {
		return ErrLate
	}
	if err := g.open(); err != nil {
		return err
	}
	g.machine.Arm(g.config.Now())
	g.setTimeout(g.machine.Wanted())
	g.config.Emit(markers.WatchdogArmed{Device: g.module, Seconds: int(g.machine.Timeout() / time.Second), Reason: why})
	return nil
}

func (g *Guard) open() error {
	if g.timer != nil {
		return nil
	}
	source, err := g.config.Find()
	if err != nil {
		return err
	}
	if g.timer, err = source.Open(); err != nil {
		g.timer = nil
		return err
	}
	g.module, g.kicked, g.unfed = source.Module, false, false
	return nil
}

// setTimeout has the timer count so long. One that cannot keeps its own time-out.
func (g *Guard) setTimeout(d time.Duration) {
	actual, err := g.timer.SetTimeout(d)
	if err != nil {
		g.config.Say(err.Error())
	}
	g.machine.SetActual(actual)
}

// Disarm stops the timer.
func (g *Guard) Disarm() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.machine.Disarm() {
		return ErrLate
	}
	if g.timer == nil {
		return nil
	}
	err := g.timer.Stop()
	g.timer = nil
	return err
}

// Kick feeds the timer, and says so.
func (g *Guard) Kick() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.machine.late() {
		return ErrLate
	}
	if !g.machine.Kick(g.config.Now()) {
		return ErrDisarmed
	}
	g.feed(markers.KickedCommand)
	return nil
}

// SetPolicy says what is to be done when time is up.
func (g *Guard) SetPolicy(p Policy) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.machine.SetPolicy(p) {
		return ErrLate
	}
	return nil
}

// Count says how many time-outs there were since the last good boot, which decides
// on the time-out.
func (g *Guard) Count(timeouts int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.machine.Wanted()
	g.machine.Count(timeouts)
	if wanted := g.machine.Wanted(); wanted != before && !g.ending && g.machine.Kick(g.config.Now()) {
		g.setTimeout(wanted)
	}
}

// Watch begins to watch a service; see [Services.Watch].
func (g *Guard) Watch(name string, deadline time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.services.Watch(name, deadline, g.config.Now())
}

// Forget ends the watch of a service.
func (g *Guard) Forget(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.services.Forget(name)
}

// Beat is a service's sign of life.
func (g *Guard) Beat(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.services.Beat(name, g.config.Now())
}

// endTimeout is how long the machine may take to end in order.
const endTimeout = 2 * time.Minute

// BeginEnd says that the machine ends in order. The services may end; the timer is
// fed for the last time and resets a machine that does not come to its end.
func (g *Guard) BeginEnd() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = true
	if g.machine.Kick(g.config.Now()) {
		g.setTimeout(endTimeout)
	}
}
