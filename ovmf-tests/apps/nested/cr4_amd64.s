#include "textflag.h"

// EFI_STATUS startWithCR4(fn, handle, bits, *after): calls fn(handle, 0, 0) with bits set in CR4, as a firmware would have them
// that uses these features, and stores CR4 as it is after the call. Microsoft x64 calling convention.
//
//	CX fn
//	DX handle
//	R8 bits
//	R9 where CR4 goes
//	BX CR4 before
//	SI after, kept by the callee
TEXT startWithCR4<>(SB),NOSPLIT|NOFRAME,$0
	PUSHQ	BX
	PUSHQ	SI
	PUSHQ	BP
	MOVQ	R9, SI
	MOVQ	CR4, BX
	MOVQ	BX, AX
	ORQ	R8, AX
	MOVQ	AX, CR4
	MOVQ	CX, AX
	MOVQ	DX, CX
	XORL	DX, DX
	XORL	R8, R8
	MOVQ	SP, BP
	LEAQ	-32(SP), SP
	ANDQ	$~15, SP
	CALL	AX
	MOVQ	BP, SP
	MOVQ	CR4, CX
	MOVQ	CX, (SI)
	MOVQ	BX, CR4
	POPQ	BP
	POPQ	SI
	POPQ	BX
	RET

// func startWithCR4Address() uintptr
TEXT ·startWithCR4Address(SB),NOSPLIT,$0-8
	LEAQ	startWithCR4<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func hasXSAVE() bool
TEXT ·hasXSAVE(SB),NOSPLIT,$0-1
	MOVL	$1, AX
	XORL	CX, CX
	CPUID
	SHRL	$26, CX
	ANDL	$1, CX
	MOVB	CX, ret+0(FP)
	RET
