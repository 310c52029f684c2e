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

	// Descriptors and model-specific registers are still the firmware's.
refused:
	JMP	·depart(SB)

// leave ends the program from kernel context. It passes an IRETQ, which unblocks NMIs should we come from one.
TEXT ·leave(SB),NOSPLIT|NOFRAME,$0
	CLI
	MOVQ	·kernelSP(SB), SP
	LEAQ	-48(SP), SP
	LEAQ	·firmwareState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·loadState(SB)
	WRITE_MSR(MSR_FSBASE, ·kernelThreadPointer(SB))
	MOVQ	·firmwareState+cpuState_ss(SB), AX
	MOVQ	AX, 32(SP)
	LEAQ	48(SP), AX
	MOVQ	AX, 24(SP)
	MOVQ	$2, 16(SP)	// flags: interrupts off
	MOVQ	·firmwareState+cpuState_cs(SB), AX
	MOVQ	AX, 8(SP)
	LEAQ	·depart(SB), AX
	MOVQ	AX, 0(SP)
	IRETQ

// depart returns to the caller of the entry point, with the program's status. It ends with a plain RET, as control-flow
// enforcement wants it.
TEXT ·depart(SB),NOSPLIT|NOFRAME,$0
	MOVQ	·kernelSP(SB), SP
	LEAQ	-16(SP), SP
	SWITCH_TO(·firmwareState, AX)
	CALL	·cleanUp(SB)
	WRITE_MSR(MSR_FSBASE, ·firmwareState+cpuState_fsBase(SB))
	MOVQ	0(SP), R11
	LOAD_CALLER
	MOVQ	R11, AX
	PUSHQ	·caller+callerState_flags(SB)
	POPFQ
	MOVQ	·caller+callerState_sp(SB), SP
	RET
