#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// EFI_STATUS _rt0_amd64_uefi(EFI_HANDLE image, EFI_SYSTEM_TABLE *table): the application's entry point.
// UEFI 2.10 §4.1, called as §2.3.4.2 says.
//
//	CX   image handle
//	DX   system table
//	(SP) return address
TEXT _rt0_amd64_uefi(SB),NOSPLIT|NOFRAME,$0
	// Keep all that the caller wants back.
	SAVE_CALLER
	MOVQ	SP, ·caller+callerState_sp(SB)
	PUSHFQ
	POPQ	AX
	MOVQ	AX, ·caller+callerState_flags(SB)

	// The kernel's stack is the rest of the firmware's.
	CLI
	CLD
	MOVQ	CX, R12
	MOVQ	DX, R13
	ANDQ	$~15, SP
	MOVQ	SP, ·kernelSP(SB)
	LEAQ	-32(SP), SP

	// The processor's state, then a thread pointer with which Go functions can be called.
	LEAQ	·firmwareState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·saveState(SB)
	LEAQ	·kernelG(SB), AX
	MOVQ	AX, ·kernelTLS(SB)
	LEAQ	·kernelTLS(SB), AX
	ADDQ	$8, AX
	MOVQ	AX, ·kernelThreadPointer(SB)
	WRITE_MSR(MSR_FSBASE, ·kernelThreadPointer(SB))

	// Addresses of code are taken here, since Go would give those of its own wrappers.
	LEAQ	_rt0_amd64_linux(SB), AX
	MOVQ	AX, ·programEntryPC(SB)
	LEAQ	·syscallEntry(SB), AX
	MOVQ	AX, ·syscallEntryPC(SB)
	LEAQ	·trapStubs(SB), AX
	MOVQ	AX, ·trapStubsPC(SB)

	MOVB	$1, ·inKernel(SB)
	MOVQ	R12, 0(SP)
	MOVQ	R13, 8(SP)
	CALL	·boot(SB)
	CMPB	·leaving(SB), $0
	JNE	refused
	LEAQ	·goState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·loadState(SB)
	JMP	·resume(SB)

	// Nothing of ours has been loaded, but leaving as if it had does no harm.
refused:
	JMP	·leave(SB)

// leave returns to the firmware with the program's status. The last step is an IRETQ, which restores the flags with the
// interrupt flag, and unblocks NMIs should we come from one.
TEXT ·leave(SB),NOSPLIT|NOFRAME,$0
	CLI
	MOVQ	·kernelSP(SB), SP
	LEAQ	-48(SP), SP
	LEAQ	·firmwareState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·loadState(SB)
	WRITE_MSR(MSR_FSBASE, ·kernelThreadPointer(SB))
	CALL	·cleanUp(SB)
	MOVQ	0(SP), R11
	WRITE_MSR(MSR_FSBASE, ·firmwareState+cpuState_fsBase(SB))

	LOAD_CALLER

	// The frame for IRETQ: as RET would, it takes the return address from the caller's stack.
	MOVQ	·caller+callerState_sp(SB), CX
	MOVQ	(CX), DX
	ADDQ	$8, CX
	MOVQ	·firmwareState+cpuState_ss(SB), AX
	MOVQ	AX, 32(SP)
	MOVQ	CX, 24(SP)
	MOVQ	·caller+callerState_flags(SB), AX
	MOVQ	AX, 16(SP)
	MOVQ	·firmwareState+cpuState_cs(SB), AX
	MOVQ	AX, 8(SP)
	MOVQ	DX, 0(SP)
	MOVQ	R11, AX
	IRETQ
