package record

// Status says what was found in the record's file.
type Status uint8

// The statuses.
const (
	Good     Status = iota // both copies are whole
	Degraded               // one copy is damaged, the other is used
	Lost                   // no copy can be used, or there is no file
	Foreign                // the record is of another installation
	Newer                  // a copy has a newer version: the file is never written
)

var statuses = [...]string{"good", "degraded", "lost", "foreign", "newer"}

func (s Status) String() string { return name(statuses[:], uint8(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Loaded is what was found in the record's file.
type Loaded struct {
	Record  Record // a new one where none can be used
	Status  Status
	Problem error // what is wrong; nil if all is well
}
