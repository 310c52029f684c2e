package virtqueue

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/rayos/rayboot/presentation"
	"github.com/rayos/rayboot/presentation/growth"
)

const (
	testSize = 8
	availAt  = 16 * testSize
	usedAt   = availAt + 64
	tableAt  = 1024
	ramBytes = 8192
)

// guest is a driver that writes what it likes.
type guest struct {
	ram []byte
	*Queue
}

func newGuest(t testing.TB, eventIdx bool) *guest {
	t.Helper()
	g := &guest{ram: make([]byte, ramBytes)}
	m, err := presentation.NewMemory([]presentation.Region{{Addr: 0, Bytes: g.ram}})
	if err != nil {
		t.Fatal(err)
	}
	d, a, u := Bytes(testSize)
	if g.Queue, err = New(m, testSize, g.ram[:d], g.ram[availAt:][:a], g.ram[usedAt:][:u], 0, eventIdx); err != nil {
		t.Fatal(err)
	}
	return g
}

// desc writes a descriptor into the table at an offset.
func (g *guest) desc(table, i int, addr uint64, size uint32, flags, next uint16) {
	d := g.ram[table+16*i:]
	binary.LittleEndian.PutUint64(d, addr)
	binary.LittleEndian.PutUint32(d[8:], size)
	binary.LittleEndian.PutUint16(d[12:], flags)
	binary.LittleEndian.PutUint16(d[14:], next)
}

func (g *guest) offer(head uint16) {
	idx := binary.LittleEndian.Uint16(g.ram[availAt+2:])
	binary.LittleEndian.PutUint16(g.ram[availAt+4+2*(int(idx)%testSize):], head)
	binary.LittleEndian.PutUint16(g.ram[availAt+2:], idx+1)
}

func (g *guest) usedEvent(v uint16) {
	binary.LittleEndian.PutUint16(g.ram[availAt+4+2*testSize:], v)
}

func TestChains(t *testing.T) {
	g := newGuest(t, true)
	var c Chain
	if ok, err := g.Next(&c); ok || err != nil {
		t.Fatalf("an empty ring: %v, %v", ok, err)
	}
	g.desc(0, 3, 4096, 10, descNext, 5)
	g.desc(0, 5, 5000, 20, descWrite, 0)
	g.desc(tableAt, 0, 4096, 30, descNext, 1)
	g.desc(tableAt, 1, 6000, 40, descWrite, 0)
	g.desc(0, 1, tableAt, 32, descIndirect, 0)
	g.offer(3)
	g.offer(1)
	for _, want := range []struct {
		head    uint16
		out, in int
	}{{3, 10, 20}, {1, 30, 40}} {
		ok, err := g.Next(&c)
		if !ok || err != nil || c.Head != want.head || len(c.Out) != 1 || len(c.Out[0]) != want.out || len(c.In) != 1 || len(c.In[0]) != want.in {
			t.Fatalf("chain %+v, %v, %v; want %+v", c, ok, err, want)
		}
		g.Done(c.Head, 7)
	}
	if got := binary.LittleEndian.Uint16(g.ram[usedAt+2:]); got != 2 {
		t.Errorf("%d chains are given back", got)
	}
	if g.usedEvent(5); g.Signal() {
		t.Error("signals what the driver does not wait for")
	}
	g.offer(3)
	if !g.Rest() {
		t.Error("a chain that came before Rest was not seen")
	}
	if _, err := g.Next(&c); err != nil {
		t.Fatal(err)
	}
	g.Done(c.Head, 0)
	if g.usedEvent(2); !g.Signal() || g.Signal() {
		t.Error("signals something else than once")
	}
	if g.Rest() || binary.LittleEndian.Uint16(g.ram[usedAt+4+8*testSize:]) != 3 {
		t.Error("the driver was not asked to kick at chain 3")
	}
}

func TestSignalWithoutEventIndex(t *testing.T) {
	g := newGuest(t, false)
	g.Done(0, 0)
	if !g.Signal() || g.Signal() {
		t.Error("signals something else than once")
	}
	g.ram[availAt] = noInterrupt
	if g.Done(0, 0); g.Signal() {
		t.Error("signals a driver that asked not to be told")
	}
}

