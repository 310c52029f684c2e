#include "textflag.h"

// func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL	leaf+0(FP), AX
	MOVL	subleaf+4(FP), CX
	CPUID
	MOVL	AX, a+8(FP)
	MOVL	BX, b+12(FP)
	MOVL	CX, c+16(FP)
	MOVL	DX, d+20(FP)
	RET

// func readCounter() uint64
TEXT ·readCounter(SB),NOSPLIT,$0-8
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+0(FP)
	RET

// func readRandom() (word uint64, ok bool)
TEXT ·readRandom(SB),NOSPLIT,$0-9
	RDRANDQ	AX
	SETCS	ok+8(FP)
	MOVQ	AX, word+0(FP)
	RET

// func readSeed() (word uint64, ok bool)
TEXT ·readSeed(SB),NOSPLIT,$0-9
	RDSEEDQ	AX
	SETCS	ok+8(FP)
	MOVQ	AX, word+0(FP)
	RET

// func invalidate(virt uintptr)
TEXT ·invalidate(SB),NOSPLIT,$0-8
	MOVQ	virt+0(FP), AX
	INVLPG	(AX)
	RET

// func readPort(port uint16) uint8
TEXT ·readPort(SB),NOSPLIT,$0-9
	MOVWLZX	port+0(FP), DX
	INB
	MOVB	AX, ret+8(FP)
	RET

// func writePort(port uint16, value uint8)
TEXT ·writePort(SB),NOSPLIT,$0-3
	MOVWLZX	port+0(FP), DX
	MOVB	value+2(FP), AX
	OUTB
	RET
