package markers

import "strconv"

const log = "RAYOS_LOG"

var logOpened = define(Definition{
	Subsystem: log, Name: "OPENED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The persistent log is open. What was said before is in it too.",
	Fields: []FieldDefinition{
		{Key: "capacity", Number: true, Meaning: "records that it has room for, of 4096 bytes each"},
		{Key: "head", Number: true, Meaning: "sequence number of the newest record when it was opened; 0: it was empty"},
		{Key: "reads", Number: true, Meaning: "records that were read to find the newest"},
	},
	Example: LogOpened{Capacity: 32768, Head: 4711, Reads: 31},
})

// LogOpened: the persistent log is open.
type LogOpened struct {
	Capacity int    // records
	Head     uint64 // sequence number of the newest record, 0 for none
	Reads    int    // records that were read to find it
}

// Marker implements [Emitter].
func (o LogOpened) Marker() Marker {
	return logOpened.marker(strconv.Itoa(o.Capacity), strconv.FormatUint(o.Head, 10), strconv.Itoa(o.Reads))
}

var logVolatile = define(Definition{
	Subsystem: log, Name: "VOLATILE", EmittedBy: EmittedByRuntime, Since: "0.2", Alarm: true,
	Meaning: "The log is in memory only: the disk has no place for it, or cannot be written. It ends with the machine.",
	Fields:  []FieldDefinition{{Key: "reason", Meaning: "why, for people"}},
	Example: LogVolatile{Reason: "open /dev/vda2: no such device"},
})

// LogVolatile: the log is in memory only.
type LogVolatile struct{ Reason string }

// Marker implements [Emitter].
func (v LogVolatile) Marker() Marker { return logVolatile.marker(v.Reason) }

var logExported = define(Definition{
	Subsystem: log, Name: "EXPORTED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "Records of the log were written out in full.",
	Fields: []FieldDefinition{
		{Key: "records", Number: true, Meaning: "how many"},
		{Key: "format", Meaning: "in which format", Values: []string{"json", "csv", "text"}},
	},
	Example: LogExported{Records: 4711, Format: "json"},
})

// LogExported: records of the log were written out.
type LogExported struct {
	Records int
	Format  string // json, csv or text
}

// Marker implements [Emitter].
func (e LogExported) Marker() Marker { return logExported.marker(strconv.Itoa(e.Records), e.Format) }

var logCleared = define(Definition{
	Subsystem: log, Name: "CLEARED", EmittedBy: EmittedByRuntime, Since: "0.2",
	Meaning: "The log was cleared: older records are shown only to who asks for all.",
	Example: LogCleared{},
})

// LogCleared: the log was cleared.
type LogCleared struct{}

// Marker implements [Emitter].
func (LogCleared) Marker() Marker { return logCleared.marker() }
