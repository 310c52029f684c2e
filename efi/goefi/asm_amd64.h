// Macros that several assembly files share. Offsets of structures come from go_asm.h.

// Model-specific registers (Intel SDM volume 4).
#define MSR_EFER   0xC0000080
#define MSR_STAR   0xC0000081
#define MSR_LSTAR  0xC0000082
#define MSR_FMASK  0xC0000084
#define MSR_FSBASE 0xC0000100

// Write a 64-bit operand to a model-specific register. Clobbers AX, CX, DX.
#define WRITE_MSR(msr, operand) \
	MOVQ	operand, AX; \
	MOVQ	AX, DX; \
	SHRQ	$32, DX; \
	MOVL	$msr, CX; \
	WRMSR

// Read a model-specific register into AX. Clobbers CX, DX.
#define READ_MSR(msr) \
	MOVL	$msr, CX; \
	RDMSR; \
	SHLQ	$32, DX; \
	ORQ	DX, AX

// Save the general registers other than AX and SP in the context at AX.
#define SAVE_REGISTERS \
	MOVQ	BX, context_bx(AX); \
	MOVQ	CX, context_cx(AX); \
	MOVQ	DX, context_dx(AX); \
	MOVQ	SI, context_si(AX); \
	MOVQ	DI, context_di(AX); \
	MOVQ	BP, context_bp(AX); \
	MOVQ	R8, context_r8(AX); \
	MOVQ	R9, context_r9(AX); \
	MOVQ	R10, context_r10(AX); \
	MOVQ	R11, context_r11(AX); \
	MOVQ	R12, context_r12(AX); \
	MOVQ	R13, context_r13(AX); \
	MOVQ	R14, context_r14(AX); \
	MOVQ	R15, context_r15(AX)

// Load the general registers other than BX and SP from the context at BX.
#define LOAD_REGISTERS \
	MOVQ	context_ax(BX), AX; \
	MOVQ	context_cx(BX), CX; \
	MOVQ	context_dx(BX), DX; \
	MOVQ	context_si(BX), SI; \
	MOVQ	context_di(BX), DI; \
	MOVQ	context_bp(BX), BP; \
	MOVQ	context_r8(BX), R8; \
	MOVQ	context_r9(BX), R9; \
	MOVQ	context_r10(BX), R10; \
	MOVQ	context_r11(BX), R11; \
	MOVQ	context_r12(BX), R12; \
	MOVQ	context_r13(BX), R13; \
	MOVQ	context_r14(BX), R14; \
	MOVQ	context_r15(BX), R15

// Address space, CR4 and interrupt table of a state, for firmware calls and back. Clobbers r. The change of CR4.PGE, where
// the firmware uses global pages, flushes their translations.
#define SWITCH_TO(state, r) \
	MOVQ	state+cpuState_cr3(SB), r; \
	MOVQ	r, CR3; \
	MOVQ	state+cpuState_cr4(SB), r; \
	MOVQ	r, CR4; \
	LIDT	state+cpuState_idtr(SB)

// Keep what a function has to give back to its caller in the Microsoft x64 calling convention, but for SP and flags. Clobbers AX.
#define SAVE_CALLER \
	MOVQ	BX, ·caller+callerState_bx(SB); \
	MOVQ	BP, ·caller+callerState_bp(SB); \
	MOVQ	DI, ·caller+callerState_di(SB); \
	MOVQ	SI, ·caller+callerState_si(SB); \
	MOVQ	R12, ·caller+callerState_r12(SB); \
	MOVQ	R13, ·caller+callerState_r13(SB); \
	MOVQ	R14, ·caller+callerState_r14(SB); \
	MOVQ	R15, ·caller+callerState_r15(SB); \
	LEAQ	·caller+callerState_xmm(SB), AX; \
	MOVUPS	X6, 0(AX); \
	MOVUPS	X7, 16(AX); \
	MOVUPS	X8, 32(AX); \
	MOVUPS	X9, 48(AX); \
	MOVUPS	X10, 64(AX); \
	MOVUPS	X11, 80(AX); \
	MOVUPS	X12, 96(AX); \
	MOVUPS	X13, 112(AX); \
	MOVUPS	X14, 128(AX); \
	MOVUPS	X15, 144(AX)

// And give it back.
#define LOAD_CALLER \
	LEAQ	·caller+callerState_xmm(SB), AX; \
	MOVUPS	0(AX), X6; \
	MOVUPS	16(AX), X7; \
	MOVUPS	32(AX), X8; \
	MOVUPS	48(AX), X9; \
	MOVUPS	64(AX), X10; \
	MOVUPS	80(AX), X11; \
	MOVUPS	96(AX), X12; \
	MOVUPS	112(AX), X13; \
	MOVUPS	128(AX), X14; \
	MOVUPS	144(AX), X15; \
	MOVQ	·caller+callerState_bx(SB), BX; \
	MOVQ	·caller+callerState_bp(SB), BP; \
	MOVQ	·caller+callerState_di(SB), DI; \
	MOVQ	·caller+callerState_si(SB), SI; \
	MOVQ	·caller+callerState_r12(SB), R12; \
	MOVQ	·caller+callerState_r13(SB), R13; \
	MOVQ	·caller+callerState_r14(SB), R14; \
	MOVQ	·caller+callerState_r15(SB), R15

// Push all registers but AX, which is on the stack already, and SP; load all of them again and leave them there.
#define PUSH_REGISTERS \
	PUSHQ	BX; \
	PUSHQ	CX; \
	PUSHQ	DX; \
	PUSHQ	SI; \
	PUSHQ	DI; \
	PUSHQ	BP; \
	PUSHQ	R8; \
	PUSHQ	R9; \
	PUSHQ	R10; \
	PUSHQ	R11; \
	PUSHQ	R12; \
	PUSHQ	R13; \
	PUSHQ	R14; \
	PUSHQ	R15

#define LOAD_PUSHED \
	MOVQ	0(SP), R15; \
	MOVQ	8(SP), R14; \
	MOVQ	16(SP), R13; \
	MOVQ	24(SP), R12; \
	MOVQ	32(SP), R11; \
	MOVQ	40(SP), R10; \
	MOVQ	48(SP), R9; \
	MOVQ	56(SP), R8; \
	MOVQ	64(SP), BP; \
	MOVQ	72(SP), DI; \
	MOVQ	80(SP), SI; \
	MOVQ	88(SP), DX; \
	MOVQ	96(SP), CX; \
	MOVQ	104(SP), BX; \
	MOVQ	112(SP), AX
