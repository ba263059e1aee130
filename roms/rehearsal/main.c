// SPDX-License-Identifier: Apache-2.0
// rehearsal: no game, but memory that changes by script, as that of games does which are not ours.
//
// The rules for those games are tried on it, with no ROM of theirs: scripts.h has what happens
// when. A step is taken at line 1 of a frame, as in the other games here.

#include "console.h"
#include "scripts.h"

volatile uint8_t __at(0xC000) script;         // which one
volatile uint8_t __at(0xC001) shift;          // what is at 0xD000 and above is so much lower
volatile uint8_t __at(0xC004) restart;        // not 0: the next frame begins the script
volatile uint16_t __at(0xC011) frames;        // since power on
volatile uint8_t __at(0xC015) last_line;      // screen line at which the step was done

static const step_t *next;
static uint8_t waited, held, pressed;

static void write(uint16_t address, uint8_t value) {
    if (address >= 0xD000 && address < 0xE000) address -= shift;
    REGISTER(address) = value;
}

static void play(void) {
    for (;;) {
        if (next->after == END) return;
        if (waited < next->after) {
            ++waited;
            return;
        }
        if (next->address == PRESS) {
            if ((pressed & next->value) == 0) return;
            pressed = 0;
        } else {
            write(next->address, next->value);
        }
        waited = 0;
        ++next;
    }
}

static void update(void) {
    uint8_t buttons = read_buttons();
    ++frames;
    pressed = buttons & ~held;
    held = buttons;
    if (restart) {
        restart = 0;
        waited = 0;
        next = scripts[script < SCRIPTS ? script : 0];
    }
    play();
}

static void prepare_screen(void) {
    uint16_t index;
    while (LY != 144) {
    }
    LCDC = 0;
    for (index = 0; index != 16; ++index) TILE_DATA[index] = 0;
    for (index = 16; index != 32; ++index) TILE_DATA[index] = 0xFF;
    for (index = 0; index != 32 * 32; ++index) TILE_MAP[index] = (index ^ index >> 5) & 1;
    SCX = 0;
    SCY = 0;
    BGP = 0xE4;
    LYC = 1;
    STAT = 0x40;
    LCDC = 0x91;  // on, tiles at 0x8000, background
}

void main(void) {
    restart = 1;
    prepare_screen();
    INTERRUPT_FLAGS = 0;
    INTERRUPT_ENABLE = 0x02;
    for (;;) {
        wait_interrupt();
        if (LY < 144) {
            update();
            last_line = LY;
        }
    }
}
