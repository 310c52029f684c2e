package fakefw

import (
	"fmt"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
)

// maxSweep bounds the calls that EachFailure makes fail.
const maxSweep = 2000

// EachFailure runs op on a fresh machine to count its calls, then once more for
// each of them with that call failing with status, as subtests of t. check sees
// the outcome; call names the function that failed. Sweeping over memory, files
// and images, what remains to check is that the error is there and that
// [Firmware.Leaks] is empty.
func EachFailure(t *testing.T, status uefi.Status, setup func() *Firmware, op func(*Firmware) error,
	check func(t *testing.T, fw *Firmware, call string, err error),
) {
	t.Helper()
	fw := setup()
	defer fw.Close()
	before := fw.Calls()
	if err := op(fw); err != nil {
		t.Fatalf("without a failing call: %v", err)
	}
	calls := fw.CallLog()[before:]
	if len(calls) == 0 || len(calls) > maxSweep {
		t.Fatalf("%d calls to fail, want 1 to %d", len(calls), maxSweep)
	}
	for i, call := range calls {
		t.Run(fmt.Sprintf("%03d_%s", i+1, call), func(t *testing.T) {
			fw := setup()
			defer fw.Close()
			fw.FailCall(i+1, status)
			check(t, fw, call, op(fw))
		})
	}
}
