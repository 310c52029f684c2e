#include "go_asm.h"
#include "textflag.h"
#include "asm_amd64.h"

// func saveState(s *cpuState)
//
//	BX s
TEXT ·saveState(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	s+0(FP), BX
	MOVQ	CR3, AX
	MOVQ	AX, cpuState_cr3(BX)
	MOVQ	CR4, AX
	MOVQ	AX, cpuState_cr4(BX)
	READ_MSR(MSR_EFER)
	MOVQ	AX, cpuState_efer(BX)
	READ_MSR(MSR_STAR)
	MOVQ	AX, cpuState_star(BX)
	READ_MSR(MSR_LSTAR)
	MOVQ	AX, cpuState_lstar(BX)
	READ_MSR(MSR_FMASK)
	MOVQ	AX, cpuState_fmask(BX)
	READ_MSR(MSR_FSBASE)
	MOVQ	AX, cpuState_fsBase(BX)
	XORL	AX, AX
	MOVW	CS, AX
	MOVQ	AX, cpuState_cs(BX)
	MOVW	SS, AX
	MOVQ	AX, cpuState_ss(BX)
	STRQ	AX
	MOVQ	AX, cpuState_tr(BX)
	SGDT	cpuState_gdtr(BX)
	SIDT	cpuState_idtr(BX)
	RET

// func loadState(s *cpuState)
//
// Intel SDM volume 3 §8.7.3: LTR refuses a busy task state segment, which ours is once it has been loaded.
//
//	BX s
//	R8 descriptor of the task state segment
TEXT ·loadState(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	s+0(FP), BX
	MOVQ	cpuState_cr3(BX), AX
	MOVQ	AX, CR3
	MOVQ	cpuState_cr4(BX), AX
	MOVQ	AX, CR4
	LGDT	cpuState_gdtr(BX)
	LIDT	cpuState_idtr(BX)
	WRITE_MSR(MSR_EFER, cpuState_efer(BX))
	WRITE_MSR(MSR_STAR, cpuState_star(BX))
	WRITE_MSR(MSR_LSTAR, cpuState_lstar(BX))
	WRITE_MSR(MSR_FMASK, cpuState_fmask(BX))
	WRITE_MSR(MSR_FSBASE, cpuState_fsBase(BX))

	// A selector beyond the table is left over from a program that has ended: the firmware itself has no task.
	MOVQ	cpuState_tr(BX), AX
	TESTQ	AX, AX
	JEQ	done
	MOVWLZX	cpuState_gdtr(BX), CX
	CMPQ	AX, CX
	JAE	done
	MOVQ	(cpuState_gdtr+2)(BX), R8
	ADDQ	AX, R8
	ANDB	$~2, 5(R8)
	LTR	AX
done:
	RET
