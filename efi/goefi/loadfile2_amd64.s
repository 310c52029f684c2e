#include "textflag.h"

// EFI_STATUS loadFile2(This, FilePath, BootPolicy, *BufferSize, Buffer): EFI_LOAD_FILE2_PROTOCOL.LoadFile, UEFI 2.10 §13.2.
// The firmware or an operating system's loader calls it while no Go code can run.
//
//	CX     This -> {LoadFile, address of the data, size}
//	DX     FilePath, which does not matter
//	R8     BootPolicy: must be false
//	R9     BufferSize, in and out
//	40(SP) Buffer, may be 0 to ask for the size
//	R10    size of the data
TEXT ·loadFile2(SB),NOSPLIT|NOFRAME,$0
	TESTB	R8, R8
	JNE	unsupported
	TESTQ	CX, CX
	JEQ	invalid
	TESTQ	R9, R9
	JEQ	invalid
	MOVQ	16(CX), R10
	MOVQ	(R9), AX
	MOVQ	R10, (R9)
	MOVQ	40(SP), R11
	TESTQ	R11, R11
	JEQ	small
	CMPQ	AX, R10
	JB	small

	PUSHQ	SI
	PUSHQ	DI
	MOVQ	8(CX), SI
	MOVQ	R11, DI
	MOVQ	R10, CX
	CLD
	REP
	MOVSB
	POPQ	DI
	POPQ	SI
	XORL	AX, AX	// EFI_SUCCESS
	RET

small:
	MOVQ	$0x8000000000000005, AX	// EFI_BUFFER_TOO_SMALL
	RET
invalid:
	MOVQ	$0x8000000000000002, AX	// EFI_INVALID_PARAMETER
	RET
unsupported:
	MOVQ	$0x8000000000000003, AX	// EFI_UNSUPPORTED
	RET

// func loadFile2Address() uintptr
TEXT ·loadFile2Address(SB),NOSPLIT,$0-8
	LEAQ	·loadFile2(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
