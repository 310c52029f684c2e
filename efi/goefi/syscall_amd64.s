#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// syscallEntry is where SYSCALL leads (Intel SDM volume 3 §5.8.8), interrupts off.
//
//	CX  return address
//	R11 flags
//	AX  number of the system call; arguments in DI, SI, DX, R10, R8, R9
TEXT ·syscallEntry(SB),NOSPLIT|NOFRAME,$0
	MOVB	$1, ·inKernel(SB)
	MOVQ	AX, ·syscallNumber(SB)
	MOVQ	·current(SB), AX
	SAVE_REGISTERS
	MOVQ	SP, context_sp(AX)
	MOVQ	·syscallNumber(SB), BX
	MOVQ	BX, context_ax(AX)

	// SYSCALL has set SS to CS + 8, which need not be a descriptor at all.
	MOVQ	·kernelSP(SB), SP
	MOVQ	·firmwareState+cpuState_ss(SB), AX
	MOVW	AX, SS
	WRITE_MSR(MSR_FSBASE, ·kernelThreadPointer(SB))
	CLD
	CALL	·systemCall(SB)
	CMPB	·leaving(SB), $0
	JNE	leave
	JMP	·resume(SB)
leave:
	JMP	·leave(SB)
