#include "go_asm.h"
#include "textflag.h"

// func callGate(fn, args uintptr) uintptr
//
// The Microsoft x64 calling convention: four arguments in registers, the others on the stack above 32 bytes that the callee may
// scribble on; the stack is 16-byte aligned at the call. The callee keeps BX, BP, DI, SI, R12 to R15 and X6 to X15, and Go's
// assembly convention asks for none of them.
//
//	R10 arguments
//	BX  stack pointer, kept by the callee
//	AX  function, then its result
TEXT ·callGate(SB),NOSPLIT|NOFRAME,$0-24
	MOVQ	fn+0(FP), AX
	MOVQ	args+8(FP), R10
	PUSHQ	BP
	PUSHQ	BX
	MOVQ	SP, BX
	LEAQ	-(const_MaxArguments*8)(SP), SP
	ANDQ	$~15, SP
	MOVQ	(4*8)(R10), R11
	MOVQ	R11, (4*8)(SP)
	MOVQ	(5*8)(R10), R11
	MOVQ	R11, (5*8)(SP)
	MOVQ	(6*8)(R10), R11
	MOVQ	R11, (6*8)(SP)
	MOVQ	(7*8)(R10), R11
	MOVQ	R11, (7*8)(SP)
	MOVQ	(8*8)(R10), R11
	MOVQ	R11, (8*8)(SP)
	MOVQ	(9*8)(R10), R11
	MOVQ	R11, (9*8)(SP)
	MOVQ	(10*8)(R10), R11
	MOVQ	R11, (10*8)(SP)
	MOVQ	(11*8)(R10), R11
	MOVQ	R11, (11*8)(SP)
	MOVQ	(0*8)(R10), CX
	MOVQ	(1*8)(R10), DX
	MOVQ	(2*8)(R10), R8
	MOVQ	(3*8)(R10), R9
	CALL	AX
	MOVQ	BX, SP
	POPQ	BX
	POPQ	BP
	MOVQ	AX, ret+16(FP)
	RET
