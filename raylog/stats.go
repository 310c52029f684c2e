package raylog

// Stats are numbers of a log.
type Stats struct {
	CapacityBytes int64  `json:"capacityBytes"`
	UsedBytes     int64  `json:"usedBytes"` // places in which something of this log lies
	Records       int    `json:"records"`   // that can be read
	Current       int    `json:"current"`   // of these, since the log was last cleared
	Boots         int    `json:"boots"`     // that these records are of
	Oldest        uint64 `json:"oldest"`    // the lowest sequence number that can be read, 0 if there is none
	Newest        uint64 `json:"newest"`    // the highest one
	Tally
}

// Stats reads the whole log and counts.
func (r *Ring) Stats() Stats {
	d := r.Reader(Query{All: true})
	return Count(r.CapacityBytes(), d.Next, d.Tally)
}

// Count counts what a reader of all records has, the oldest first.
func Count(capacityBytes int64, next func() (Record, bool), tally func() Tally) Stats {
	s := Stats{CapacityBytes: capacityBytes}
	boots, epoch := map[BootID]bool{}, uint32(0)
	for rec, ok := next(); ok; rec, ok = next() {
		if rec.Epoch != epoch {
			epoch, s.Current = rec.Epoch, 0
		}
		if s.Records == 0 {
			s.Oldest = rec.Sequence
		}
		s.Newest = rec.Sequence
		s.Records++
		s.Current++
		boots[rec.Boot] = true
	}
	s.Boots, s.Tally = len(boots), tally()
	s.UsedBytes = int64(s.Records+s.Damaged+s.Newer) * RecordBytes
	return s
}
