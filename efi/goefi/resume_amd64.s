#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// resume continues the current thread, from kernel context.
//
//	BX its context
TEXT ·resume(SB),NOSPLIT|NOFRAME,$0
	MOVQ	·current(SB), BX
	WRITE_MSR(MSR_FSBASE, context_fs(BX))
	MOVQ	·kernelSP(SB), SP
	CMPQ	context_full(BX), $0
	JNE	full

	// Back from a system call. Go wants X15 to be zero.
	XORPS	X15, X15
	MOVQ	context_r11(BX), AX
	ANDQ	$~const_flagInterrupts, AX
	PUSHQ	AX
	POPFQ
	LOAD_REGISTERS
	MOVQ	context_sp(BX), SP
	MOVQ	context_bx(BX), BX
	MOVB	$0, ·inKernel(SB)
	STI	// from the next instruction but one
	JMP	CX

	// Back to where a trap or a signal came in between.
full:
	MOVQ	$0, context_full(BX)
	MOVQ	context_fp(BX), AX
	FXRSTOR64	(AX)
	LEAQ	-48(SP), SP
	MOVQ	·firmwareState+cpuState_ss(SB), AX
	MOVQ	AX, 32(SP)
	MOVQ	context_sp(BX), AX
	MOVQ	AX, 24(SP)
	MOVQ	context_flags(BX), AX
	MOVQ	AX, 16(SP)
	MOVQ	·firmwareState+cpuState_cs(SB), AX
	MOVQ	AX, 8(SP)
	MOVQ	context_ip(BX), AX
	MOVQ	AX, 0(SP)
	LOAD_REGISTERS
	MOVQ	context_bx(BX), BX
	MOVB	$0, ·inKernel(SB)
	IRETQ
