//go:build ovmf

package ovmftests

import (
	"testing"

	"github.com/rayos/rayboot/ovmf-tests/harness"
)

// TestServices has process 1 run programs: one talks into the log until it is stopped, one takes too much memory and fails,
// and one without which the machine is of no use fails the boot, which the boot manager counts.
func TestServices(t *testing.T) {
	t.Parallel()
	m := hardware{}.start(t, watchedDisk(t, "rayos.golden_after=86400"), true)
	m.Expect(shellPrompt)
	for _, c := range []struct {
		command string
		wants   []harness.Expectation
	}{
		{"services add talker --after shell:ttyS0 -- /bin/sh -c 'echo I talk; sleep 1000'", []harness.Expectation{
			harness.Pattern(`^talker +runs +1 +\d+ s +\d* `),
		}},
		{"sleep 1; log show --source talker", []harness.Expectation{harness.Pattern(`^\[\d+ms\] INFO: talker: I talk$`)}},
		{"services stop talk\t", []harness.Expectation{harness.Pattern(`^talker +stopped +1 `)}},
		{"services add hog --restart never --memory 32M -- /bin/sh -c 'x=0123456789; while :; do x=$x$x; done'", []harness.Expectation{
			harness.Text("service hog: killed by the kernel, as it used more than its 33554432 bytes of memory"),
			harness.Marker("[RAYOS_SERVICE:FAILED] service=hog, critical=no, starts=1"),
		}},
		{"recovery status", []harness.Expectation{harness.Pattern(`^0  service-failed  hog  service at SHELL_READY$`)}},
	} {
		m.Type(c.command + "\r")
		m.Expect(c.wants...)
		m.Expect(shellPrompt)
	}
	m.Type("services add vital --critical --restarts 1 -- /bin/sh -c 'exit 3'\r")
	m.Expect(
		harness.Text("service vital: exit status 3"),
		harness.Marker(`[RAYOS_SERVICE:FAILED] service=vital, critical=yes, starts=2, reason="exit status 3"`),
		harness.Text("the boot has failed, as service vital is critical"),
		harness.Text("the machine restarts now"),
		failed("rayos", 1, "SHELL_READY", "service"), shellPrompt,
	)
	m.Type("recovery status; log show --boot -1 --level warn\r")
	m.Expect(
		harness.Pattern(`^1  service-failed  vital  service at SHELL_READY$`),
		harness.Pattern(`WARN: init: \[RAYOS_SERVICE:FAILED\] service=vital`),
	)
	m.Type("poweroff\r")
	m.Never(harness.Pattern(`^\d+  entry-failed `)) // one event for one failure
	m.ExpectOff()
}
