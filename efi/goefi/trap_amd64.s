#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// One call of const_stubSize bytes per vector. The return address tells which one it is.
#define STUB	CALL	·trapCommon(SB)
#define STUB4	STUB; STUB; STUB; STUB
#define STUB16	STUB4; STUB4; STUB4; STUB4
#define STUB64	STUB16; STUB16; STUB16; STUB16
TEXT ·trapStubs(SB),NOSPLIT|NOFRAME,$0
	STUB64
	STUB64
	STUB64
	STUB64
	RET

// trapCommon is reached for every interrupt and exception, on an interrupt stack. Its upper end T is a multiple of 16, and what
// is on it by then is this (Intel SDM volume 3 §6.14.2):
//
//	T-8  SS     T-16 RSP    T-24 RFLAGS    T-32 CS    T-40 RIP    T-48 error code, for some vectors
//	below that: the stub's return address, then AX
TEXT ·trapCommon(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	AX
	CMPB	·inKernel(SB), $0
	JNE	kernel
	MOVQ	·current(SB), AX
	SAVE_REGISTERS
	LEAQ	64(SP), CX	// T, or T + 8
	ANDQ	$~15, CX
	MOVQ	CX, ·lastTrap+trap_top(SB)
	POPQ	BX
	MOVQ	BX, context_ax(AX)
	POPQ	BX
	MOVQ	BX, ·lastTrap+trap_ret(SB)
	MOVQ	-16(CX), BX
	MOVQ	BX, context_sp(AX)
	MOVQ	-24(CX), BX
	MOVQ	BX, context_flags(AX)
	MOVQ	-40(CX), BX
	MOVQ	BX, context_ip(AX)
	MOVQ	$1, context_full(AX)
	MOVQ	context_fp(AX), BX
	FXSAVE64	(BX)
	MOVQ	CR2, BX
	MOVQ	BX, ·lastTrap+trap_address(SB)
	MOVB	$1, ·inKernel(SB)
	MOVQ	·kernelSP(SB), SP
	WRITE_MSR(MSR_FSBASE, ·kernelThreadPointer(SB))
	CLD
	CALL	·trapInGo(SB)
	CMPB	·leaving(SB), $0
	JNE	leave
	JMP	·resume(SB)
leave:
	JMP	·leave(SB)

	// In kernel context or in the firmware. The thread pointer is the kernel's already; everything else is kept on this stack.
kernel:
	PUSH_REGISTERS
	MOVQ	(15*8)(SP), AX
	MOVQ	AX, ·lastTrap+trap_ret(SB)
	LEAQ	(14*8+64)(SP), AX
	ANDQ	$~15, AX
	MOVQ	AX, ·lastTrap+trap_top(SB)
	MOVQ	CR2, AX
	MOVQ	AX, ·lastTrap+trap_address(SB)
	MOVQ	SP, BX
	LEAQ	-(const_fxSize+32)(SP), SP
	ANDQ	$~15, SP
	FXSAVE64	32(SP)
	MOVQ	BX, 16(SP)
	CLD
	CALL	·trapInKernel(SB)
	FXRSTOR64	32(SP)
	MOVQ	0(SP), AX
	MOVQ	16(SP), SP
	CMPQ	AX, $const_trapFatal
	JEQ	fatal
	CMPQ	AX, $const_trapForward
	JEQ	forward
	LOAD_PUSHED
	MOVQ	·lastTrap+trap_top(SB), SP
	LEAQ	-40(SP), SP
	IRETQ

forward:
	JMP	forwardFault<>(SB)

fatal:
	MOVQ	·kernelSP(SB), SP
	CALL	·trapFatalInKernel(SB)
	JMP	·leave(SB)

// forwardFault goes to the firmware's handler as if its own table had led there. The address takes the place of the stub's
// return address, so that RET leaves the error code on top.
TEXT forwardFault<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	·lastTrap+trap_top(SB), AX
	MOVQ	·forwardHandler(SB), CX
	MOVQ	CX, -56(AX)
	LOAD_PUSHED
	MOVQ	·lastTrap+trap_top(SB), SP
	LEAQ	-56(SP), SP
	RET
