package raylog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// messagesVariable sets the number of messages of TestManyMessages; a million is
// for a ring of the real size.
const messagesVariable = "RAYLOG_MESSAGES"

// history is what was said so far: a text can be calculated again.
type history struct {
	newest  uint64
	cleared uint64 // the sequence number at which the log was cleared
	epoch   uint32
}

// said is the entry with a sequence number.
func said(seq uint64) Entry {
	random := rand.New(rand.NewPCG(seq, 7))
	return Entry{
		Level: Level(1 + random.IntN(3)), Uptime: time.Duration(seq) * time.Millisecond, Wall: time.UnixMilli(int64(seq) + 1).UTC(),
		Source: fmt.Sprint("source", seq%7), Message: strings.Repeat("x", random.IntN(200)*random.IntN(2)) + fmt.Sprint(seq),
		Boot: BootID{byte(seq >> 16), byte(seq >> 8), 1},
	}
}

// TestManyMessages writes many messages with restarts between, and compares what
// is there with what was said.
func TestManyMessages(t *testing.T) {
	messages, slots := 100_000, 3000
	if s := os.Getenv(messagesVariable); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		messages, slots = n, realSlots
	}
	random := rand.New(rand.NewPCG(uint64(messages), 2))
	m, h := newMemory(slots), history{}
	restarts := 0
	for h.newest < uint64(messages) {
		r := open(t, m, slots, 1+random.IntN(2*MaxGroup))
		h.check(t, r, random.IntN(20) == 0)
		for range random.IntN(messages / 50) {
			if err := h.say(r, random.IntN(1000)); err != nil {
				t.Fatal(err)
			}
			m.reads = nil
		}
		h.newest = r.Written() // the machine is reset: what is only in memory is lost
		restarts++
	}
	h.check(t, open(t, m, slots, 1), true)
	t.Logf("%d messages, %.1f rounds of the ring, %d restarts", h.newest, float64(h.newest)/float64(slots), restarts)
}

// say appends the next message, or clears the log.
func (h *history) say(r *Ring, dice int) error {
	seq := r.Newest() + 1
	switch e := said(seq); {
	case dice == 0:
		h.cleared = seq
		h.epoch++
		return r.Clear(e)
	case dice < 20:
		if err := r.Append(e); err != nil {
			return err
		}
		return r.Flush()
	default:
		return r.Append(e)
	}
}

// check compares the log with what was said: its ends, or all of it.
func (h *history) check(t *testing.T, r *Ring, whole bool) {
	t.Helper()
	if r.Newest() != h.newest || !whole && r.Found().Whole {
		t.Fatalf("the newest is %d, want %d; %+v", r.Newest(), h.newest, r.Found())
	}
	q := Query{All: true}
	if !whole && h.newest > 100 {
		q.After = h.newest - 100
	}
	seq := max(q.After+1, r.Oldest())
	list, tally := all(r, q)
	for _, rec := range list {
		want := Record{Entry: said(seq), Sequence: seq, Log: testLog, Epoch: rec.Epoch, Clears: rec.Clears, ahead: rec.ahead}
		if rec != want || (rec.Epoch == h.epoch) != (seq >= h.cleared) || seq == h.cleared && !rec.Clears {
			t.Fatalf("%+v\nwant\n%+v in epoch %d from %d on", rec, want, h.epoch, h.cleared)
		}
		seq++
	}
	if seq != h.newest+1 || tally != (Tally{}) {
		t.Fatalf("%d records up to %d, want %d; %+v", len(list), seq-1, h.newest, tally)
	}
	if s := r.Stats(); whole && (s.Records != len(list) || s.UsedBytes != int64(len(list))*RecordBytes || s.Oldest != r.Oldest() || s.Newest != h.newest) {
		t.Fatalf("%+v of %d records", s, len(list))
	}
}
