#include "textflag.h"

// func hasExtensions() bool
//
// CPUID leaf 1 ECX has SSSE3 as bit 9 and SSE4.1 as bit 19, leaf 7 EBX has SHA as bit 29; leaf 0 EAX is the highest leaf.
TEXT ·hasExtensions(SB),NOSPLIT,$0-1
	MOVB	$0, ret+0(FP)
	XORL	AX, AX
	CPUID
	CMPL	AX, $7
	JB	done
	MOVL	$1, AX
	XORL	CX, CX
	CPUID
	ANDL	$(1<<9 | 1<<19), CX
	CMPL	CX, $(1<<9 | 1<<19)
	JNE	done
	MOVL	$7, AX
	XORL	CX, CX
	CPUID
	BTL	$29, BX
	SETCS	ret+0(FP)

done:
	RET