func TestAttacks(t *testing.T) {
	for name, attack := range map[string]func(g *guest){
		"a loop":            func(g *guest) { g.desc(0, 0, 4096, 4, descNext, 0) },
		"a loop in a table": func(g *guest) { g.desc(0, 0, tableAt, 16, descIndirect, 0); g.desc(tableAt, 0, 4096, 4, descNext, 0) },
		"a table in a table": func(g *guest) {
			g.desc(0, 0, tableAt, 16, descIndirect, 0)
			g.desc(tableAt, 0, tableAt, 16, descIndirect, 0)
		},
		"next behind a table": func(g *guest) {
			g.desc(0, 0, tableAt, 16, descIndirect|descNext, 1)
			g.desc(tableAt, 0, 4096, 4, 0, 0)
		},
		"half a table":       func(g *guest) { g.desc(0, 0, tableAt, 24, descIndirect, 0) },
		"no table":           func(g *guest) { g.desc(0, 0, tableAt, 0, descIndirect, 0) },
		"a table outside":    func(g *guest) { g.desc(0, 0, ramBytes, 16, descIndirect, 0) },
		"memory outside":     func(g *guest) { g.desc(0, 0, ramBytes-1, 2, 0, 0) },
		"memory wraps":       func(g *guest) { g.desc(0, 0, ^uint64(0), 4096, 0, 0) },
		"next outside":       func(g *guest) { g.desc(0, 0, 4096, 4, descNext, testSize) },
		"read behind write":  func(g *guest) { g.desc(0, 0, 4096, 4, descWrite|descNext, 1); g.desc(0, 1, 4096, 4, 0, 0) },
		"head outside":       func(g *guest) { binary.LittleEndian.PutUint16(g.ram[availAt+4:], testSize) },
		"more than the ring": func(g *guest) { binary.LittleEndian.PutUint16(g.ram[availAt+2:], testSize) },
	} {
		g := newGuest(t, true)
		attack(g)
		g.offer(binary.LittleEndian.Uint16(g.ram[availAt+4:]))
		var c Chain
		if ok, err := g.Next(&c); !errors.Is(err, ErrRing) {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// FuzzQueue gives the device arbitrary rings: it ends, and hands out nothing
// that is not the guest's.
func FuzzQueue(f *testing.F) {
	g := newGuest(f, true)
	g.desc(0, 0, 4096, 10, descNext, 1)
	g.desc(0, 1, 5000, 20, descWrite, 0)
	g.offer(0)
	f.Add(g.ram[:1200], true)
	f.Add([]byte{}, false)
	var w growth.Watch
	f.Fuzz(func(t *testing.T, ram []byte, eventIdx bool) {
		hostileRing(t, ram, eventIdx)
		w.Step(t)
	})
}

// TestNoGrowth is what FuzzQueue does, for a while.
func TestNoGrowth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var w growth.Watch
	seed := newGuest(t, true)
	seed.desc(0, 0, 4096, 10, descNext, 1)
	seed.desc(0, 1, 5000, 20, descWrite, 0)
	seed.offer(0)
	for i := range 3 * growth.Every {
		hostileRing(t, growth.Mutate(random, seed.ram[:1200]), i%2 == 0)
		w.Step(t)
	}
}

// hostileRing is a driver that has written what it likes.
func hostileRing(t *testing.T, ram []byte, eventIdx bool) {
	t.Helper()
	g := newGuest(t, eventIdx)
	copy(g.ram, ram)
	var c Chain
	for n := 0; ; n++ {
		ok, err := g.Next(&c)
		if err != nil || !ok {
			break
		}
		if n > testSize+65536 {
			t.Fatal("a ring without an end")
		}
		total := 0
		for _, b := range append(c.Out, c.In...) {
			if len(b) == 0 || len(b) > ramBytes {
				t.Fatalf("a piece of %d bytes", len(b))
			}
			total += len(b)
		}
		if len(c.Out)+len(c.In) > MaxChain || total > MaxChain*ramBytes {
			t.Fatalf("%d pieces of %d bytes", len(c.Out)+len(c.In), total)
		}
		g.Done(c.Head, 0) // which may write over the rings, as the guest has put them there
		g.Signal()
		g.Rest()
		if n > 3*testSize {
			break // a ring that overwrites itself goes on for ever, one round at a time
		}
	}
}
