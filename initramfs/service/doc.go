// Package service supervises what a machine keeps running: goroutines of the runtime
// and processes, each with a policy for its end, limits, and a place in the order of
// start and stop.
//
// A [Supervisor] holds the services. Their order is the order in which they were
// added: a service may come [Spec.After] others only if those are there already, so
// that there are no circles. [Supervisor.StopAll] stops in the reverse order.
//
// Where a service ends, its policy says whether it is started again: with growing
// pauses where it ends at once, and not more often than its [Limit] allows. One that
// may not be started again although it should has failed, which is reported.
//
// What a process writes goes line by line to [Config.Log] with the service's name.
// A process has a session and, where the kernel has control groups, a group of its own,
// which bounds what it uses and from which nothing escapes when it is stopped.
//
// The package works in process 1, where [github.com/rayos/rayboot/initramfs/children]
// launches processes, and in any other program with [Direct].
package service
