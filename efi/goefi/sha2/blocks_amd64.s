#include "textflag.h"

// func digestBlocks(state *[8]uint32, data []byte)
//
// FIPS 180-4 §6.2.2, in the order of words that the instructions want (Intel SDM volume 2, SHA256RNDS2). All is encoded for
// SSE: AVX encodings fault where CR4.OSXSAVE is off.
//
//	DI     state
//	SI, DX the next block, the end of the data
//	AX     constants
//	X0     words plus constants of the next four rounds
//	X1, X2 the variables ABEF and CDGH
//	X3-X6  the last 16 words of the message schedule
//	X7     scratch
//	X8     the order of bytes in a word
//	X9-X10 the variables before the block

// LOAD takes four words of the block.
#define LOAD(offset, words) \
	MOVOU	offset(SI), words; \
	PSHUFB	X8, words

// ROUNDS does four rounds with four words.
#define ROUNDS(offset, words) \
	MOVO	words, X0; \
	PADDD	offset(AX), X0; \
	SHA256RNDS2	X0, X1, X2; \
	PSHUFD	$0x0e, X0, X0; \
	SHA256RNDS2	X0, X2, X1

// NEXT replaces the oldest four of 16 words, w0, by the four that follow w3.
#define NEXT(w0, w1, w2, w3) \
	SHA256MSG1	w1, w0; \
	MOVO	w3, X7; \
	PALIGNR	$4, w2, X7; \
	PADDD	X7, w0; \
	SHA256MSG2	w3, w0

TEXT ·digestBlocks(SB),NOSPLIT,$0-32
	MOVQ	state+0(FP), DI
	MOVQ	data_base+8(FP), SI
	MOVQ	data_len+16(FP), DX
	ADDQ	SI, DX
	CMPQ	SI, DX
	JEQ	done
	MOVO	order<>(SB), X8
	LEAQ	constants<>(SB), AX

	// The state is ABCD EFGH in memory, the first word lowest.
	MOVOU	(DI), X1
	MOVOU	16(DI), X2
	PSHUFD	$0xb1, X1, X1
	PSHUFD	$0x1b, X2, X2
	MOVO	X1, X7
	PALIGNR	$8, X2, X1
	PBLENDW	$0xf0, X7, X2

block:
	MOVO	X1, X9
	MOVO	X2, X10
	LOAD(0, X3)
	ROUNDS(0, X3)
	LOAD(16, X4)
	ROUNDS(16, X4)
	LOAD(32, X5)
	ROUNDS(32, X5)
	LOAD(48, X6)
	ROUNDS(48, X6)
	NEXT(X3, X4, X5, X6)
	ROUNDS(64, X3)
	NEXT(X4, X5, X6, X3)
	ROUNDS(80, X4)
	NEXT(X5, X6, X3, X4)
	ROUNDS(96, X5)
	NEXT(X6, X3, X4, X5)
	ROUNDS(112, X6)
	NEXT(X3, X4, X5, X6)
	ROUNDS(128, X3)
	NEXT(X4, X5, X6, X3)
	ROUNDS(144, X4)
	NEXT(X5, X6, X3, X4)
	ROUNDS(160, X5)
	NEXT(X6, X3, X4, X5)
	ROUNDS(176, X6)
	NEXT(X3, X4, X5, X6)
	ROUNDS(192, X3)
	NEXT(X4, X5, X6, X3)
	ROUNDS(208, X4)
	NEXT(X5, X6, X3, X4)
	ROUNDS(224, X5)
	NEXT(X6, X3, X4, X5)
	ROUNDS(240, X6)
	PADDD	X9, X1
	PADDD	X10, X2
	ADDQ	$64, SI
	CMPQ	SI, DX
	JNE	block

	PSHUFD	$0x1b, X1, X1
	PSHUFD	$0xb1, X2, X2
	MOVO	X1, X7
	PBLENDW	$0xf0, X2, X1
	PALIGNR	$8, X7, X2
	MOVOU	X1, (DI)
	MOVOU	X2, 16(DI)

done:
	RET

// The words of a message are big-endian (FIPS 180-4 §3.1).
DATA order<>+0(SB)/8, $0x0405060700010203
DATA order<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL order<>(SB), RODATA|NOPTR, $16

// The constants of the rounds (FIPS 180-4 §4.2.2), two in each line, the first one lower.
DATA constants<>+0x00(SB)/8, $0x71374491428a2f98
DATA constants<>+0x08(SB)/8, $0xe9b5dba5b5c0fbcf
DATA constants<>+0x10(SB)/8, $0x59f111f13956c25b
DATA constants<>+0x18(SB)/8, $0xab1c5ed5923f82a4
DATA constants<>+0x20(SB)/8, $0x12835b01d807aa98
DATA constants<>+0x28(SB)/8, $0x550c7dc3243185be
DATA constants<>+0x30(SB)/8, $0x80deb1fe72be5d74
DATA constants<>+0x38(SB)/8, $0xc19bf1749bdc06a7
DATA constants<>+0x40(SB)/8, $0xefbe4786e49b69c1
DATA constants<>+0x48(SB)/8, $0x240ca1cc0fc19dc6
DATA constants<>+0x50(SB)/8, $0x4a7484aa2de92c6f
DATA constants<>+0x58(SB)/8, $0x76f988da5cb0a9dc
DATA constants<>+0x60(SB)/8, $0xa831c66d983e5152
DATA constants<>+0x68(SB)/8, $0xbf597fc7b00327c8
DATA constants<>+0x70(SB)/8, $0xd5a79147c6e00bf3
DATA constants<>+0x78(SB)/8, $0x1429296706ca6351
DATA constants<>+0x80(SB)/8, $0x2e1b213827b70a85
DATA constants<>+0x88(SB)/8, $0x53380d134d2c6dfc
DATA constants<>+0x90(SB)/8, $0x766a0abb650a7354
DATA constants<>+0x98(SB)/8, $0x92722c8581c2c92e
DATA constants<>+0xa0(SB)/8, $0xa81a664ba2bfe8a1
DATA constants<>+0xa8(SB)/8, $0xc76c51a3c24b8b70
DATA constants<>+0xb0(SB)/8, $0xd6990624d192e819
DATA constants<>+0xb8(SB)/8, $0x106aa070f40e3585
DATA constants<>+0xc0(SB)/8, $0x1e376c0819a4c116
DATA constants<>+0xc8(SB)/8, $0x34b0bcb52748774c
DATA constants<>+0xd0(SB)/8, $0x4ed8aa4a391c0cb3
DATA constants<>+0xd8(SB)/8, $0x682e6ff35b9cca4f
DATA constants<>+0xe0(SB)/8, $0x78a5636f748f82ee
DATA constants<>+0xe8(SB)/8, $0x8cc7020884c87814
DATA constants<>+0xf0(SB)/8, $0xa4506ceb90befffa
DATA constants<>+0xf8(SB)/8, $0xc67178f2bef9a3f7
GLOBL constants<>(SB), RODATA|NOPTR, $256
