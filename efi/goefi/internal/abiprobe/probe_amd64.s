#include "go_asm.h"
#include "textflag.h"

// func Function() uintptr
TEXT ·Function(SB),NOSPLIT,$0-8
	LEAQ	probe<>(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// probe is the firmware's function.
//
//	CX, DX, R8, R9 the first four arguments
//	8(SP)          32 bytes that belong to it
//	40(SP)         the other arguments
TEXT probe<>(SB),NOSPLIT|NOFRAME,$0
	MOVQ	CX, ·Last+Record_CX(SB)
	MOVQ	DX, ·Last+Record_DX(SB)
	MOVQ	R8, ·Last+Record_R8(SB)
	MOVQ	R9, ·Last+Record_R9(SB)
	LEAQ	8(SP), AX
	MOVQ	AX, ·Last+Record_SP(SB)
	LEAQ	·Last+Record_Stack(SB), R10
	XORL	CX, CX
next:
	MOVQ	40(SP)(CX*8), AX
	MOVQ	AX, (R10)(CX*8)
	INCQ	CX
	CMPQ	CX, $8
	JLT	next

	// Spoil the argument area, shadow space included, and the volatile registers.
	MOVQ	$const_Spoiled, AX
	XORL	CX, CX
spoil:
	MOVQ	AX, 8(SP)(CX*8)
	INCQ	CX
	CMPQ	CX, $12
	JLT	spoil
	MOVQ	AX, CX
	MOVQ	AX, DX
	MOVQ	AX, R8
	MOVQ	AX, R9
	MOVQ	AX, R10
	MOVQ	AX, R11
	MOVQ	AX, X0
	MOVQ	AX, X1
	MOVQ	AX, X2
	MOVQ	AX, X3
	MOVQ	AX, X4
	MOVQ	AX, X5
	MOVQ	$const_Result, AX
	RET
