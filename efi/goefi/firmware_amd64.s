#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// func firmwareCall(fn, args uintptr) uintptr
TEXT ·firmwareCall(SB),NOSPLIT,$24-24
	MOVQ	fn+0(FP), AX
	MOVQ	AX, 0(SP)
	MOVQ	args+8(FP), AX
	MOVQ	AX, 8(SP)
	SWITCH_TO(·callState, AX)
	MOVB	$1, ·inFirmware(SB)
	STI
	CALL	·callGate(SB)
	CLI
	CLD
	MOVB	$0, ·inFirmware(SB)
	SWITCH_TO(·goState, AX)
	MOVQ	16(SP), AX
	MOVQ	AX, ret+16(FP)
	RET

// func nativeCall(fn, args uintptr) uintptr
TEXT ·nativeCall(SB),NOSPLIT,$24-24
	LEAQ	·firmwareState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·loadState(SB)
	MOVQ	fn+0(FP), AX
	MOVQ	AX, 0(SP)
	MOVQ	args+8(FP), AX
	MOVQ	AX, 8(SP)
	STI
	CALL	·callGate(SB)
	CLI
	CLD
	MOVQ	16(SP), AX
	MOVQ	AX, ret+16(FP)
	LEAQ	·goState(SB), AX
	MOVQ	AX, 0(SP)
	CALL	·loadState(SB)
	RET

// func interruptWindow()
TEXT ·interruptWindow(SB),NOSPLIT,$0-0
	SWITCH_TO(·callState, AX)
	STI
	PAUSE
	NOP
	CLI
	SWITCH_TO(·goState, AX)
	RET

// func halt()
//
// STI takes effect after the next instruction, so no interrupt can slip in before HLT.
TEXT ·halt(SB),NOSPLIT,$0-0
	SWITCH_TO(·callState, AX)
	STI
	HLT
	CLI
	SWITCH_TO(·goState, AX)
	RET

// func forwardInterrupt(handler uintptr)
//
// The frame is as the processor would store it, 16-byte aligned at its upper end; CALL adds the return address. The handler
// ends with IRETQ and keeps all registers, as it would for any code that is interrupted.
//
//	R10 handler
//	AX  stack pointer to come back with
TEXT ·forwardInterrupt(SB),NOSPLIT,$8-8
	MOVQ	handler+0(FP), R10
	SWITCH_TO(·callState, AX)
	MOVQ	SP, AX
	LEAQ	-32(SP), SP
	ANDQ	$~15, SP
	MOVQ	AX, 16(SP)
	MOVQ	·firmwareState+cpuState_ss(SB), AX
	MOVQ	AX, 24(SP)
	MOVQ	$2, 8(SP)	// flags: interrupts off
	MOVQ	·firmwareState+cpuState_cs(SB), AX
	MOVQ	AX, 0(SP)
	CALL	R10
	CLI
	SWITCH_TO(·goState, AX)
	RET
