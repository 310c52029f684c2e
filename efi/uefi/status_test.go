package uefi_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/rayos/rayboot/efi/uefi"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		value uintptr
		text  string
		err   bool
	}{
		{0, "EFI_SUCCESS", false},
		{2, "EFI_WARN_DELETE_FAILURE", false},
		{1<<63 | 14, "EFI_NOT_FOUND", true},
		{1<<63 | 26, "EFI_SECURITY_VIOLATION", true},
		{1<<63 | 31, "EFI_END_OF_FILE", true},
		{1<<63 | 35, "EFI_HTTP_ERROR", true},
		{1<<63 | 1<<62 | 7, "EFI status 0xc000000000000007", true},
	} {
		s := uefi.Status(c.value)
		if s.Error() != c.text || s.IsError() != c.err || (s.Err() != nil) != c.err {
			t.Errorf("%#x: %q, error %t, %v", c.value, s.Error(), s.IsError(), s.Err())
		}
	}
}

func TestStatusIs(t *testing.T) {
	err := fmt.Errorf("load image: %w", uefi.ErrSecurityViolation)
	if !errors.Is(err, uefi.ErrSecurityViolation) || errors.Is(err, uefi.ErrAccessDenied) {
		t.Error("a wrapped status is not told from another")
	}
	for target, statuses := range map[error][]uefi.Status{
		fs.ErrNotExist:   {uefi.ErrNotFound},
		fs.ErrPermission: {uefi.ErrAccessDenied, uefi.ErrWriteProtected},
		fs.ErrInvalid:    {uefi.ErrInvalidParameter},
	} {
		for _, s := range statuses {
			if !errors.Is(s, target) {
				t.Errorf("%v is not %v", s, target)
			}
		}
		if errors.Is(uefi.ErrDeviceError, target) {
			t.Errorf("a device error is %v", target)
		}
	}
}
