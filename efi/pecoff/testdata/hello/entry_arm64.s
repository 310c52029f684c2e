#include "textflag.h"

// The firmware's call (UEFI 2.10 §4.1) is answered with EFI_SUCCESS. The jump
// is never made; it keeps the rest of the program from being left out.
TEXT _rt0_arm64_uefi(SB), NOSPLIT|NOFRAME, $0
	MOVD	ZR, R0
	RET
	JMP	_rt0_arm64_linux(SB)
