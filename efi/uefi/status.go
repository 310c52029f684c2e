package uefi

import (
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
)

// Status is EFI_STATUS (UEFI 2.10 §D). The errors of this package wrap it, so
// that errors.Is(err, uefi.ErrSecurityViolation) tells why a call failed. Where
// package io/fs has a word for a status, errors.Is knows that one too.
type Status uintptr

// Success is EFI_SUCCESS.
const Success Status = 0

// errorBit is set in all statuses that are errors; those without it are
// warnings.
const errorBit Status = 1 << (bits.UintSize - 1)

// The error statuses of the specification.
const (
	ErrLoadError           = errorBit | 1
	ErrInvalidParameter    = errorBit | 2
	ErrUnsupported         = errorBit | 3
	ErrBadBufferSize       = errorBit | 4
	ErrBufferTooSmall      = errorBit | 5
	ErrNotReady            = errorBit | 6
	ErrDeviceError         = errorBit | 7
	ErrWriteProtected      = errorBit | 8
	ErrOutOfResources      = errorBit | 9
	ErrVolumeCorrupted     = errorBit | 10
	ErrVolumeFull          = errorBit | 11
	ErrNoMedia             = errorBit | 12
	ErrMediaChanged        = errorBit | 13
	ErrNotFound            = errorBit | 14
	ErrAccessDenied        = errorBit | 15
	ErrNoResponse          = errorBit | 16
	ErrNoMapping           = errorBit | 17
	ErrTimeout             = errorBit | 18
	ErrNotStarted          = errorBit | 19
	ErrAlreadyStarted      = errorBit | 20
	ErrAborted             = errorBit | 21
	ErrICMPError           = errorBit | 22
	ErrTFTPError           = errorBit | 23
	ErrProtocolError       = errorBit | 24
	ErrIncompatibleVersion = errorBit | 25
	ErrSecurityViolation   = errorBit | 26
	ErrCRCError            = errorBit | 27
	ErrEndOfMedia          = errorBit | 28
	ErrEndOfFile           = errorBit | 31
	ErrInvalidLanguage     = errorBit | 32
	ErrCompromisedData     = errorBit | 33
	ErrIPAddressConflict   = errorBit | 34
	ErrHTTPError           = errorBit | 35
)

// The warning statuses of the specification. They are no errors: Status.Err
// drops them.
const (
	WarnUnknownGlyph   Status = 1
	WarnDeleteFailure  Status = 2
	WarnWriteFailure   Status = 3
	WarnBufferTooSmall Status = 4
	WarnStaleData      Status = 5
	WarnFileSystem     Status = 6
	WarnResetRequired  Status = 7
)

var statusNames = map[Status]string{
	Success:                "EFI_SUCCESS",
	ErrLoadError:           "EFI_LOAD_ERROR",
	ErrInvalidParameter:    "EFI_INVALID_PARAMETER",
	ErrUnsupported:         "EFI_UNSUPPORTED",
	ErrBadBufferSize:       "EFI_BAD_BUFFER_SIZE",
	ErrBufferTooSmall:      "EFI_BUFFER_TOO_SMALL",
	ErrNotReady:            "EFI_NOT_READY",
	ErrDeviceError:         "EFI_DEVICE_ERROR",
	ErrWriteProtected:      "EFI_WRITE_PROTECTED",
	ErrOutOfResources:      "EFI_OUT_OF_RESOURCES",
	ErrVolumeCorrupted:     "EFI_VOLUME_CORRUPTED",
	ErrVolumeFull:          "EFI_VOLUME_FULL",
	ErrNoMedia:             "EFI_NO_MEDIA",
	ErrMediaChanged:        "EFI_MEDIA_CHANGED",
	ErrNotFound:            "EFI_NOT_FOUND",
	ErrAccessDenied:        "EFI_ACCESS_DENIED",
	ErrNoResponse:          "EFI_NO_RESPONSE",
	ErrNoMapping:           "EFI_NO_MAPPING",
	ErrTimeout:             "EFI_TIMEOUT",
	ErrNotStarted:          "EFI_NOT_STARTED",
	ErrAlreadyStarted:      "EFI_ALREADY_STARTED",
	ErrAborted:             "EFI_ABORTED",
	ErrICMPError:           "EFI_ICMP_ERROR",
	ErrTFTPError:           "EFI_TFTP_ERROR",
	ErrProtocolError:       "EFI_PROTOCOL_ERROR",
	ErrIncompatibleVersion: "EFI_INCOMPATIBLE_VERSION",
	ErrSecurityViolation:   "EFI_SECURITY_VIOLATION",
	ErrCRCError:            "EFI_CRC_ERROR",
	ErrEndOfMedia:          "EFI_END_OF_MEDIA",
	ErrEndOfFile:           "EFI_END_OF_FILE",
	ErrInvalidLanguage:     "EFI_INVALID_LANGUAGE",
	ErrCompromisedData:     "EFI_COMPROMISED_DATA",
	ErrIPAddressConflict:   "EFI_IP_ADDRESS_CONFLICT",
	ErrHTTPError:           "EFI_HTTP_ERROR",
	WarnUnknownGlyph:       "EFI_WARN_UNKNOWN_GLYPH",
	WarnDeleteFailure:      "EFI_WARN_DELETE_FAILURE",
	WarnWriteFailure:       "EFI_WARN_WRITE_FAILURE",
	WarnBufferTooSmall:     "EFI_WARN_BUFFER_TOO_SMALL",
	WarnStaleData:          "EFI_WARN_STALE_DATA",
	WarnFileSystem:         "EFI_WARN_FILE_SYSTEM",
	WarnResetRequired:      "EFI_WARN_RESET_REQUIRED",
}

// Error is the status's name in the specification.
func (s Status) Error() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("EFI status %#x", uintptr(s))
}

// IsError reports whether the status is an error, not a success or a warning.
func (s Status) IsError() bool { return s&errorBit != 0 }

// Err is the status as an error, nil for a success or a warning.
func (s Status) Err() error {
	if !s.IsError() {
		return nil
	}
	return s
}

// Is makes the errors of package io/fs match the statuses that mean the same.
func (s Status) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return s == ErrNotFound
	case fs.ErrPermission:
		return s == ErrAccessDenied || s == ErrWriteProtected
	case fs.ErrInvalid:
		return s == ErrInvalidParameter
	}
	return false
}

// join is errors.Join for the error of an operation and that of what had to be
// released after it: without the second one the first stays what it is, such as
// io.EOF.
func join(err, release error) error {
	if release == nil {
		return err
	}
	return errors.Join(err, release)
}
