package kernel

const (
	// timeSlice is how long a thread may keep the processor while others are runnable, in ns.
	timeSlice = 10_000_000

	// haltAbove is the shortest wait for which the processor is halted, in ns. A halt ends with the firmware's timer tick,
	// usually every 10 ms, so a shorter wait would overshoot.
	haltAbove = 12_000_000
)

// schedule gives the processor to the next runnable thread in turn, idling until there is one.
func (k *Kernel) schedule() {
	start := k.current
	for {
		now := k.Machine.Now()
		k.wakeExpired(now)
		next := forever
		for step := 1; step <= MaxThreads; step++ {
			i := (start + step) % MaxThreads
			t := k.thread(i)
			if t.state == runnable {
				k.switchTo(i, now)
				return
			}
			if t.state != unused {
				next = min(next, t.deadline)
			}
		}
		if next == forever {
			k.Fatal("goefi: all threads wait for ever; the program ends\n")
			return
		}
		k.idle(now, next)
	}
}

func (k *Kernel) switchTo(i int, now uint64) {
	if i != k.current {
		k.stats.Switches++
	}
	k.current, k.since = i, now
}

// idle passes time until about the given deadline, or less.
func (k *Kernel) idle(now, deadline uint64) {
	if deadline > now+haltAbove {
		k.Machine.Wait()
	} else {
		k.Machine.Window()
	}
	k.stats.Idle += k.Machine.Now() - now
}

// wakeExpired makes the threads runnable whose deadline has passed, and reports whether there were any.
func (k *Kernel) wakeExpired(now uint64) bool {
	woken := false
	for i := range k.threads {
		t := &k.threads[i]
		if t.state <= runnable || t.deadline > now {
			continue
		}
		result := int64(0)
		if t.state == onFutex {
			result = errTimedOut
		}
		k.wake(i, result)
		woken = true
	}
	return woken
}

// Tick is to be called after the firmware has served an interrupt that arrived in Go code.
func (k *Kernel) Tick() {
	k.stats.Interrupts++
	now := k.Machine.Now()
	if k.wakeExpired(now) || now-k.since > timeSlice {
		k.schedule()
	}
	k.Settle()
}

// Settle is the last step before Go code continues: memory for faults at awkward moments is in hand, signals are delivered.
func (k *Kernel) Settle() {
	if k.exiting {
		return
	}
	k.refill()
	k.deliver()
}
