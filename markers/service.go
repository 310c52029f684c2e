package markers

import "strconv"

var serviceFailed = define(Definition{
	Subsystem: "RAYOS_SERVICE", Name: "FAILED", EmittedBy: EmittedByRuntime, Since: "0.2", Alarm: true,
	Meaning: "A service has ended and is not started again, as its restart policy or its limit forbids it. If it is critical and the boot was not good yet, the boot has failed and the machine restarts.",
	Fields: []FieldDefinition{
		{Key: "service", Meaning: "name of the service"},
		{Key: "critical", Meaning: "whether the machine is of no use without it", Values: []string{"yes", "no"}},
		{Key: "starts", Number: true, Meaning: "how often it was started in this boot"},
		{Key: "reason", Meaning: "how it ended"},
	},
	Example: ServiceFailed{Service: "guest:linux", Starts: 5, Reason: "exit status 1"},
})

// ServiceFailed: a service has ended and is not started again.
type ServiceFailed struct {
	Service  string // its name
	Critical bool   // the machine is of no use without it
	Starts   int    // how often it was started in this boot
	Reason   string // how it ended
}

// Marker implements [Emitter].
func (f ServiceFailed) Marker() Marker {
	critical := "no"
	if f.Critical {
		critical = "yes"
	}
	return serviceFailed.marker(f.Service, critical, strconv.Itoa(f.Starts), f.Reason)
}
