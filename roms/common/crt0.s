; SPDX-License-Identifier: Apache-2.0
; Start-up code: vectors, a cleared WRAM, the OAM DMA routine in HRAM, then main().

	.module crt0
	.globl _main

	.area _HEADER (ABS)

; Both interrupts only wake the main loop from `halt`; it reads LY to see which one came.
	.org 0x40		; vertical blank
	reti
	.org 0x48		; LCD: LY equals LYC
	reti

	.org 0x100
	nop
	jp start		; 0x104-0x14F: the header, filled in by makebin

	.org 0x150
start:
	di
	ld sp, #0xE000
	ld hl, #0xC000		; clear WRAM, the stack (still empty) included
	ld bc, #0x2000
clear:
	xor a
	ld (hl+), a
	dec bc
	ld a, b
	or c
	jr nz, clear

	ld hl, #dma		; the CPU reaches only HRAM while a DMA runs
	ld c, #0x80
	ld b, #(dma_end - dma)
copy:
	ld a, (hl+)
	ldh (c), a
	inc c
	dec b
	jr nz, copy
	jp _main

dma:
	ld a, #0xC2		; from 0xC200, see main.c
	ldh (0x46), a
	ld a, #40
wait:
	dec a
	jr nz, wait
	ret
dma_end:

; void copy_sprites(void): OAM from the copy in WRAM, 160 machine cycles.
_copy_sprites::
	jp 0xFF80

; void wait_interrupt(void): sleep until the next vertical blank or line LYC.
; Not `ei` and `halt` in a row: PyBoy 2.8.1 then sleeps through line LYC after a while.
_wait_interrupt::
	ei
	nop
	halt
	nop
	di
	ret

; uint16_t random16(void): xorshift with 7, 9, 8; all 65,535 states but 0 lie on one cycle.
_random16::
	ld hl, #0xC013		; rng
	ld a, (hl+)
	ld c, a
	ld b, (hl)
	ld a, b			; x ^= x << 7, its lowest bit still to come
	rra
	ld a, c
	rra
	xor b
	ld b, a
	ld a, c			; that bit, and x ^= x >> 9
	rra
	ld a, b
	rra
	xor c
	ld c, a
	xor b			; x ^= x << 8
	ld b, a
	ld (hl-), a
	ld (hl), c
	ret			; the result is in BC

	.area _CODE
	.area _INITIALIZER
	.area _GSINIT
	.area _GSFINAL
	.area _DATA
	.area _INITIALIZED
	.area _BSEG
	.area _BSS
	.area _HEAP
